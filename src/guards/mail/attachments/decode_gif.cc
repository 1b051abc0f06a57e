#include <algorithm>
#include <array>

#include "guards/mail/attachments/scan.h"
#include "guards/mail/message/bytes_at.h"

namespace hygie::mail {
namespace {

// CompuServe, Graphics Interchange Format 89a.
constexpr std::size_t kCodes = 4096;
constexpr unsigned kCodeBitsMax = 12;
/// All pictures of an animation together: more than its letters or its code needs.
constexpr std::size_t kPixelsDrawnMax = 2 * kImagePixelsMax;

std::size_t byte_at(std::string_view bytes, std::size_t at) {
    return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0;
}

/// Blocks, each behind its length, until an empty one; `at` moves behind it.
std::string blocks(std::string_view bytes, std::size_t& at) {
    std::string out;
    while (at < bytes.size()) {
        const std::size_t size = byte_at(bytes, at++);
        if (size == 0) break;
        out += bytes.substr(std::min(at, bytes.size()), size);
        at += size;
    }
    return out;
}

/// Codes of growing length, lowest bits first.
class Codes {
  public:
    explicit Codes(std::string_view packed) : packed_(packed) {}
    /// False at the end.
    bool take(unsigned bits, unsigned& code) {
        for (; held_ < bits; held_ += 8) {
            if (at_ == packed_.size()) return false;
            bits_ |= static_cast<std::uint32_t>(byte_at(packed_, at_++)) << held_;
        }
        code = bits_ & ((1U << bits) - 1);
        bits_ >>= bits;
        held_ -= bits;
        return true;
    }

  private:
    std::string_view packed_;
    std::size_t at_ = 0;
    std::uint32_t bits_ = 0;
    unsigned held_ = 0;
};

/// What the codes stand for: a colour each, or a colour behind what another code stands for.
class Table {
  public:
    explicit Table(unsigned root_bits) : clear_(1U << root_bits), next_(clear_ + 2) {}
    void forget() { next_ = clear_ + 2; }
    bool knows(unsigned code) const { return code < next_ && code != clear_ && code != clear_ + 1; }
    bool may_learn() const { return next_ < kCodes; }
    unsigned size() const { return next_; }
    void learn(unsigned before, std::uint8_t colour) {
        before_[next_] = static_cast<std::uint16_t>(before);
        colour_[next_++] = colour;
    }
    std::uint8_t first(unsigned code) const {
        while (code > clear_) code = before_[code];
        return static_cast<std::uint8_t>(code);
    }
    void write(unsigned code, std::vector<std::uint8_t>& out) const {
        const std::size_t from = out.size();
        for (; code > clear_; code = before_[code]) out.push_back(colour_[code]);
        out.push_back(static_cast<std::uint8_t>(code));
        std::reverse(out.begin() + static_cast<std::ptrdiff_t>(from), out.end());
    }

  private:
    unsigned clear_;
    unsigned next_;
    std::array<std::uint16_t, kCodes> before_{};
    std::array<std::uint8_t, kCodes> colour_{};
};

/// At most `count` colours; fewer where the codes are broken.
std::vector<std::uint8_t> unpacked(std::string_view packed, unsigned root_bits, std::size_t count) {
    std::vector<std::uint8_t> out;
    if (root_bits < 1 || root_bits > 8) return out;
    const unsigned clear = 1U << root_bits;
    Codes codes(packed);
    Table table(root_bits);
    unsigned bits = root_bits + 1;
    unsigned before = clear;
    for (unsigned code = 0; out.size() < count && codes.take(bits, code) && code != clear + 1;) {
        if (code == clear) {
            table.forget();
            bits = root_bits + 1;
            before = clear;
            continue;
        }
        if (before != clear && table.may_learn()) {
            if (code > table.size()) break;
            table.learn(before, table.first(code == table.size() ? before : code));
        }
        if (!table.knows(code)) break;
        table.write(code, out);
        before = code;
        if (table.size() == 1U << bits && bits < kCodeBitsMax) ++bits;
    }
    out.resize(std::min(out.size(), count));
    return out;
}

/// How a reader's eye weighs red, green and blue.
std::uint8_t grey_of(std::string_view colours, std::size_t index) {
    return static_cast<std::uint8_t>((byte_at(colours, 3 * index) * 77 +
                                      byte_at(colours, 3 * index + 1) * 150 +
                                      byte_at(colours, 3 * index + 2) * 29) >>
                                     8U);
}

struct Frame {
    std::size_t x, y, width, height;
    std::size_t transparent;  ///< a colour that is not drawn, or none
    bool is_interlaced;
    std::string_view colours;
};

/// The row that comes `number`th in a picture whose rows come in four turns.
std::size_t row_of(const Frame& frame, std::size_t number) {
    if (!frame.is_interlaced) return number;
    static constexpr std::size_t kFirst[] = {0, 4, 2, 1};
    static constexpr std::size_t kStep[] = {8, 8, 4, 2};
    for (std::size_t turn = 0; turn < 4; ++turn) {
        const std::size_t rows =
            frame.height <= kFirst[turn]
                ? 0
                : (frame.height - kFirst[turn] + kStep[turn] - 1) / kStep[turn];
        if (number < rows) return kFirst[turn] + number * kStep[turn];
        number -= rows;
    }
    return 0;
}

void draw(const Frame& frame, const std::vector<std::uint8_t>& pixels, Grey& on) {
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        const std::size_t x = frame.x + i % frame.width;
        const std::size_t y = frame.y + row_of(frame, i / frame.width);
        if (pixels[i] == frame.transparent || x >= static_cast<std::size_t>(on.width) ||
            y >= static_cast<std::size_t>(on.height))
            continue;
        on.pixels[y * static_cast<std::size_t>(on.width) + x] = grey_of(frame.colours, pixels[i]);
    }
}

std::string_view colours_at(std::string_view bytes, std::size_t& at, std::size_t flags) {
    if ((flags & 0x80U) == 0) return {};
    const std::size_t size = std::size_t{6} << (flags & 7U);
    const std::string_view out = bytes.substr(std::min(at, bytes.size()), size);
    at += size;
    return out;
}

}  // namespace

Grey decode_gif(std::string_view bytes) {
    constexpr std::size_t kNone = 256;
    constexpr std::size_t kScreenBytes = 13;
    Grey now{.pixels = {}, .width = u16_at(bytes, 6), .height = u16_at(bytes, 8)};
    const std::size_t area =
        static_cast<std::size_t>(now.width) * static_cast<std::size_t>(now.height);
    if (bytes.size() < kScreenBytes || area == 0 || area > kImagePixelsMax) return {};
    now.pixels.assign(area, 0xff);
    std::size_t at = kScreenBytes;
    const std::string_view shared = colours_at(bytes, at, byte_at(bytes, 10));
    // Of an animation, the picture that stands longest is the one to read.
    Grey longest;
    std::size_t stands = 0;
    std::size_t delay = 0;
    std::size_t transparent = kNone;
    for (std::size_t drawn = 0; at < bytes.size() && drawn < kPixelsDrawnMax;) {
        const std::size_t kind = byte_at(bytes, at++);
        if (kind == 0x21) {
            const bool is_control = byte_at(bytes, at++) == 0xf9;
            const std::string control = blocks(bytes, at);
            if (!is_control || control.size() < 4) continue;
            delay = u16_at(control, 1);
            transparent = (byte_at(control, 0) & 1U) != 0 ? byte_at(control, 3) : kNone;
            continue;
        }
        if (kind != 0x2c) break;
        const std::size_t flags = byte_at(bytes, at + 8);
        Frame frame{.x = u16_at(bytes, at),
                    .y = u16_at(bytes, at + 2),
                    .width = u16_at(bytes, at + 4),
                    .height = u16_at(bytes, at + 6),
                    .transparent = transparent,
                    .is_interlaced = (flags & 0x40U) != 0,
                    .colours = {}};
        at += 9;
        const std::string_view own = colours_at(bytes, at, flags);
        frame.colours = own.empty() ? shared : own;
        const auto root_bits = static_cast<unsigned>(byte_at(bytes, at++));
        const std::string packed = blocks(bytes, at);
        const std::size_t count = frame.width * frame.height;
        if (count == 0 || count > kImagePixelsMax) break;
        drawn += area + count;
        draw(frame, unpacked(packed, root_bits, count), now);
        if (longest.width != 0 && delay <= stands) continue;
        longest = now;
        stands = delay;
    }
    return longest;
}

}  // namespace hygie::mail
