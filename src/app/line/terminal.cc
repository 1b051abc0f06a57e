#include "app/line/terminal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace hygie::app {
namespace {

constexpr std::string_view kEraseLine = "\r\x1b[K";  ///< progress.cc
/// That, the ends of lines of letters, the colours of a QR code (qr.cc).
constexpr std::array<std::string_view, 4> kOurs = {kEraseLine, "\r\n", "\x1b[30;107m", "\x1b[0m"};

unsigned byte(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text[at]);
}

/// What is known of the first bytes: that more are needed, or how many go together, and whether
/// they may pass.
struct Seen {
    std::size_t bytes = 0;  ///< 0: more are needed
    bool passes = true;
};

/// U+0080–U+009F, controls as well; U+200E, U+200F, U+202A–U+202E, U+2066–U+2069, which turn text.
Seen look_beyond_ascii(std::string_view text) {
    const unsigned first = byte(text, 0);
    if (first != 0xC2 && first != 0xE2) return {1, true};
    if (text.size() < 2) return {};
    const unsigned second = byte(text, 1);
    if (first == 0xC2) {
        const bool is_control = second >= 0x80 && second < 0xA0;
        return is_control ? Seen{2, false} : Seen{1, true};
    }
    if (second != 0x80 && second != 0x81) return {1, true};
    if (text.size() < 3) return {};
    const unsigned third = byte(text, 2);
    const bool turns = second == 0x80
                           ? third == 0x8E || third == 0x8F || (third >= 0xAA && third <= 0xAE)
                           : third >= 0xA6 && third <= 0xA9;
    return turns ? Seen{3, false} : Seen{1, true};
}

Seen look(std::string_view text) {
    for (const std::string_view ours : kOurs)
        if (ours.starts_with(text.substr(0, ours.size())))
            return text.size() < ours.size() ? Seen{} : Seen{ours.size(), true};
    const unsigned first = byte(text, 0);
    if (first >= 0x80) return look_beyond_ascii(text);
    const bool is_control = (first < 0x20 && first != '\n' && first != '\t') || first == 0x7F;
    return {1, !is_control};
}

}  // namespace

TerminalText::TerminalText(std::ostream& stream, bool is_terminal)
    : stream_(stream), terminal_(is_terminal ? stream.rdbuf() : nullptr) {
    if (terminal_ != nullptr) stream_.rdbuf(this);
}

TerminalText::~TerminalText() {
    if (terminal_ == nullptr) return;
    for (const char c : held_)
        for (const char shown : fmt::format("\\x{:02x}", static_cast<unsigned char>(c)))
            terminal_->sputc(shown);
    terminal_->pubsync();
    stream_.rdbuf(terminal_);
}

/// Where in its line the stream is after these bytes. False when they would erase what is no
/// progress: a name within a line must not hide what stands before it.
bool TerminalText::follow(std::string_view bytes) {
    if (bytes == kEraseLine) {
        if (line_ == Line::Text) return false;
        line_ = Line::Progress;
    } else if (bytes.ends_with('\n')) {
        line_ = Line::Empty;
    } else if (line_ == Line::Empty) {
        line_ = Line::Text;
    }
    return true;
}

void TerminalText::take(char c) {
    held_ += c;
    while (!held_.empty()) {
        const Seen seen = look(held_);
        if (seen.bytes == 0) return;
        const std::string_view whole(held_.data(), seen.bytes);
        const bool passes = seen.passes && follow(whole);
        for (const char one : whole) {
            if (passes) {
                terminal_->sputc(one);
                continue;
            }
            for (const char shown : fmt::format("\\x{:02x}", static_cast<unsigned char>(one)))
                terminal_->sputc(shown);
        }
        held_.erase(0, seen.bytes);
    }
}

TerminalText::int_type TerminalText::overflow(int_type c) {
    if (!traits_type::eq_int_type(c, traits_type::eof())) take(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
}

std::streamsize TerminalText::xsputn(const char* text, std::streamsize size) {
    for (std::streamsize i = 0; i < size; ++i) take(text[i]);
    return size;
}

int TerminalText::sync() {
    return terminal_->pubsync();
}

}  // namespace hygie::app
