#include "guards/files/keep/content_mark.h"

#include <algorithm>

#include "crypto/tokens.h"

namespace hygie::files {

Result<ContentMark> mark_of(const Record& record) {
    if (record.kind != RecordKind::Hashed || record.chunks.size() != 1)
        return fail(Code::Corrupt, {"cette version n'a pas de marque", "this version has no mark"});
    ContentMark mark;
    const ChunkId& bytes = record.chunks.front();
    std::copy_n(bytes.begin(), mark.salt.size(), mark.salt.begin());
    std::copy_n(bytes.begin() + mark.salt.size(), mark.tag.size(), mark.tag.begin());
    return mark;
}

ChunkId bytes_of(const ContentMark& mark) {
    ChunkId bytes;
    static_assert(sizeof(ChunkId) == sizeof(ContentMark));
    std::ranges::copy(mark.tag, std::ranges::copy(mark.salt, bytes.begin()).out);
    return bytes;
}

MarkKey::MarkKey(const crypto::Secret32& state_key)
    : key_(crypto::derive(state_key, "files/mark").view()) {}

crypto::OneTimeMac MarkKey::begin(VersionId version, std::uint64_t size,
                                  const std::array<std::uint8_t, 16>& salt) const {
    std::array<std::uint8_t, 16> numbers;
    store_be(numbers.data(), version);
    store_be(numbers.data() + sizeof version, size);
    return crypto::OneTimeMac(
        crypto::Secret32(crypto::hmac_sha256(key_, {ByteView(salt), ByteView(numbers)})));
}

}  // namespace hygie::files
