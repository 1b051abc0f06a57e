#include <unicode/utf8.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/html.h"
#include "guards/mail/message/limits.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kAttributesMax = 64;
constexpr std::size_t kAttributeBytesMax = 256U << 10;

struct Entity {
    std::string_view name;
    std::uint32_t code;
};
/// The entities that mail uses: Latin, typography, and those that hide a character of an address.
constexpr std::array kEntities = std::to_array<Entity>({
    {"AElig", 0xC6},   {"Aacute", 0xC1},   {"Acirc", 0xC2},    {"Agrave", 0xC0},
    {"Aring", 0xC5},   {"Atilde", 0xC3},   {"Auml", 0xC4},     {"Ccedil", 0xC7},
    {"Eacute", 0xC9},  {"Ecirc", 0xCA},    {"Egrave", 0xC8},   {"Euml", 0xCB},
    {"Iacute", 0xCD},  {"Icirc", 0xCE},    {"NewLine", 0x0A},  {"Ntilde", 0xD1},
    {"OElig", 0x152},  {"Oacute", 0xD3},   {"Ocirc", 0xD4},    {"Oslash", 0xD8},
    {"Otilde", 0xD5},  {"Ouml", 0xD6},     {"Tab", 0x09},      {"Uacute", 0xDA},
    {"Uuml", 0xDC},    {"aacute", 0xE1},   {"acirc", 0xE2},    {"acute", 0xB4},
    {"aelig", 0xE6},   {"agrave", 0xE0},   {"amp", '&'},       {"apos", '\''},
    {"aring", 0xE5},   {"ast", '*'},       {"atilde", 0xE3},   {"auml", 0xE4},
    {"bsol", '\\'},    {"bull", 0x2022},   {"ccedil", 0xE7},   {"cent", 0xA2},
    {"colon", ':'},    {"comma", ','},     {"commat", '@'},    {"copy", 0xA9},
    {"darr", 0x2193},  {"deg", 0xB0},      {"dollar", '$'},    {"eacute", 0xE9},
    {"ecirc", 0xEA},   {"egrave", 0xE8},   {"emsp", 0x2003},   {"ensp", 0x2002},
    {"equals", '='},   {"euml", 0xEB},     {"euro", 0x20AC},   {"excl", '!'},
    {"gt", '>'},       {"hellip", 0x2026}, {"hyphen", 0x2010}, {"iacute", 0xED},
    {"icirc", 0xEE},   {"iexcl", 0xA1},    {"igrave", 0xEC},   {"iquest", 0xBF},
    {"iuml", 0xEF},    {"laquo", 0xAB},    {"larr", 0x2190},   {"ldquo", 0x201C},
    {"lowbar", '_'},   {"lpar", '('},      {"lsaquo", 0x2039}, {"lsquo", 0x2018},
    {"lt", '<'},       {"mdash", 0x2014},  {"middot", 0xB7},   {"nbsp", 0xA0},
    {"ndash", 0x2013}, {"ntilde", 0xF1},   {"num", '#'},       {"oacute", 0xF3},
    {"ocirc", 0xF4},   {"oelig", 0x153},   {"ograve", 0xF2},   {"ordm", 0xBA},
    {"oslash", 0xF8},  {"otilde", 0xF5},   {"ouml", 0xF6},     {"percnt", '%'},
    {"period", '.'},   {"plus", '+'},      {"pound", 0xA3},    {"quest", '?'},
    {"quot", '"'},     {"raquo", 0xBB},    {"rarr", 0x2192},   {"rdquo", 0x201D},
    {"reg", 0xAE},     {"rpar", ')'},      {"rsaquo", 0x203A}, {"rsquo", 0x2019},
    {"sect", 0xA7},    {"semi", ';'},      {"shy", 0xAD},      {"sol", '/'},
    {"szlig", 0xDF},   {"thinsp", 0x2009}, {"times", 0xD7},    {"trade", 0x2122},
    {"uacute", 0xFA},  {"ucirc", 0xFB},    {"ugrave", 0xF9},   {"uuml", 0xFC},
    {"yen", 0xA5},     {"zwj", 0x200D},    {"zwnj", 0x200C},
});
static_assert(std::ranges::is_sorted(kEntities, {}, &Entity::name));

constexpr std::uint32_t kCodeMax = 0x10FFFF;

void put_char(std::string& out, std::uint32_t code) {
    if (code == 0 || code > kCodeMax || (code >= 0xD800 && code < 0xE000)) code = 0xFFFD;
    std::array<char, 4> bytes{};
    std::int32_t size = 0;
    U8_APPEND_UNSAFE(bytes.data(), size, code);
    out.append(bytes.data(), static_cast<std::size_t>(size));
}

/// Reads the entity after an ampersand; returns how many bytes it took, 0 when it is none.
std::size_t take_entity(std::string_view rest, std::string& out) {
    if (rest.starts_with('#')) {
        const bool hex = rest.size() > 1 && (rest[1] == 'x' || rest[1] == 'X');
        const std::size_t start = hex ? 2 : 1;
        std::size_t size = start;
        std::uint32_t code = 0;
        for (; size < rest.size() && (hex ? hex_value(rest[size]) >= 0 : is_digit(rest[size]));
             ++size) {
            const auto digit = static_cast<std::uint32_t>(hex_value(rest[size]));
            code = std::min<std::uint32_t>(code * (hex ? 16 : 10) + digit, kCodeMax + 1);
        }
        if (size == start) return 0;
        put_char(out, code);
        return size + (size < rest.size() && rest[size] == ';' ? 1 : 0);
    }
    std::size_t size = 0;
    while (size < rest.size() && size < 8 &&
           ((rest[size] >= 'a' && rest[size] <= 'z') || (rest[size] >= 'A' && rest[size] <= 'Z')))
        ++size;
    const bool closed = size < rest.size() && rest[size] == ';';
    const auto it = std::ranges::lower_bound(kEntities, rest.substr(0, size), {}, &Entity::name);
    if (size == 0 || !closed || it == kEntities.end() || it->name != rest.substr(0, size)) return 0;
    put_char(out, it->code);
    return size + 1;
}

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/// Where `</name` starts at or after `at`, the end when nowhere.
std::size_t find_close(std::string_view html, std::size_t at, std::string_view name) {
    for (at = html.find("</", at); at != std::string_view::npos; at = html.find("</", at + 2)) {
        const std::string_view rest = html.substr(at + 2);
        if (starts_with_any_case(rest, name) &&
            (rest.size() == name.size() || !is_letter(rest[name.size()])))
            return at;
    }
    return html.size();
}

/// One pass over the page.
class Tokenizer {
  public:
    Tokenizer(std::string_view html, const HtmlSink& sink) : html_(html), sink_(sink) {}

    void run() {
        while (at_ < html_.size()) {
            const std::size_t open = std::min(html_.find('<', at_), html_.size());
            if (open > at_) sink_.text(html_.substr(at_, open - at_));
            at_ = open;
            if (at_ < html_.size()) markup();
        }
    }

  private:
    char peek(std::size_t ahead) const {
        return at_ + ahead < html_.size() ? html_[at_ + ahead] : '\0';
    }

    void markup() {
        const char next = peek(1);
        if (html_.substr(at_).starts_with("<!--")) return comment();
        if (next == '!' || next == '?') {
            at_ = std::min(html_.find('>', at_), html_.size() - 1) + 1;
            return;
        }
        if (is_letter(next) || (next == '/' && is_letter(peek(2)))) return tag();
        sink_.text("<");
        ++at_;
    }

    void comment() {
        // "<!-->" and "<!--->" are whole comments; an unclosed one hides all that follows.
        const std::size_t end = html_.find("-->", at_ + 2);
        at_ = end == std::string_view::npos ? html_.size() : end + 3;
    }

    void tag() {
        HtmlTag tag;
        ++at_;
        if (peek(0) == '/') {
            tag.closes = true;
            ++at_;
        }
        const std::size_t start = at_;
        while (at_ < html_.size() && !is_blank(html_[at_]) && html_[at_] != '>' &&
               html_[at_] != '/')
            ++at_;
        tag.name = lower(cut(html_.substr(start, at_ - start), 64));
        while (at_ < html_.size() && html_[at_] != '>') attribute(tag);
        if (at_ < html_.size()) ++at_;
        sink_.tag(tag);
        if (!tag.closes) raw_text(tag.name);
    }

    void attribute(HtmlTag& tag) {
        if (is_blank(html_[at_]) || html_[at_] == '/') {
            ++at_;
            return;
        }
        const std::size_t start = at_;
        ++at_;  // even "=" begins a name
        while (at_ < html_.size() && !is_blank(html_[at_]) && html_[at_] != '=' &&
               html_[at_] != '>' && html_[at_] != '/')
            ++at_;
        const std::string_view name = html_.substr(start, at_ - start);
        std::size_t after = at_;
        while (after < html_.size() && is_blank(html_[after])) ++after;
        std::string_view value;
        if (after < html_.size() && html_[after] == '=') {
            at_ = after + 1;
            value = attribute_value();
        }
        if (tag.attributes.size() < kAttributesMax)
            tag.attributes.push_back(
                {lower(cut(name, 64)), decode_entities(cut(value, kAttributeBytesMax))});
    }

    std::string_view attribute_value() {
        while (at_ < html_.size() && is_blank(html_[at_])) ++at_;
        if (at_ >= html_.size()) return {};
        const char quote = html_[at_];
        if (quote == '"' || quote == '\'') {
            const std::size_t start = at_ + 1;
            const std::size_t end = std::min(html_.find(quote, start), html_.size());
            at_ = std::min(end + 1, html_.size());
            return html_.substr(start, end - start);
        }
        const std::size_t start = at_;
        while (at_ < html_.size() && !is_blank(html_[at_]) && html_[at_] != '>') ++at_;
        return html_.substr(start, at_ - start);
    }

    void raw_text(std::string_view name) {
        if (name != "script" && name != "style" && name != "title" && name != "textarea" &&
            name != "xmp")
            return;
        const std::size_t end = find_close(html_, at_, name);
        const std::string_view inside = html_.substr(at_, end - at_);
        if (name == "script")
            sink_.script(inside);
        else if (name != "style")
            sink_.text(inside);
        at_ = end;
    }

    std::string_view html_;
    const HtmlSink& sink_;
    std::size_t at_ = 0;
};

}  // namespace

std::string_view HtmlTag::attribute(std::string_view wanted) const {
    const auto it = std::ranges::find(attributes, wanted, &HtmlAttribute::name);
    return it == attributes.end() ? std::string_view{} : it->value;
}

bool HtmlTag::has(std::string_view wanted) const {
    return std::ranges::find(attributes, wanted, &HtmlAttribute::name) != attributes.end();
}

std::string decode_entities(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t amp = std::min(text.find('&', at), text.size());
        out.append(text.substr(at, amp - at));
        at = amp;
        if (at >= text.size()) break;
        const std::size_t taken = take_entity(text.substr(at + 1), out);
        if (taken == 0) out.push_back('&');
        at += 1 + taken;
    }
    return out;
}

void tokenize_html(std::string_view html, const HtmlSink& sink) {
    Tokenizer(html, sink).run();
}

}  // namespace hygie::mail
