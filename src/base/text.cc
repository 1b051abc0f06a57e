#include "base/text.h"

#include <cstdint>
#include <cstring>

namespace hygie {

namespace {

/// Size of the code point that starts here (RFC 3629 §4); 0 when none does.
std::size_t code_point_size(std::string_view in) {
    const auto byte = [in](std::size_t i) { return static_cast<std::uint8_t>(in[i]); };
    const std::uint8_t lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (in.size() < size) return 0;
    // Only the second byte has a narrower range, after these four lead bytes.
    const std::uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < low || byte(1) > high) return 0;
    for (std::size_t i = 2; i < size; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    return size;
}

/// How many bytes at the front are surely ASCII: counted eight at a time, then one at a time.
std::size_t ascii_prefix(std::string_view in) {
    std::size_t at = 0;
    for (std::uint64_t eight; at + sizeof eight <= in.size(); at += sizeof eight) {
        std::memcpy(&eight, in.data() + at, sizeof eight);
        if ((eight & 0x8080'8080'8080'8080) != 0) break;
    }
    while (at < in.size() && static_cast<std::uint8_t>(in[at]) < 0x80) ++at;
    return at;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
    while (!bytes.empty()) {
        bytes.remove_prefix(ascii_prefix(bytes));
        if (bytes.empty()) return true;
        const std::size_t size = code_point_size(bytes);
        if (size == 0) return false;
        bytes.remove_prefix(size);
    }
    return true;
}

}  // namespace hygie
