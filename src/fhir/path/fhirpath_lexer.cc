#include "fhir/path/fhirpath_lexer.h"

#include <fmt/format.h>

#include <utility>

#include "base/ascii.h"

namespace hygie::fhir {
namespace {

bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
void append_utf8(char32_t code, std::string& out) {
    const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | code >> 6);
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3F));
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

}  // namespace

std::unexpected<Error> path_error(std::string fr, std::string en, std::size_t position) {
    return fail(Code::BadInput,
                {fmt::format("FHIRPath, position {} : {}", position + 1, fr),
                 fmt::format("FHIRPath, position {}: {}", position + 1, en)},
                {"Corrigez l'expression.", "Correct the expression."});
}

char PathLexer::peek(std::size_t ahead) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
}

Status PathLexer::skip_blanks() {
    while (!at_end()) {
        if (is_blank(peek())) {
            ++position_;
        } else if (peek() == '/' && peek(1) == '/') {
            position_ = std::min(text_.find('\n', position_), text_.size());
        } else if (peek() == '/' && peek(1) == '*') {
            const auto end = text_.find("*/", position_ + 2);
            if (end == std::string_view::npos) {
                return path_error("commentaire sans fin", "a comment without end", position_);
            }
            position_ = end + 2;
        } else {
            break;
        }
    }
    return {};
}

Result<char32_t> PathLexer::hex_unit() {
    char32_t code = 0;
    for (int i = 0; i < 4; ++i, ++position_) {
        const char c = peek();
        char32_t digit = 0;
        if (is_digit(c)) {
            digit = static_cast<char32_t>(c - '0');
        } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
            digit = static_cast<char32_t>((c | 0x20) - 'a' + 10);
        } else {
            return path_error("quatre chiffres hexadécimaux attendus après \\u",
                              "four hexadecimal digits expected behind \\u", position_);
        }
        code = code << 4 | digit;
    }
    return code;
}

/// What stands behind a backslash.
Status PathLexer::escape(std::string& out) {
    const char c = peek();
    ++position_;
    switch (c) {
        case 'f':
            out += '\f';
            return {};
        case 'n':
            out += '\n';
            return {};
        case 'r':
            out += '\r';
            return {};
        case 't':
            out += '\t';
            return {};
        case '`':
        case '\'':
        case '"':
        case '\\':
        case '/':
            out += c;
            return {};
        case 'u':
            break;
        default:
            return path_error("échappement inconnu", "an unknown escape", position_ - 1);
    }
    auto code = TRY(hex_unit());
    if (code >= 0xD800 && code < 0xDC00 && peek() == '\\' && peek(1) == 'u') {
        position_ += 2;
        const auto low = TRY(hex_unit());
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        if (low < 0xDC00 || low > 0xDFFF) code = 0xD800;
    }
    if (code >= 0xD800 && code < 0xE000) {
        return path_error("demi-caractère", "half a character", position_);
    }
    append_utf8(code, out);
    return {};
}

Result<std::string> PathLexer::quoted(char quote) {
    const auto start = position_++;
    std::string out;
    while (!at_end() && peek() != quote) {
        const char c = text_[position_++];
        if (c == '\\') {
            TRY_STATUS(escape(out));
        } else {
            out += c;
        }
    }
    if (at_end()) return path_error("texte sans fin", "a text without end", start);
    ++position_;
    return out;
}

void PathLexer::digits_and(std::string_view also, std::string& out) {
    while (!at_end() && (is_digit(peek()) || also.contains(peek()))) out += text_[position_++];
}

/// Behind "@": the shape alone; whether the date exists is for the parser to see.
Result<PathToken> PathLexer::temporal() {
    PathToken token{PathToken::Kind::Date, {}, position_++};
    if (peek() != 'T') digits_and("-", token.text);
    if (peek() != 'T') return token;
    token.kind = token.text.empty() ? PathToken::Kind::Time : PathToken::Kind::DateTime;
    if (token.kind == PathToken::Kind::DateTime) token.text += 'T';
    ++position_;
    digits_and(":", token.text);
    if (peek() == '.' && is_digit(peek(1))) {
        token.text += text_[position_++];
        digits_and("", token.text);
    }
    if (token.kind == PathToken::Kind::Time || token.text.ends_with('T')) return token;
    if (peek() == 'Z') {
        token.text += text_[position_++];
    } else if ((peek() == '+' || peek() == '-') && is_digit(peek(1)) && is_digit(peek(2)) &&
               peek(3) == ':') {
        token.text += text_[position_++];
        digits_and(":", token.text);
    }
    return token;
}

std::string PathLexer::word() {
    std::string out;
    while (!at_end() && (is_name_start(peek()) || is_digit(peek()))) out += text_[position_++];
    return out;
}

Result<PathToken> PathLexer::next() {
    using Kind = PathToken::Kind;
    TRY_STATUS(skip_blanks());
    const auto start = position_;
    if (at_end()) return PathToken{Kind::End, {}, start};
    const char c = peek();
    if (c == '\'' || c == '`') {
        std::string text = TRY(quoted(c));
        return PathToken{c == '`' ? Kind::Quoted : Kind::String, std::move(text), start};
    }
    if (c == '@') return temporal();
    if (is_name_start(c)) return PathToken{Kind::Name, word(), start};
    if (is_digit(c)) {
        PathToken token{Kind::Number, {}, start};
        digits_and("", token.text);
        if (peek() == '.' && is_digit(peek(1))) {
            token.text += text_[position_++];
            digits_and("", token.text);
        }
        return token;
    }
    if (c == '$' || c == '%') {
        ++position_;
        const auto kind = c == '$' ? Kind::Special : Kind::External;
        const char quote = peek();
        const bool quotes = c == '%' && (quote == '`' || quote == '\'' || quote == '"');
        auto name = quotes ? TRY(quoted(quote)) : word();
        if (name.empty()) return path_error("nom attendu", "a name expected", position_);
        return PathToken{kind, std::move(name), start};
    }
    for (const std::string_view two : {"<=", ">=", "!=", "!~"}) {
        if (text_.substr(position_).starts_with(two)) {
            position_ += 2;
            return PathToken{Kind::Symbol, std::string(two), start};
        }
    }
    if (!std::string_view("+-*/&|<>=~.,()[]{}").contains(c)) {
        return path_error("signe inattendu", "an unexpected sign", start);
    }
    ++position_;
    return PathToken{Kind::Symbol, std::string(1, c), start};
}

}  // namespace hygie::fhir
