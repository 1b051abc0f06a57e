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

/// One UTF-8 code point of `size` bytes starts here (RFC 3629: no overlong form, no surrogate,
/// nothing above U+10FFFF); 0 when none does.
std::size_t code_point_size(ByteView in) {
    const std::uint8_t lead = in[0];
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (in.size() < size) return 0;
    // Only the second byte has a narrower range, after these four lead bytes.
    const std::uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (in[1] < low || in[1] > high) return 0;
    for (std::size_t i = 2; i < size; ++i)
        if ((in[i] & 0xC0) != 0x80) return 0;
    return size;
}

bool is_utf8(ByteView in) {
    while (!in.empty()) {
        const std::size_t size = code_point_size(in);
        if (size == 0) return false;
        in = in.subspan(size);
    }
    return true;
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
    const ByteView taken = TRY(take(kText));
    if (!is_utf8(taken)) {
        in_ = before;
        return corrupt();
    }
    return as_text(taken);
}

Result<bool> Reader::boolean() {
    if (in_.empty() || (in_[0] != kFalse && in_[0] != kTrue)) return corrupt();
    const bool value = in_[0] == kTrue;
    in_ = in_.subspan(1);
    return value;
}

}  // namespace hygie::cbor
