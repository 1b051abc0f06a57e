#include "event/clean_text.h"

namespace hygie::event {

std::string clean_text(std::string_view text) {
    constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const char c = text[0];
        const bool control =
            static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
        const bool noncharacter =
            text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF");
        if (control || noncharacter)
            out += kReplacement;
        else
            out += c;
        text.remove_prefix(noncharacter ? 3 : 1);
    }
    return out;
}

}  // namespace hygie::event
