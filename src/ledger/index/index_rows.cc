#include "ledger/index/index_rows.h"

#include <algorithm>
#include <array>

#include "crypto/aead.h"

namespace hygie::ledger {
namespace {

constexpr std::string_view kMagic = "hygie-index-rows@v1\n";
constexpr std::size_t kFirstBytes = sizeof(std::uint64_t);
/// Time, actor, patient, object: eight bytes each.
constexpr std::size_t kRowBytes = 32;
using Field = std::array<std::uint8_t, 8>;

}  // namespace

std::uint64_t rows_bytes(std::uint64_t rows) {
    return kMagic.size() + crypto::kBoxBytes + kFirstBytes + rows * kRowBytes;
}

Bytes seal_rows(const crypto::Secret32& key, std::uint64_t first, std::span<const IndexRow> rows,
                Random& random) {
    Bytes plaintext(kFirstBytes);
    plaintext.reserve(kFirstBytes + rows.size() * kRowBytes);
    store_be(plaintext.data(), first);
    for (const IndexRow& row : rows) {
        Field time;
        store_be(time.data(), static_cast<std::uint64_t>(row.time.time_since_epoch().count()));
        for (const Field& field : {time, row.actor, row.patient, row.object})
            append(plaintext, field);
    }
    Bytes sealed = to_bytes(as_bytes(kMagic));
    append(sealed, crypto::box(key, as_bytes(kMagic), plaintext, random));
    return sealed;
}

std::optional<std::vector<IndexRow>> open_rows(const crypto::Secret32& key, ByteView sealed) {
    if (!as_text(sealed).starts_with(kMagic)) return std::nullopt;
    const auto plaintext = crypto::unbox(key, as_bytes(kMagic), sealed.subspan(kMagic.size()));
    if (!plaintext || plaintext->size() % kRowBytes != kFirstBytes) return std::nullopt;
    const auto first = load_be<std::uint64_t>(plaintext->data());
    std::vector<IndexRow> rows(plaintext->size() / kRowBytes);
    const std::uint8_t* at = plaintext->data() + kFirstBytes;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].sequence = first + i;
        rows[i].time = WallTime(Micros(load_be<std::int64_t>(at)));
        at += sizeof(Field);
        for (Field* field : {&rows[i].actor, &rows[i].patient, &rows[i].object}) {
            std::copy_n(at, field->size(), field->begin());
            at += field->size();
        }
    }
    return rows;
}

}  // namespace hygie::ledger
