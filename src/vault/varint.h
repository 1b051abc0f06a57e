#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace hygie::vault {

/// Unsigned LEB128: seven bits a byte, lowest first.
inline void put_varint(Bytes& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
    out.push_back(static_cast<std::uint8_t>(value));
}
inline void put_text(Bytes& out, std::string_view text) {
    put_varint(out, text.size());
    append(out, as_bytes(text));
}

/// Reads what the above wrote. Once something is missing, all that follows is empty and ok() is
/// false.
class VarintReader {
  public:
    explicit VarintReader(ByteView bytes) : rest_(bytes) {}

    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
            const std::uint8_t byte = rest_.front();
            rest_ = rest_.subspan(1);
            value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
            if (byte < 0x80) return value;
        }
        ok_ = false;
        return 0;
    }
    ByteView bytes(std::uint64_t count) {
        ok_ = ok_ && count <= rest_.size();
        if (!ok_) return {};
        const ByteView taken = rest_.first(static_cast<std::size_t>(count));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }
    std::string_view text() { return as_text(bytes(number())); }
    ByteView rest() const { return rest_; }
    bool ok() const { return ok_; }

  private:
    ByteView rest_;
    bool ok_ = true;
};

}  // namespace hygie::vault
