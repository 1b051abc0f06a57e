#include "base/cbor.h"

namespace hygie::cbor {
namespace {

enum Major : unsigned { kBytes = 2, kText = 3 };
constexpr std::uint8_t kFalse = 0xF4;
constexpr std::uint8_t kTrue = 0xF5;

std::unexpected<Error> corrupt(std::source_location where = std::source_location::current()) {
    return fail(Code::Corrupt,
                {"octets CBOR hors de l'écriture déterministe attendue",
                 "CBOR bytes outside the deterministic spelling expected"},
                {"reprenez une copie saine de ces données", "take a sound copy of these data"},
                where);
}

}  // namespace

void Writer::head(unsigned major, std::uint64_t value) {
    const auto first = static_cast<std::uint8_t>(major << 5);
    if (value < 24) {
        out_.push_back(static_cast<std::uint8_t>(first | value));
        return;
    }
    const unsigned log2_size = value <= 0xFF          ? 0
                               : value <= 0xFFFF      ? 1
                               : value <= 0xFFFF'FFFF ? 2
                                                      : 3;
    out_.push_back(static_cast<std::uint8_t>(first | (24 + log2_size)));
    std::uint8_t big_endian[8];
    store_be(big_endian, value);
    const std::size_t size = std::size_t{1} << log2_size;
    append(out_, ByteView(big_endian).last(size));
}

void Writer::bytes(ByteView value) {
    head(kBytes, value.size());
    append(out_, value);
}

void Writer::text(std::string_view value) {
    head(kText, value.size());
    append(out_, as_bytes(value));
}

Result<std::uint64_t> Reader::head(unsigned major) {
    if (in_.empty() || in_[0] >> 5 != major) return corrupt();
    const unsigned info = in_[0] & 31u;
    if (info < 24) {
        in_ = in_.subspan(1);
        return info;
    }
    if (info > 27) return corrupt();
    const std::size_t size = std::size_t{1} << (info - 24);
    if (in_.size() < 1 + size) return corrupt();
    std::uint64_t value = 0;
    for (const std::uint8_t byte : in_.subspan(1, size)) value = value << 8 | byte;
    // The shortest integer only: a value that fits the next smaller head has another spelling.
    const std::uint64_t least = size == 1 ? 24 : std::uint64_t{1} << (size * 4);
    if (value < least) return corrupt();
    in_ = in_.subspan(1 + size);
    return value;
}

Result<ByteView> Reader::take(unsigned major) {
    const ByteView before = in_;
    const std::uint64_t size = TRY(head(major));
    if (size > in_.size()) {
        in_ = before;
        return corrupt();
    }
    const ByteView taken = in_.first(static_cast<std::size_t>(size));
    in_ = in_.subspan(taken.size());
    return taken;
}

Result<ByteView> Reader::bytes() {
    return take(kBytes);
}

Result<std::string_view> Reader::text() {
    const ByteView before = in_;
    const auto taken = as_text(TRY(take(kText)));
    if (!is_utf8(taken)) {
        in_ = before;
        return corrupt();
    }
    return taken;
}

Result<bool> Reader::boolean() {
    if (in_.empty() || (in_[0] != kFalse && in_[0] != kTrue)) return corrupt();
    const bool value = in_[0] == kTrue;
    in_ = in_.subspan(1);
    return value;
}

}  // namespace hygie::cbor
