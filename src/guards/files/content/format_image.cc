#include <zlib.h>

#include <algorithm>

#include "guards/files/content/format_checks.h"

/// JPEG (ITU-T T.81 annex B), PNG (ISO 15948 §5) and GIF89a, block by block.
namespace hygie::files {
namespace {

constexpr std::uint8_t kStartOfImage = 0xD8;
constexpr std::uint8_t kEndOfImage = 0xD9;
constexpr std::uint8_t kStartOfScan = 0xDA;

constexpr std::size_t kPngSignatureBytes = 8;
constexpr std::size_t kPngFrameBytes = 12;  ///< length, kind and checksum of a chunk
/// The signature, and the chunks IHDR and IEND.
constexpr std::size_t kPngHeadBytes = kPngSignatureBytes + 25 + 12;

bool is_restart(std::uint8_t marker) {
    return marker >= 0xD0 && marker <= 0xD7;
}

/// Inside the entropy-coded data every 0xFF is followed by 0x00 or a restart: the end of it is the
/// next real marker. Random bytes hold a wrong one every 260 bytes.
std::size_t end_of_scan(ByteView whole, std::size_t at) {
    for (; at + 1 < whole.size(); ++at)
        if (whole[at] == 0xFF && whole[at + 1] != 0x00 && whole[at + 1] != 0xFF &&
            !is_restart(whole[at + 1]))
            break;
    return at;
}

/// Markers that may stand between the scans of one image, or end it.
bool may_follow_scan(std::uint8_t marker) {
    return marker == kEndOfImage || marker == kStartOfScan || marker == 0xC4 || marker == 0xDB ||
           marker == 0xDC || marker == 0xDD || marker == 0xFE || (marker & 0xF0) == 0xE0;
}

bool is_segment(std::uint8_t marker) {
    return marker >= 0xC0 && marker != 0xFF && !is_restart(marker) && marker != kStartOfImage;
}

std::size_t gif_blocks(ByteView whole, std::size_t at) {
    while (at < whole.size() && whole[at] != 0) at += whole[at] + 1U;
    return at + 1;
}

std::size_t gif_colours(std::uint8_t flags) {
    return (flags & 0x80) != 0 ? 3U << ((flags & 7) + 1) : 0;
}

}  // namespace

Soundness check_jpeg(ByteView whole) {
    std::size_t at = 2;
    bool scanned = false;
    while (at + 4 <= whole.size()) {
        if (whole[at] != 0xFF) return Soundness::Broken;
        const std::uint8_t marker = whole[at + 1];
        if (marker == 0xFF) {
            ++at;
            continue;
        }
        if (marker == kEndOfImage) return scanned ? Soundness::Sound : Soundness::Broken;
        if (!is_segment(marker) || (scanned && !may_follow_scan(marker))) return Soundness::Broken;
        const std::size_t length = load_be<std::uint16_t>(&whole[at + 2]);
        if (length < 2 || whole.size() - at - 2 < length) return Soundness::Broken;
        at += 2 + length;
        if (marker == kStartOfScan) {
            at = end_of_scan(whole, at);
            scanned = true;
        }
    }
    const bool ended = at + 2 <= whole.size() && whole[at] == 0xFF && whole[at + 1] == kEndOfImage;
    return ended && scanned ? Soundness::Sound : Soundness::Broken;
}

Soundness check_png(ByteView whole) {
    std::size_t at = 8;
    while (whole.size() - std::min(whole.size(), at) >= 12) {
        const std::size_t length = load_be<std::uint32_t>(&whole[at]);
        if (whole.size() - at - 12 < length) return Soundness::Broken;
        const auto crc = load_be<std::uint32_t>(&whole[at + 8 + length]);
        if (crc32_z(0, &whole[at + 4], length + 4) != crc) return Soundness::Broken;
        if (as_text(whole.subspan(at + 4, 4)) == "IEND") return Soundness::Sound;
        at += 12 + length;
    }
    return Soundness::Broken;
}

std::size_t vouched_in_png(ByteView whole) {
    if (check_png(whole) != Soundness::Sound) return 0;
    Bytes pixels;
    std::size_t frames = kPngHeadBytes;
    for (std::size_t at = kPngSignatureBytes; whole.size() - at >= kPngFrameBytes;) {
        const std::size_t length = load_be<std::uint32_t>(&whole[at]);
        const std::string_view kind = as_text(whole.subspan(at + 4, 4));
        if (kind == "IEND") break;
        if (kind == "IDAT") {
            append(pixels, whole.subspan(at + 8, length));
            frames += kPngFrameBytes;
        }
        at += kPngFrameBytes + length;
    }
    std::size_t budget = kInflatedBytesMax;
    const Inflated inflated = inflate_check(pixels, Wrapper::Zlib, budget);
    const bool compress = inflated.size * 10 > pixels.size() * 11;
    const bool right = inflated.ok && inflated.consumed == pixels.size();
    return right && compress ? pixels.size() + frames : 0;
}

Soundness check_gif(ByteView whole) {
    if (whole.size() < 14) return Soundness::Broken;
    std::size_t at = 13 + gif_colours(whole[10]);
    while (at < whole.size()) {
        if (whole[at] == 0x3B) return Soundness::Sound;
        if (whole[at] == 0x21) {
            at = gif_blocks(whole, at + 2);
        } else if (whole[at] == 0x2C && whole.size() - at > 10) {
            at = gif_blocks(whole, at + 11 + gif_colours(whole[at + 9]));
        } else {
            return Soundness::Broken;
        }
    }
    return Soundness::Broken;
}

}  // namespace hygie::files
