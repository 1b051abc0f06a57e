#include "guards/files/keep/record.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/cbor.h"
#include "guards/files/acts/volume.h"

namespace hygie::files {
namespace {

constexpr std::size_t kFields = 17;
/// Before 27 November 2026, when a record was dated by when it was written.
constexpr std::size_t kFieldsUndated = 16;
constexpr std::size_t kAttributesMax = 256;
constexpr std::size_t kAttributeNamesBytesMax = 4096;
constexpr std::size_t kAttributeBytesMax = 64 << 10;
constexpr std::uint64_t kChunksMax = std::uint64_t{1} << 24;

std::unexpected<Error> corrupt() {
    return fail(Code::Corrupt,
                {"un enregistrement de la réserve des fichiers est illisible",
                 "a record of the file store cannot be read"},
                {"rétablissez le dossier d'état depuis sa copie",
                 "bring the state folder back from its copy"});
}

void write_meta(cbor::Writer& out, const Meta& meta) {
    out.array(5);
    out.number(meta.mode);
    out.number(meta.uid);
    out.number(meta.gid);
    out.number(std::bit_cast<std::uint64_t>(meta.modified_ns));
    out.array(2 * meta.attributes.size());
    for (const auto& [name, value] : meta.attributes) {
        out.bytes(as_bytes(name));
        out.bytes(value);
    }
}

Result<std::string> read_string(cbor::Reader& in) {
    return std::string(as_text(TRY(in.bytes())));
}

Result<Meta> read_meta(cbor::Reader& in) {
    if (TRY(in.array()) != 5) return corrupt();
    Meta meta;
    meta.mode = static_cast<std::uint32_t>(TRY(in.number()));
    meta.uid = static_cast<std::uint32_t>(TRY(in.number()));
    meta.gid = static_cast<std::uint32_t>(TRY(in.number()));
    meta.modified_ns = std::bit_cast<std::int64_t>(TRY(in.number()));
    const std::uint64_t items = TRY(in.array());
    if (items % 2 != 0 || items > 2 * kAttributesMax) return corrupt();
    for (std::uint64_t i = 0; i < items / 2; ++i) {
        std::string name = TRY(read_string(in));
        meta.attributes.emplace_back(std::move(name), to_bytes(TRY(in.bytes())));
    }
    return meta;
}

Result<FileKey> read_key(cbor::Reader& in) {
    const ByteView bytes = TRY(in.bytes());
    if (bytes.empty()) return FileKey();
    if (bytes.size() < 3 || bytes.size() > FileKey::kBytesMax) return corrupt();
    return FileKey(bytes[0], bytes[1], bytes.subspan(2));
}

template <typename Enum>
Result<Enum> read_enum(cbor::Reader& in, Enum last) {
    const std::uint64_t value = TRY(in.number());
    if (value > static_cast<std::uint64_t>(last)) return corrupt();
    return static_cast<Enum>(value);
}

Result<std::vector<ChunkId>> read_chunks(cbor::Reader& in) {
    const ByteView bytes = TRY(in.bytes());
    if (bytes.size() % sizeof(ChunkId) != 0 || bytes.size() / sizeof(ChunkId) > kChunksMax)
        return corrupt();
    std::vector<ChunkId> chunks(bytes.size() / sizeof(ChunkId));
    if (!bytes.empty()) std::memcpy(chunks.data(), bytes.data(), bytes.size());
    return chunks;
}

}  // namespace

bool is_act(const Record& record) {
    switch (record.kind) {
        case RecordKind::Present:
            return record.cause != Cause::PreImage;
        case RecordKind::Gone:
        case RecordKind::Moved:
        case RecordKind::Attributes:
        case RecordKind::Committed:
            return true;
        default:
            return false;
    }
}

Bytes encode(const Record& record) {
    Bytes bytes;
    cbor::Writer out(bytes);
    const bool is_late = record.happened != 0 && record.happened != record.time;
    out.array(is_late ? kFields : kFieldsUndated);
    out.number(static_cast<std::uint8_t>(record.kind));
    out.number(record.time);
    out.bytes(record.key.bytes());
    out.bytes(as_bytes(record.path));
    out.bytes(as_bytes(record.from));
    out.number(static_cast<std::uint8_t>(record.type));
    write_meta(out, record.meta);
    out.number(record.size);
    out.number(static_cast<std::uint8_t>(record.place));
    out.bytes(as_bytes(record.target));
    out.bytes(as_bytes(record.actor));
    out.number(static_cast<std::uint8_t>(record.cause));
    out.number(record.version);
    out.bytes(record.hash);
    out.bytes({reinterpret_cast<const std::uint8_t*>(record.chunks.data()),
               record.chunks.size() * sizeof(ChunkId)});
    out.number(std::bit_cast<std::uint64_t>(record.changed_ns));
    if (is_late) out.number(record.happened);
    return bytes;
}

Result<Record> decode_record(ByteView bytes) {
    cbor::Reader in(bytes);
    Record record;
    const std::uint64_t fields = TRY(in.array());
    if (fields != kFields && fields != kFieldsUndated) return corrupt();
    record.kind = TRY(read_enum(in, RecordKind::Committed));
    record.time = TRY(in.number());
    record.key = TRY(read_key(in));
    record.path = TRY(read_string(in));
    record.from = TRY(read_string(in));
    record.type = TRY(read_enum(in, FileType::Other));
    record.meta = TRY(read_meta(in));
    record.size = TRY(in.number());
    record.place = TRY(read_enum(in, Place::Packed));
    record.target = TRY(read_string(in));
    record.actor = TRY(read_string(in));
    record.cause = TRY(read_enum(in, Cause::Replaced));
    record.version = TRY(in.number());
    record.hash = to_bytes(TRY(in.bytes()));
    if (!record.hash.empty() && record.hash.size() != sizeof(crypto::Hash)) return corrupt();
    record.chunks = TRY(read_chunks(in));
    record.changed_ns = std::bit_cast<std::int64_t>(TRY(in.number()));
    record.happened = fields == kFields ? TRY(in.number()) : record.time;
    if (fields == kFields && record.happened == record.time) return corrupt();
    if (!in.done() || static_cast<std::uint8_t>(record.kind) == 0) return corrupt();
    return record;
}

std::string_view name_of(RecordKind kind) {
    constexpr std::array<std::string_view, 12> kNames = {
        "",       "present", "gone",    "moved",    "attributes", "hashed",
        "sealed", "dropped", "stopped", "restored", "started",    "committed"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::string_view name_of(Cause cause) {
    constexpr std::array<std::string_view, 7> kNames = {
        "", "baseline", "commit", "pre-image", "adopted", "unlink", "replaced"};
    return kNames[static_cast<std::size_t>(cause)];
}

Meta meta_of(int fd, const struct stat& info) {
    Meta meta;
    meta.mode = info.st_mode;
    meta.uid = info.st_uid;
    meta.gid = info.st_gid;
    meta.modified_ns = Stamp::of(info).modified_ns;
    // Through /proc, so that it works for O_PATH and for symbolic links too.
    const std::string path = fmt::format("/proc/self/fd/{}", fd);
    if (S_ISLNK(info.st_mode)) return meta;
    char names[kAttributeNamesBytesMax];
    ssize_t size = ::listxattr(path.c_str(), names, sizeof names);
    if (size <= 0) return meta;
    for (const char* name = names; name < names + size; name += std::strlen(name) + 1) {
        Bytes value(kAttributeBytesMax);
        const ssize_t got = ::getxattr(path.c_str(), name, value.data(), value.size());
        if (got < 0 || meta.attributes.size() == kAttributesMax) continue;
        value.resize(static_cast<std::size_t>(got));
        meta.attributes.emplace_back(name, std::move(value));
    }
    std::ranges::sort(meta.attributes);
    return meta;
}

}  // namespace hygie::files
