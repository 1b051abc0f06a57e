#include "serve/forms.h"

#include <algorithm>
#include <optional>

#include "base/escape.h"
#include "base/text.h"

namespace hygie::serve {
namespace {

std::unexpected<Error> bad_form() {
    return fail(Code::BadInput, {"formulaire illisible", "unreadable form"},
                {"envoyez application/x-www-form-urlencoded, chaque champ une fois",
                 "send application/x-www-form-urlencoded, each field once"});
}

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

Result<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i] == '+' ? ' ' : text[i];
        if (c == '%') {
            if (i + 2 >= text.size()) return bad_form();
            const auto high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
            if (!high || !low) return bad_form();
            c = static_cast<char>(*high << 4 | *low);
            i += 2;
        }
        if (c == '\0') return bad_form();
        out += c;
    }
    if (!is_utf8(out)) return bad_form();
    return out;
}

}  // namespace

Result<Form> parse_form(std::string_view text) {
    if (text.size() > kFormBytesMax) return bad_form();
    Form form;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('&'), text.size());
        const std::string_view pair = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (pair.empty()) continue;
        const std::size_t equal = std::min(pair.find('='), pair.size());
        std::string name = TRY(decoded(pair.substr(0, equal)));
        std::string value = TRY(decoded(pair.substr(std::min(equal + 1, pair.size()))));
        const bool fresh = form.emplace(std::move(name), std::move(value)).second;
        if (!fresh || form.size() > kFormFieldsMax) return bad_form();
    }
    return form;
}

std::string spell_form(const Form& form) {
    std::string text;
    for (const auto& [name, value] : form)
        text += (text.empty() ? "" : "&") + percent_encoded(name) + "=" + percent_encoded(value);
    return text;
}

std::string_view field(const Form& form, std::string_view name) {
    const auto found = form.find(name);
    return found == form.end() ? std::string_view() : found->second;
}

std::string_view cookie(const Request& request, std::string_view name) {
    std::string_view rest = request.header("cookie");
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(';'), rest.size());
        std::string_view pair = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        while (pair.starts_with(' ')) pair.remove_prefix(1);
        const std::size_t equal = pair.find('=');
        if (equal != std::string_view::npos && pair.substr(0, equal) == name)
            return pair.substr(equal + 1);
    }
    return {};
}

}  // namespace hygie::serve
