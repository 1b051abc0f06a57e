#include "base/escape.h"

#include <algorithm>
#include <array>

namespace hygie {
namespace {

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

constexpr auto kMustEscape = [] {
    std::array<bool, 256> must{};
    std::ranges::fill_n(must.begin(), 0x20, true);
    must['"'] = must['\\'] = true;
    return must;
}();

void append_escape(std::string& out, char c) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            out += "\\u00";
            out += kDigits[static_cast<unsigned char>(c) >> 4];
            out += kDigits[static_cast<unsigned char>(c) & 15];
    }
}

}  // namespace

std::string html_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += kDigits[byte >> 4U];
        out += kDigits[byte & 15U];
    }
    return out;
}

void append_json_string(std::string& out, std::string_view text) {
    const auto must_escape = [](char c) { return kMustEscape[static_cast<unsigned char>(c)]; };
    out += '"';
    for (;;) {
        const auto stop = std::ranges::find_if(text, must_escape);
        out.append(text.begin(), stop);
        if (stop == text.end()) break;
        append_escape(out, *stop);
        text = {stop + 1, text.end()};
    }
    out += '"';
}

}  // namespace hygie
