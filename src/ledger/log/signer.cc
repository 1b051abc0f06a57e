#include "ledger/log/signer.h"

#include <algorithm>

#include "base/cbor.h"
#include "ledger/log/layout.h"
#include "ledger/tree/canonical.h"

namespace hygie::ledger {
namespace {

constexpr std::uint64_t kFileBytesMax = 64 << 10;
constexpr std::string_view kBox = "ledger/signer";

/// The key-table subject of an epoch's private key.
std::string subject_of(std::uint64_t epoch) {
    return "signer/" + std::to_string(epoch);
}

constexpr crypto::KeyScope kScope{static_cast<std::uint8_t>(event::Retention::System), 0};

std::unexpected<Error> unreadable() {
    return fail(Code::Corrupt,
                {"clé de signature du journal illisible", "unreadable signing key of the ledger"},
                {"restaurez private/ depuis une sauvegarde ; un journal sans sa clé ne peut plus "
                 "que se lire",
                 "restore private/ from a backup; a ledger without its key can only be read"});
}

}  // namespace

Signer::Signer(std::string origin, std::uint64_t epoch, const crypto::SigningKey& key)
    : origin_(std::move(origin)), epoch_(epoch), key_(key) {}

Status check_origin(const std::string& origin) {
    if (is_key_name(origin)) return {};
    return fail(Code::BadInput, {"nom de journal invalide", "invalid name of a log"},
                {"choisissez un nom sans espace ni « + », par exemple cabinet.example/journal",
                 "choose a name without spaces or '+', for instance practice.example/ledger"});
}

Result<Signer> Signer::create(Disk& disk, Random& random, Keys& keys, const std::string& dir,
                              const std::string& origin) {
    TRY_STATUS(check_origin(origin));
    const crypto::Secret32 seed{random.bytes<32>()};
    const Signer signer(origin, 0, crypto::SigningKey::from_seed(seed));
    TRY_STATUS(signer.install(disk, random, keys, dir));
    return signer;
}

Result<Signer> Signer::open(Disk& disk, Keys& keys, const std::string& dir) {
    const Bytes file = TRY(disk.read_file(layout::signer(dir), kFileBytesMax));
    cbor::Reader reader(file);
    if (TRY(reader.array()) != 3) return unreadable();
    const std::string origin(TRY(reader.text()));
    const std::uint64_t epoch = TRY(reader.number());
    const ByteView boxed = TRY(reader.bytes());
    const auto wrapping = keys.table().find(subject_of(epoch), kScope);
    if (!wrapping || !reader.done()) return unreadable();
    const Bytes seed = TRY(crypto::unbox(wrapping->key, as_bytes(kBox), boxed));
    if (seed.size() != 32) return unreadable();
    return Signer(origin, epoch,
                  crypto::SigningKey::from_seed(
                      crypto::Secret32(std::span<const std::uint8_t, 32>(seed.data(), 32))));
}

SignedCheckpoint Signer::sign(const Checkpoint& checkpoint, WallTime now) const {
    const NoteSigner log(origin_, KeyType::Ed25519, key_);
    const NoteSigner own_time(origin_, KeyType::Cosignature, key_);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    SignedCheckpoint signed_checkpoint = sign_checkpoint(checkpoint, log);
    Note& note = signed_checkpoint.note;
    note.signatures.push_back(
        own_time.cosign(note.text, static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 1))));
    return signed_checkpoint;
}

Result<Signer> Signer::next(Random& random) const {
    const crypto::Secret32 seed{random.bytes<32>()};
    return Signer(origin_, epoch_ + 1, crypto::SigningKey::from_seed(seed));
}

Status Signer::install(Disk& disk, Random& random, Keys& keys, const std::string& dir) const {
    const auto wrapping = TRY(keys.table().find_or_make(subject_of(epoch_), kScope));
    TRY_STATUS(keys.table().sync());
    Bytes file;
    cbor::Writer writer(file);
    writer.array(3);
    writer.text(origin_);
    writer.number(epoch_);
    writer.bytes(crypto::box(wrapping.key, as_bytes(kBox), key_.seed().view(), random));
    TRY_STATUS(disk.replace_file(layout::signer(dir), file));

    std::string lines;
    DirReader before(disk, dir);
    if (epoch_ > 0)
        for (const VerifierKey& key : TRY(read_verifier_keys(before)))
            if (key != verifier()) lines += key.str() + '\n';
    lines += verifier().str() + '\n';
    TRY_STATUS(disk.replace_file(layout::verifier_keys(dir), as_bytes(lines), Access::Served));
    for (std::uint64_t epoch = 0; epoch < epoch_; ++epoch)
        TRY(keys.table().shred(subject_of(epoch), std::nullopt));
    return {};
}

VerifierKey Signer::verifier() const {
    return VerifierKey::of(origin_, KeyType::Ed25519, key_.public_key());
}

Result<std::vector<VerifierKey>> read_verifier_keys(LogReader& log) {
    const Bytes file = TRY(log.read(layout::kVerifierKeys, kFileBytesMax));
    std::vector<VerifierKey> keys;
    std::string_view text = as_text(file);
    while (const auto line = take_line(text)) keys.push_back(TRY(VerifierKey::parse(*line)));
    if (keys.empty()) return unreadable();
    return keys;
}

}  // namespace hygie::ledger
