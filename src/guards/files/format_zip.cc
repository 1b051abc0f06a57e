#include <zlib.h>

#include <algorithm>
#include <array>

#include "guards/files/format_checks.h"

/// Office Open XML, OpenDocument and plain ZIP archives: APPNOTE.TXT 6.3.
namespace hygie::files {
namespace {

constexpr std::uint32_t kLocal = 0x04034B50;
constexpr std::uint32_t kCentral = 0x02014B50;
constexpr std::uint32_t kEnd = 0x06054B50;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kCommentBytesMax = 65'535;
constexpr std::size_t kEntriesChecked = 4096;

template <typename Int>
Int little(ByteView bytes, std::size_t at) {
    Int value = 0;
    for (std::size_t i = 0; i < sizeof(Int); ++i)
        value |= static_cast<Int>(static_cast<Int>(bytes[at + i]) << (8 * i));
    return value;
}

struct Directory {
    std::size_t offset = 0;
    std::size_t entries = 0;
    bool found = false;
};

Directory find_directory(ByteView whole) {
    if (whole.size() < kEndBytes) return {};
    const std::size_t lowest = whole.size() - std::min(whole.size(), kEndBytes + kCommentBytesMax);
    for (std::size_t at = whole.size() - kEndBytes + 1; at-- > lowest;)
        if (little<std::uint32_t>(whole, at) == kEnd)
            return {little<std::uint32_t>(whole, at + 16), little<std::uint16_t>(whole, at + 10),
                    true};
    return {};
}

/// The entry whose directory record starts at `at`: is its content what the checksum says?
bool entry_is_sound(ByteView whole, std::size_t at, std::size_t& budget) {
    const auto flags = little<std::uint16_t>(whole, at + 8);
    const auto method = little<std::uint16_t>(whole, at + 10);
    const auto crc = little<std::uint32_t>(whole, at + 16);
    const std::size_t packed = little<std::uint32_t>(whole, at + 20);
    const std::size_t local = little<std::uint32_t>(whole, at + 42);
    if (local > whole.size() || whole.size() - local < kLocalBytes ||
        little<std::uint32_t>(whole, local) != kLocal)
        return false;
    const std::size_t data = local + kLocalBytes + little<std::uint16_t>(whole, local + 26) +
                             little<std::uint16_t>(whole, local + 28);
    if (data > whole.size() || whole.size() - data < packed) return false;
    constexpr std::uint16_t kEncrypted = 1;
    if ((flags & kEncrypted) != 0 || budget == 0) return true;
    const ByteView body = whole.subspan(data, packed);
    if (method == 0) return crc32_z(0, body.data(), body.size()) == crc;
    if (method != Z_DEFLATED) return true;
    const Inflated inflated = inflate_check(body, Wrapper::Raw, budget);
    return budget == 0 || (inflated.ok && inflated.crc == crc);
}

}  // namespace

Inflated inflate_check(ByteView packed, Wrapper wrapper, std::size_t& budget) {
    z_stream stream{};
    if (inflateInit2(&stream, wrapper == Wrapper::Raw ? -MAX_WBITS : MAX_WBITS) != Z_OK) return {};
    stream.next_in = const_cast<Bytef*>(packed.data());  // zlib never writes there
    stream.avail_in = static_cast<uInt>(std::min<std::size_t>(packed.size(), UINT32_MAX));
    std::array<std::uint8_t, 32 << 10> out;
    Inflated result;
    int state = Z_OK;
    while (state == Z_OK && budget > 0) {
        stream.next_out = out.data();
        stream.avail_out = out.size();
        state = inflate(&stream, Z_NO_FLUSH);
        const std::size_t made = out.size() - stream.avail_out;
        result.crc = static_cast<std::uint32_t>(crc32_z(result.crc, out.data(), made));
        result.size += made;
        budget -= std::min(budget, made);
    }
    result.ok = state == Z_STREAM_END;
    result.consumed = stream.total_in;
    inflateEnd(&stream);
    return result;
}

Soundness check_zip(ByteView whole) {
    const Directory directory = find_directory(whole);
    if (!directory.found) return Soundness::Broken;
    std::size_t budget = kInflatedBytesMax;
    std::size_t at = directory.offset;
    for (std::size_t i = 0; i < std::min(directory.entries, kEntriesChecked); ++i) {
        if (at > whole.size() || whole.size() - at < kCentralBytes ||
            little<std::uint32_t>(whole, at) != kCentral)
            return Soundness::Broken;
        if (!entry_is_sound(whole, at, budget)) return Soundness::Broken;
        at += kCentralBytes + little<std::uint16_t>(whole, at + 28) +
              little<std::uint16_t>(whole, at + 30) + little<std::uint16_t>(whole, at + 32);
    }
    return Soundness::Sound;
}

}  // namespace hygie::files
