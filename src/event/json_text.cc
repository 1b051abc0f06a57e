#include "event/json_text.h"

#include <algorithm>
#include <array>

namespace hygie::event {

namespace {

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

}  // namespace hygie::event
