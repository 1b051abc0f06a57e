#include "guards/mail/door/neutral.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/escape.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/html.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kShownTargetMax = 300;

bool ends_word(char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '<' || c == '>' || c == '"' || c == '(' ||
           c == ')';
}

/// Letters beyond ASCII count.
bool is_letter_or_digit(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
}

/// A word that a mail program would make a link of.
bool is_address(std::string_view word) {
    if (contains(word, "://") || starts_with_any_case(word, "www.")) return true;
    const std::size_t slash = word.find('/');
    const std::string_view host = word.substr(0, slash);
    const std::size_t dot = host.find('.');
    // "ameli-remboursement.example/dossier", and a bare host too; not "12.50" nor "fin. Et".
    return dot != std::string_view::npos && dot > 0 && dot + 2 < host.size() &&
           !contains(host, "@") &&
           std::ranges::any_of(host.substr(host.rfind('.') + 1), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
           });
}

std::string neutral_word(std::string_view word) {
    std::string out;
    if (const std::size_t scheme = word.find("://"); scheme != std::string_view::npos) {
        out = std::string(word.substr(0, scheme)) + "://";
        if (const std::size_t http = lower(out).find("http"); http != std::string::npos)
            out.replace(http, 4, "hxxp");
        else
            out.insert(0, "x-");
        word.remove_prefix(scheme + 3);
    }
    const std::size_t host_end = std::min(word.find_first_of("/?#"), word.size());
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (word[i] == '.' && i < host_end)
            out += "[.]";
        else if (word[i] == ':' && word.substr(i).starts_with("://"))
            out += "[:]";
        else
            out += word[i];
    }
    return out;
}

constexpr auto kTags = std::to_array<std::string_view>(
    {"a",      "abbr",  "address", "b",        "big", "blockquote", "body",  "br",  "caption",
     "center", "code",  "col",     "colgroup", "dd",  "del",        "div",   "dl",  "dt",
     "em",     "font",  "h1",      "h2",       "h3",  "h4",         "h5",    "h6",  "head",
     "hr",     "html",  "i",       "img",      "li",  "ol",         "p",     "pre", "s",
     "small",  "span",  "strong",  "sub",      "sup", "table",      "tbody", "td",  "tfoot",
     "th",     "thead", "tr",      "tt",       "u",   "ul"});
static_assert(std::ranges::is_sorted(kTags));

constexpr auto kAttributes = std::to_array<std::string_view>(
    {"align", "alt", "bgcolor", "border", "cellpadding", "cellspacing", "color", "colspan", "dir",
     "face", "height", "lang", "rowspan", "size", "style", "valign", "width"});
static_assert(std::ranges::is_sorted(kAttributes));

/// Elements whose inside is no text for the reader.
bool is_silent(std::string_view tag) {
    return tag == "style" || tag == "title" || tag == "script" || tag == "template" ||
           tag == "noscript" || tag == "textarea";
}

bool is_harmless_style(std::string_view value) {
    const std::string style = lower(value);
    return !contains(style, "url") && !contains(style, "expression") && !contains(style, "\\") &&
           !contains(style, "import") && !contains(style, "binding");
}

/// Writes a page anew, tag by tag.
class Writer {
  public:
    std::string write(std::string_view html) {
        tokenize_html(html, {.tag = [this](const HtmlTag& tag) { take(tag); },
                             .text =
                                 [this](std::string_view text) {
                                     if (silent_.empty())
                                         out_ += html_escaped(neutral_text(decode_entities(text)));
                                 },
                             .script = [](std::string_view) {}});
        end_link();
        return std::move(out_);
    }

  private:
    void take(const HtmlTag& tag) {
        if (!silent_.empty()) {
            if (tag.closes && tag.name == silent_) silent_.clear();
            return;
        }
        if (!tag.closes && is_silent(tag.name)) {
            silent_ = tag.name;
            return;
        }
        if (tag.name == "a") {
            end_link();
            if (!tag.closes) target_ = tag.attribute("href");
            return;
        }
        if (!std::ranges::binary_search(kTags, tag.name)) return;
        if (tag.closes) {
            out_ += "</" + tag.name + ">";
            return;
        }
        out_ += "<" + tag.name;
        for (const HtmlAttribute& one : tag.attributes) put(tag, one);
        out_ += ">";
    }

    void put(const HtmlTag& tag, const HtmlAttribute& one) {
        const bool own_picture =
            tag.name == "img" && one.name == "src" && starts_with_any_case(one.value, "cid:");
        if (!own_picture && !std::ranges::binary_search(kAttributes, one.name)) return;
        if (one.name == "style" && !is_harmless_style(one.value)) return;
        out_ += " " + one.name + "=\"" + html_escaped(one.value) + "\"";
    }

    void end_link() {
        if (!target_.empty())
            out_ += " [" + html_escaped(neutral_word(cut(target_, kShownTargetMax))) + "]";
        target_.clear();
    }

    std::string out_;
    std::string target_;
    std::string silent_;
};

}  // namespace

std::string neutral_text(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto stop = std::ranges::find_if(text, ends_word);
        const auto size = static_cast<std::size_t>(stop - text.begin());
        std::string_view word = text.substr(0, size);
        // "//evil.example" and "*evil.example*" are followed as well.
        const auto start = std::ranges::find_if(word, is_letter_or_digit);
        const auto before = static_cast<std::size_t>(start - word.begin());
        out += word.substr(0, before);
        word.remove_prefix(before);
        out += is_address(word) ? neutral_word(word) : std::string(word);
        text.remove_prefix(size);
        if (text.empty()) break;
        out += text.front();
        text.remove_prefix(1);
    }
    return out;
}

std::string neutral_html(std::string_view html) {
    return Writer().write(html);
}

}  // namespace hygie::mail
