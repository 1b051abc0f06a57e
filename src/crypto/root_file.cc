#include "crypto/root_file.h"

#include <algorithm>

#include "base/cbor.h"
#include "crypto/aead.h"
#include "crypto/sha256.h"

namespace hygie::crypto::detail {
namespace {

constexpr std::string_view kMagic = "hygie root key";
constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kItems = 8;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kRootBytes = 32;
/// A file must not make its reader run out of memory or time (libsodium's highest level).
constexpr PassphraseCost kCostMax{16, 1 << 30};
/// The least Argon2id is defined for.
constexpr PassphraseCost kCostMin{1, 8192};

bool is_sane(const PassphraseCost& cost) {
    return cost.passes >= kCostMin.passes && cost.passes <= kCostMax.passes &&
           cost.memory_bytes >= kCostMin.memory_bytes && cost.memory_bytes <= kCostMax.memory_bytes;
}

std::unexpected<Error> damaged() {
    return fail(Code::Corrupt,
                {"le fichier de la clé racine est abîmé", "the root key's file is damaged"},
                {"restaurez-le depuis la dernière sauvegarde des clés, ou réunissez les parts de "
                 "récupération",
                 "restore it from the last backup of the keys, or gather the recovery shares"});
}

/// Reads the items in order; anything unexpected is a failure whose words `damaged` replaces.
Result<RootFile> decode_items(ByteView body) {
    cbor::Reader reader(body);
    RootFile file;
    const std::uint64_t items = TRY(reader.array());
    const std::string_view magic = TRY(reader.text());
    const std::uint64_t version = TRY(reader.number());
    if (items != kItems || magic != kMagic || version != kVersion) return damaged();
    const std::uint64_t kind = TRY(reader.number());
    file.cost.passes = TRY(reader.number());
    file.cost.memory_bytes = TRY(reader.number());
    const ByteView salt = TRY(reader.bytes());
    file.name = TRY(reader.text());
    file.box = to_bytes(TRY(reader.bytes()));
    file.kind = static_cast<RootFile::Kind>(kind);
    const bool sane = kind >= 1 && kind <= 3 && salt.size() == file.salt.size() &&
                      (file.kind != RootFile::Kind::Passphrase || is_sane(file.cost)) &&
                      file.box.size() == kRootBytes + kBoxBytes && reader.done();
    if (!sane) return damaged();
    std::ranges::copy(salt, file.salt.begin());
    return file;
}

ByteView checksum_of(const Hash& hash) {
    return ByteView(hash).first(kChecksumBytes);
}

}  // namespace

Bytes encode_associated(const RootFile& file) {
    Bytes out;
    cbor::Writer writer(out);
    writer.array(kItems);
    writer.text(kMagic);
    writer.number(kVersion);
    writer.number(static_cast<std::uint64_t>(file.kind));
    writer.number(file.cost.passes);
    writer.number(file.cost.memory_bytes);
    writer.bytes(file.salt);
    writer.text(file.name);
    return out;
}

Bytes encode_root_file(const RootFile& file) {
    Bytes out = encode_associated(file);
    cbor::Writer(out).bytes(file.box);
    append(out, checksum_of(sha256(out)));
    return out;
}

Result<RootFile> decode_root_file(ByteView bytes) {
    if (bytes.size() < kChecksumBytes) return damaged();
    const ByteView body = bytes.first(bytes.size() - kChecksumBytes);
    // A wrong passphrase and a flipped bit need different remedies: the checksum tells them apart.
    if (as_text(bytes.subspan(body.size())) != as_text(checksum_of(sha256(body)))) return damaged();
    auto file = decode_items(body);
    if (!file) return damaged();
    return file;
}

}  // namespace hygie::crypto::detail
