#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

/// How the files of the model spell their numbers: little end first, seven bits a byte, shortest
/// form only, so that what is accepted is spelled again to the same bytes.
namespace hygie::mail {

inline void put_number(Bytes& to, std::uint64_t value) {
    while (value >= 0x80) {
        to.push_back(static_cast<std::uint8_t>(value | 0x80));
        value >>= 7;
    }
    to.push_back(static_cast<std::uint8_t>(value));
}

inline void put_float(Bytes& to, float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8)
        to.push_back(static_cast<std::uint8_t>(bits >> shift));
}

inline void put_text(Bytes& to, std::string_view text) {
    put_number(to, text.size());
    to.insert(to.end(), text.begin(), text.end());
}

/// Reads from the front; `bad` once anything was missing or not canonical.
class ByteReader {
  public:
    explicit ByteReader(ByteView bytes) : left_(bytes) {}
    bool bad = false;

    std::uint8_t byte() {
        if (left_.empty()) {
            bad = true;
            return 0;
        }
        const std::uint8_t value = left_.front();
        left_ = left_.subspan(1);
        return value;
    }
    std::uint64_t number(std::uint64_t max) {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 35; shift += 7) {
            const std::uint8_t next = byte();
            value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
            if (next >= 0x80) continue;
            if (value > max || (next == 0 && shift > 0)) bad = true;
            return bad ? 0 : value;
        }
        bad = true;
        return 0;
    }
    float real() {
        std::uint32_t bits = 0;
        for (int shift = 0; shift < 32; shift += 8)
            bits |= static_cast<std::uint32_t>(byte()) << shift;
        const auto value = std::bit_cast<float>(bits);
        if (!(value > -1e6F && value < 1e6F)) bad = true;
        return value;
    }
    std::string text(std::size_t max) {
        const std::size_t size = number(max);
        if (size > left_.size()) bad = true;
        if (bad) return {};
        std::string out(left_.begin(), left_.begin() + static_cast<std::ptrdiff_t>(size));
        left_ = left_.subspan(size);
        return out;
    }
    bool at_end() const { return left_.empty(); }

  private:
    ByteView left_;
};

}  // namespace hygie::mail
