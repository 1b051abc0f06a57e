#include "ledger/log/keys.h"

#include <algorithm>

#include "crypto/wipe.h"
#include "event/codec.h"
#include "ledger/log/layout.h"

namespace hygie::ledger {
namespace {

constexpr crypto::KeyScope kTokenScope{0, 0};
constexpr std::string_view kActors = "actors";
/// The first year a ledger of ours can hold; queries look at the actor keys of each year since.
constexpr int kFirstYear = 1970;
constexpr int kLastYear = 2200;
constexpr std::size_t kMaskBytes = 8;
constexpr std::size_t kMasksPerBlock = crypto::kKeystreamBlockBytes / kMaskBytes;

std::uint16_t year_of(WallTime time) {
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
    return static_cast<std::uint16_t>(static_cast<int>(date.year()));
}

std::uint64_t unmask(const Header& header, const std::array<std::uint8_t, kMaskBytes>& mask) {
    return load_be<std::uint64_t>(header.key_ref.data()) ^ load_be<std::uint64_t>(mask.data());
}

/// "p/…" for a patient, "-" for what is about nobody in particular; the two cannot meet.
std::string subject_of(const PatientId& patient) {
    return patient.empty() ? "-" : "p/" + patient.str();
}

constexpr std::string_view kWrappingBox = "ledger/wrapping";
constexpr std::size_t kSecretBytes = 32;

std::unexpected<Error> no_wrapping() {
    return fail(Code::Corrupt,
                {"clé d'enveloppe absente ou illisible", "wrapping key absent or unreadable"},
                {"restaurez private/wrapping et private/keys de la même sauvegarde",
                 "restore private/wrapping and private/keys from the same backup"});
}

/// The random key that wraps the key table, sealed under the root; two while a re-wrapping is under
/// way, the new one first.
class WrappingFile {
  public:
    WrappingFile(Disk& disk, Random& random, std::string path, const crypto::Secret32& box_key)
        : disk_(disk), random_(random), path_(std::move(path)), box_key_(box_key) {}

    bool exists() const { return disk_.exists(path_); }

    Result<std::vector<crypto::Secret32>> read() const {
        const Bytes boxed = TRY(disk_.read_file(path_, crypto::kBoxBytes + 2 * kSecretBytes));
        const Bytes bytes = TRY(crypto::unbox(box_key_, as_bytes(kWrappingBox), boxed));
        if (bytes.empty() || bytes.size() % kSecretBytes != 0) return no_wrapping();
        std::vector<crypto::Secret32> keys;
        for (std::size_t at = 0; at < bytes.size(); at += kSecretBytes)
            keys.emplace_back(
                std::span<const std::uint8_t, kSecretBytes>(bytes.data() + at, kSecretBytes));
        return keys;
    }

    /// Replaces the file and wipes the bytes of the one before.
    Status write(const std::vector<crypto::Secret32>& keys) const {
        std::unique_ptr<File> before;
        if (exists()) before = TRY(disk_.open(path_, Open::ReadWrite));
        Bytes bytes;
        for (const crypto::Secret32& key : keys) append(bytes, key.view());
        TRY_STATUS(disk_.replace_file(
            path_, crypto::box(box_key_, as_bytes(kWrappingBox), bytes, random_)));
        return before ? crypto::wipe(*before) : Status{};
    }

  private:
    Disk& disk_;
    Random& random_;
    std::string path_;
    crypto::Secret32 box_key_;
};

crypto::Nonce mask_nonce(std::uint32_t run, std::uint64_t sequence) {
    crypto::Nonce nonce{};
    store_be(nonce.data(), run);
    // The keystream's block counter has 32 bits; what is above them goes into the nonce.
    store_be(nonce.data() + sizeof run, (sequence / kMasksPerBlock) >> 32);
    return nonce;
}

}  // namespace

Keys::Keys(Disk& disk, Random& random, std::string dir, const crypto::Secret32& root)
    : disk_(disk),
      random_(random),
      dir_(std::move(dir)),
      wrapping_box_key_(crypto::derive(root, "ledger/wrap")),
      mask_key_(crypto::derive(root, "ledger/mask")),
      state_key_(crypto::derive(root, "ledger/state")),
      index_key_(crypto::derive(root, "ledger/index")) {}

Result<std::unique_ptr<Keys>> Keys::open(Disk& disk, Random& random, const std::string& dir,
                                         const crypto::Secret32& root) {
    std::unique_ptr<Keys> keys(new Keys(disk, random, dir, root));
    TRY_STATUS(keys->open_table());
    return keys;
}

Status Keys::open_table() {
    const std::string table = layout::key_table(dir_);
    const WrappingFile file(disk_, random_, layout::wrapping(dir_), wrapping_box_key_);
    if (!file.exists()) {
        if (disk_.exists(table)) return no_wrapping();
        TRY_STATUS(disk_.make_dirs(layout::private_dir(dir_)));
        TRY_STATUS(file.write({crypto::Secret32{random_.bytes<32>()}}));
    }
    const std::vector<crypto::Secret32> wrappings = TRY(file.read());
    auto opened = crypto::KeyTable::open(disk_, random_, table, wrappings.front());
    if (!opened && opened.error().code == Code::Denied && wrappings.size() > 1)
        opened = crypto::KeyTable::open(disk_, random_, table, wrappings.back());
    table_ = TRY(std::move(opened));
    if (wrappings.size() == 1) return {};
    // A re-wrapping was cut short: finish it.
    TRY_STATUS(table_->rewrap(wrappings.front()));
    return file.write({wrappings.front()});
}

Status Keys::rewrap() {
    const WrappingFile file(disk_, random_, layout::wrapping(dir_), wrapping_box_key_);
    const crypto::Secret32 fresh{random_.bytes<32>()};
    const crypto::Secret32 old = TRY(file.read()).front();
    TRY_STATUS(file.write({fresh, old}));
    TRY_STATUS(table_->rewrap(fresh));
    return file.write({fresh});
}

Result<crypto::KeyTable::Found> Keys::body_key(const PatientId& patient, event::Retention retention,
                                               WallTime time) {
    return table_->find_or_make(subject_of(patient),
                                {static_cast<std::uint8_t>(retention), year_of(time)});
}

Result<crypto::Secret32> Keys::token_key(const PatientId& patient) {
    return TRY(table_->find_or_make(subject_of(patient), kTokenScope)).key;
}

Result<crypto::Token> Keys::actor_token(const ActorId& actor, WallTime time) {
    const crypto::KeyScope scope{static_cast<std::uint8_t>(event::Retention::System),
                                 year_of(time)};
    return crypto::blind(TRY(table_->find_or_make(kActors, scope)).key, "actor", actor.str());
}

std::vector<crypto::Token> Keys::known_actor_tokens(const ActorId& actor) const {
    std::vector<crypto::Token> tokens;
    for (int year = kFirstYear; year <= kLastYear; ++year) {
        const crypto::KeyScope scope{static_cast<std::uint8_t>(event::Retention::System),
                                     static_cast<std::uint16_t>(year)};
        if (const auto found = table_->find(kActors, scope))
            tokens.push_back(crypto::blind(found->key, "actor", actor.str()));
    }
    return tokens;
}

std::optional<crypto::Token> Keys::known_patient_token(const PatientId& patient) const {
    const auto found = table_->find(subject_of(patient), kTokenScope);
    if (!found) return std::nullopt;
    return patient_token(found->key);
}

std::optional<crypto::Token> Keys::known_object_token(const PatientId& patient,
                                                      const ObjectId& object) const {
    const auto found = table_->find(subject_of(patient), kTokenScope);
    if (!found) return std::nullopt;
    return object_token(found->key, object);
}

std::uint64_t BodySlots::of(const Header& header) {
    const std::uint64_t first = header.sequence - header.sequence % kStretch;
    if (run_ != header.run || first_ != first) {
        slot_masks(keys_.mask_key(), header.run, first, masks_);
        run_ = header.run;
        first_ = first;
    }
    return unmask(header, masks_[header.sequence - first]);
}

Result<event::Event> Keys::unseal(const EntryView& entry, const Sources& sources) const {
    const Header& header = entry.header;
    const event::Stamp stamp{header.type, header.time, header.counter, header.retention};
    Bytes opened;
    ByteView body = entry.payload;
    if (entry.is_sealed) {
        std::array<std::uint8_t, kMaskBytes> mask;
        slot_masks(mask_key_, header.run, header.sequence, {&mask, 1});
        const crypto::Secret32 key = TRY(table_->get(unmask(header, mask)));
        opened = TRY(crypto::open(key, nonce_of(header), entry.associated, entry.payload));
        body = opened;
    }
    event::Event event = TRY(event::decode_body(stamp, body));
    if (!sources.has(header.source))
        return fail(Code::Corrupt, {"source inconnue", "unknown source"},
                    {"relancez la vérification : hygie ledger verify",
                     "run the verification: hygie ledger verify"});
    const Source& source = sources.all()[header.source];
    event.source = source.name;
    event.node = source.node;
    return event;
}

Result<std::vector<crypto::KeySlot>> Keys::shred(const PatientId& patient,
                                                 std::optional<event::Retention> retention) {
    const auto code =
        retention ? std::optional(static_cast<std::uint8_t>(*retention)) : std::nullopt;
    return table_->shred(subject_of(patient), code);
}

Result<std::size_t> Keys::shred_expired(WallTime now) {
    std::size_t destroyed = 0;
    for (const auto retention :
         {event::Retention::Trace1Year, event::Retention::Control3Years,
          event::Retention::Record10Years, event::Retention::Record20Years}) {
        // A key serves one calendar year: it may go once traces of that year's last day have
        // outlived the class.
        const std::uint16_t year = year_of(now - *event::duration_of(retention));
        destroyed += TRY(table_->shred_expired(static_cast<std::uint8_t>(retention),
                                               static_cast<std::uint16_t>(year - 1)))
                         .size();
    }
    return destroyed;
}

crypto::Token patient_token(const crypto::Secret32& token_key) {
    return crypto::blind(token_key, "patient", "");
}

crypto::Token object_token(const crypto::Secret32& token_key, const ObjectId& object) {
    return object_token(crypto::HmacKey(token_key.view()), object);
}

crypto::Token object_token(const crypto::HmacKey& token_key, const ObjectId& object) {
    return crypto::blind(token_key, "object", object.str());
}

void slot_masks(const crypto::Secret32& mask_key, std::uint32_t run, std::uint64_t first,
                std::span<std::array<std::uint8_t, 8>> masks) {
    std::array<std::uint8_t, crypto::kKeystreamBlockBytes * 16> stream;
    constexpr std::size_t kMasksPerStream = sizeof stream / kMaskBytes;
    while (!masks.empty()) {
        const std::uint64_t block = first / kMasksPerBlock;
        const std::size_t skip = first % kMasksPerBlock;
        // Never cross the point where the block counter wraps: from there the nonce differs.
        const std::uint64_t blocks_left = (1ull << 32) - (block & 0xFFFF'FFFF);
        const std::size_t count = std::min<std::uint64_t>(
            {masks.size(), kMasksPerStream - skip, blocks_left * kMasksPerBlock - skip});
        const std::size_t bytes = (skip + count) * kMaskBytes;
        crypto::keystream(mask_key, mask_nonce(run, first), static_cast<std::uint32_t>(block),
                          std::span(stream).first(bytes));
        for (std::size_t i = 0; i < count; ++i)
            std::copy_n(stream.begin() + static_cast<std::ptrdiff_t>((skip + i) * kMaskBytes),
                        kMaskBytes, masks[i].begin());
        masks = masks.subspan(count);
        first += count;
    }
}

}  // namespace hygie::ledger
