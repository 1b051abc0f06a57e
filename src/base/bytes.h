#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hygie {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// The bytes of a string, without copying.
inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The bytes seen as a string, without copying; no meaning is given to them.
inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes to_bytes(ByteView view) {
    return {view.begin(), view.end()};
}

inline void append(Bytes& out, ByteView more) {
    out.insert(out.end(), more.begin(), more.end());
}

/// Lower-case hexadecimal.
std::string to_hex(ByteView bytes);
/// Accepts lower- and upper-case digits, even length only.
Result<Bytes> from_hex(std::string_view text);

/// Standard base64 with padding (RFC 4648 §4).
std::string to_base64(ByteView bytes);
/// Strict: padding required, no white space, unused bits zero, so that every value has one
/// spelling.
Result<Bytes> from_base64(std::string_view text);

/// Compares secrets without telling where they differ. False when the sizes differ.
bool equal_constant_time(ByteView left, ByteView right);

template <typename Int>
void store_be(std::uint8_t* out, Int value) {
    for (std::size_t i = 0; i < sizeof(Int); ++i)
        out[i] = static_cast<std::uint8_t>(value >> (8 * (sizeof(Int) - 1 - i)));
}

template <typename Int>
Int load_be(const std::uint8_t* in) {
    Int value = 0;
    for (std::size_t i = 0; i < sizeof(Int); ++i) value = static_cast<Int>((value << 8) | in[i]);
    return value;
}

}  // namespace hygie
