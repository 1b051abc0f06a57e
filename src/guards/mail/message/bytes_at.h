#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hygie::mail {

/// Little-endian numbers of hostile bytes: what lies outside is zero.
template <typename Int>
Int little_at(std::string_view bytes, std::size_t at) {
    if (at > bytes.size() || bytes.size() - at < sizeof(Int)) return 0;
    Int value = 0;
    for (std::size_t i = 0; i < sizeof(Int); ++i)
        value = static_cast<Int>(
            value | static_cast<Int>(static_cast<Int>(static_cast<unsigned char>(bytes[at + i]))
                                     << (8 * i)));
    return value;
}
inline std::uint16_t u16_at(std::string_view bytes, std::size_t at) {
    return little_at<std::uint16_t>(bytes, at);
}
inline std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
    return little_at<std::uint32_t>(bytes, at);
}
inline std::uint64_t u64_at(std::string_view bytes, std::size_t at) {
    return little_at<std::uint64_t>(bytes, at);
}
/// A part of the bytes, cut where they end.
inline std::string_view part_of(std::string_view bytes, std::size_t at, std::size_t size) {
    return at >= bytes.size() ? std::string_view{} : bytes.substr(at, size);
}

}  // namespace hygie::mail
