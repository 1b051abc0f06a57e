#include "guards/mail/message/uuencoded.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"

namespace hygie::mail {
namespace {

constexpr std::string_view kBegin = "begin ";
constexpr std::size_t kModeDigits = 3;

/// The line at `at`, without its end.
std::string_view line_at(std::string_view text, std::size_t at) {
    std::string_view line = text.substr(at, text.find('\n', at) - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::size_t after_line(std::string_view text, std::size_t at) {
    const std::size_t end = text.find('\n', at);
    return end == std::string_view::npos ? text.size() : end + 1;
}

/// The name that "begin 644 name" gives; empty for other lines.
std::string_view name_given(std::string_view line) {
    if (!line.starts_with(kBegin)) return {};
    const std::string_view rest = line.substr(kBegin.size());
    const std::size_t digits = rest.find_first_not_of("01234567");
    if (digits != kModeDigits && digits != kModeDigits + 1) return {};
    return rest[digits] == ' ' ? trim(rest.substr(digits)) : std::string_view{};
}

/// A line of data: its first character says how many bytes the rest holds. Blanks at the end may
/// have been lost on the way.
bool is_data(std::string_view line) {
    if (line.empty() || line[0] <= ' ' || line[0] > 'M') return false;
    const auto bytes = static_cast<std::size_t>(line[0] - ' ');
    const std::size_t full = 1 + (bytes + 2) / 3 * 4;
    const bool printable = std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '`'; });
    return printable && line.size() <= full + 1 && line.size() + 4 >= full;
}

std::string decoded(std::string_view lines) {
    GMimeEncoding state;
    g_mime_encoding_init_decode(&state, GMIME_CONTENT_ENCODING_UUENCODE);
    std::string out(g_mime_encoding_outlen(&state, lines.size()), '\0');
    out.resize(g_mime_encoding_step(&state, lines.data(), lines.size(), out.data()));
    return out;
}

/// Where the data that begin at `at` end, if there are any.
std::size_t end_of_data(std::string_view text, std::size_t at) {
    while (at < text.size() && is_data(line_at(text, at))) at = after_line(text, at);
    return at;
}

/// Past the line of no bytes and "end", which may be missing.
std::size_t after_end(std::string_view text, std::size_t at) {
    const std::string_view none = line_at(text, at);
    if (none == "`" || none == " " || none.empty()) at = after_line(text, at);
    return line_at(text, at) == "end" ? after_line(text, at) : at;
}

}  // namespace

std::vector<UuFile> take_uuencoded(std::string& text) {
    std::vector<UuFile> files;
    if (!text.starts_with(kBegin) && !contains(text, "\nbegin ")) return files;
    std::string kept;
    for (std::size_t at = 0; at < text.size();) {
        const bool room = files.size() < kAttachmentsMax;
        const std::string_view name = room ? name_given(line_at(text, at)) : std::string_view{};
        const std::size_t data = after_line(text, at);
        const std::size_t end = name.empty() ? data : end_of_data(text, data);
        if (end == data) {
            kept += std::string_view(text).substr(at, data - at);
            at = data;
            continue;
        }
        files.push_back(
            {clean_utf8(name), decoded(std::string_view(text).substr(data, end - data))});
        at = after_end(text, end);
    }
    text = std::move(kept);
    return files;
}

}  // namespace hygie::mail
