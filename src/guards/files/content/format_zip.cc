#include <zlib.h>

#include <algorithm>
#include <array>

#include "guards/files/content/format_checks.h"

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

/// What one entry of the directory says of the bytes it stands for.
struct Entry {
    bool sound = false;
    bool checked = false;  ///< its content was read to its end, and is what the checksum says
    std::size_t start = 0;
    std::size_t end = 0;
    std::size_t packed = 0;
    std::size_t frame = 0;  ///< bytes around the content, here and in the directory
};

/// The entry whose directory record starts at `at`: is its content what the checksum says?
Entry read_entry(ByteView whole, std::size_t at, std::size_t& budget) {
    const auto flags = little<std::uint16_t>(whole, at + 8);
    const auto method = little<std::uint16_t>(whole, at + 10);
    const auto crc = little<std::uint32_t>(whole, at + 16);
    const std::size_t packed = little<std::uint32_t>(whole, at + 20);
    const std::size_t local = little<std::uint32_t>(whole, at + 42);
    if (local > whole.size() || whole.size() - local < kLocalBytes ||
        little<std::uint32_t>(whole, local) != kLocal)
        return {};
    const std::size_t data = local + kLocalBytes + little<std::uint16_t>(whole, local + 26) +
                             little<std::uint16_t>(whole, local + 28);
    if (data > whole.size() || whole.size() - data < packed) return {};
    constexpr std::uint16_t kEncrypted = 1;
    if ((flags & kEncrypted) != 0 || budget == 0) return {.sound = true};
    const ByteView body = whole.subspan(data, packed);
    bool right = false;
    bool filled = true;
    if (method == 0) {
        right = crc32_z(0, body.data(), body.size()) == crc;
    } else if (method == Z_DEFLATED) {
        const Inflated inflated = inflate_check(body, Wrapper::Raw, budget);
        if (budget == 0) return {.sound = true};
        right = inflated.ok && inflated.crc == crc;
        filled = inflated.consumed == packed;
    } else {
        return {.sound = true};
    }
    return {right, right && filled, local, data + packed, packed, data - local + kCentralBytes};
}

/// What lies between the contents is bounded: names and fields are no place to hide bytes in.
constexpr std::size_t kFrameBytesMax = 256;

struct Walk {
    Soundness soundness = Soundness::Broken;
    std::size_t vouched = kEndBytes;  ///< bytes that checksums stand for, none counted twice
};

Walk walk(ByteView whole) {
    const Directory directory = find_directory(whole);
    if (!directory.found) return {};
    Walk walked;
    std::size_t budget = kInflatedBytesMax;
    std::size_t at = directory.offset;
    std::size_t end = 0;
    for (std::size_t i = 0; i < std::min(directory.entries, kEntriesChecked); ++i) {
        if (at > whole.size() || whole.size() - at < kCentralBytes ||
            little<std::uint32_t>(whole, at) != kCentral)
            return {};
        const Entry entry = read_entry(whole, at, budget);
        if (!entry.sound) return {};
        if (entry.checked && entry.start >= end) {
            const std::size_t frame = entry.frame + little<std::uint16_t>(whole, at + 28);
            walked.vouched += entry.packed + std::min(frame, kFrameBytesMax);
            end = entry.end;
        }
        at += kCentralBytes + little<std::uint16_t>(whole, at + 28) +
              little<std::uint16_t>(whole, at + 30) + little<std::uint16_t>(whole, at + 32);
    }
    walked.soundness = Soundness::Sound;
    return walked;
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
    return walk(whole).soundness;
}

std::size_t vouched_in_zip(ByteView whole) {
    return walk(whole).vouched;
}

}  // namespace hygie::files
