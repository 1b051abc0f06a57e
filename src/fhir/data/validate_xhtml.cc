#include "fhir/data/validate_xhtml.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/ascii.h"
#include "base/text.h"

namespace hygie::fhir {

namespace {

constexpr std::string_view kNamespace = "http://www.w3.org/1999/xhtml";
constexpr std::size_t kDepthMax = 256;
constexpr std::size_t kAttributesMax = 64;

/// HTML 4.0, chapters 7 to 11 and 15, links and images.
constexpr std::array<std::string_view, 60> kElements{
    "a",   "abbr",    "acronym", "address", "area",   "b",        "bdo",  "big",    "blockquote",
    "br",  "caption", "cite",    "code",    "col",    "colgroup", "dd",   "del",    "dfn",
    "div", "dl",      "dt",      "em",      "h1",     "h2",       "h3",   "h4",     "h5",
    "h6",  "hr",      "i",       "img",     "ins",    "kbd",      "li",   "map",    "ol",
    "p",   "pre",     "q",       "s",       "samp",   "small",    "span", "strike", "strong",
    "sub", "sup",     "table",   "tbody",   "td",     "tfoot",    "th",   "thead",  "tr",
    "tt",  "u",       "ul",      "var",     "center", "font"};

constexpr std::array<std::string_view, 63> kAttributes{
    "abbr",        "accesskey",   "align",    "alt",       "axis",    "bgcolor",    "border",
    "cellpadding", "cellspacing", "char",     "charoff",   "charset", "cite",       "class",
    "clear",       "color",       "colspan",  "compact",   "coords",  "datetime",   "dir",
    "face",        "frame",       "headers",  "height",    "href",    "hreflang",   "hspace",
    "id",          "ismap",       "lang",     "longdesc",  "name",    "nohref",     "noshade",
    "nowrap",      "rel",         "rev",      "rowspan",   "rules",   "scope",      "shape",
    "size",        "space",       "span",     "src",       "start",   "style",      "summary",
    "tabindex",    "title",       "type",     "usemap",    "valign",  "value",      "vspace",
    "width",       "xml:base",    "xml:lang", "xml:space", "xmlns",   "cellhalign", "cellvalign"};

std::unexpected<Error> bad(std::string_view fr, std::string_view en) {
    return fail(Code::BadInput, {std::string(fr), std::string(en)});
}

std::unexpected<Error> not_well_formed() {
    return bad("Ce n’est pas du XHTML bien formé.", "This is not well-formed XHTML.");
}

bool is_name_character(char c) {
    return is_alphanumeric(c) || c == ':' || c == '-' || c == '_' || c == '.';
}

/// Reads the subset of XML that a narrative needs.
class Narrative {
  public:
    explicit Narrative(std::string_view text) : left_(text) {}

    Status check() {
        skip_spaces();
        if (!left_.starts_with("<div"))
            return bad("Le texte doit être un « div ».", "The text must be a “div”.");
        do {
            TRY_STATUS(left_.starts_with('<') ? read_tag() : read_text());
        } while (!open_.empty() && !left_.empty());
        skip_spaces();
        if (!open_.empty() || !left_.empty()) return not_well_formed();
        if (!has_content_)
            return bad("Le texte n’a rien à lire (txt-2).", "There is nothing to read (txt-2).");
        return {};
    }

  private:
    void skip_spaces() {
        while (!left_.empty() && is_blank(left_.front())) left_.remove_prefix(1);
    }
    bool take(std::string_view token) {
        if (!left_.starts_with(token)) return false;
        left_.remove_prefix(token.size());
        return true;
    }
    std::string_view take_name() {
        const auto* const end = std::ranges::find_if_not(left_, is_name_character);
        const auto size = static_cast<std::size_t>(end - left_.begin());
        const std::string_view name = left_.substr(0, size);
        left_.remove_prefix(size);
        return name;
    }
    Status skip_past(std::string_view end) {
        const std::size_t at = left_.find(end);
        if (at == std::string_view::npos) return not_well_formed();
        left_.remove_prefix(at + end.size());
        return {};
    }

    Status read_text() {
        const std::string_view text = left_.substr(0, left_.find('<'));
        left_.remove_prefix(text.size());
        has_content_ = has_content_ || !std::ranges::all_of(text, is_blank);
        if (text.contains("]]>")) return not_well_formed();
        return check_entities(text);
    }

    /// XML knows five entities, and characters by number; a narrative brings no others.
    static Status check_entities(std::string_view text) {
        for (;;) {
            const std::size_t start = text.find('&');
            if (start == std::string_view::npos) return {};
            text.remove_prefix(start + 1);
            const std::size_t end = text.find(';');
            if (end == std::string_view::npos) return not_well_formed();
            const std::string_view name = text.substr(0, end);
            if (!is_entity(name))
                return bad("Une entité du XHTML n’est pas permise : écrivez le caractère lui-même.",
                           "An entity of the XHTML is not allowed: write the character itself.");
            text.remove_prefix(end + 1);
        }
    }
    static bool is_entity(std::string_view name) {
        if (name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos")
            return true;
        if (!name.starts_with('#') || name.size() < 2 || name.size() > 8) return false;
        name.remove_prefix(1);
        const bool is_hex = name.starts_with('x') && name.size() > 1;
        if (is_hex) name.remove_prefix(1);
        return name.find_first_not_of(is_hex ? "0123456789abcdefABCDEF" : "0123456789") ==
               std::string_view::npos;
    }

    Status read_tag() {
        if (take("<!--")) return skip_past("-->");
        if (take("</")) return close_tag();
        left_.remove_prefix(1);
        const std::string_view name = take_name();
        if (std::ranges::find(kElements, name) == kElements.end())
            return bad("Un élément du XHTML n’est pas permis (txt-1).",
                       "An element of the XHTML is not allowed (txt-1).");
        if (open_.size() >= kDepthMax)
            return bad("Le XHTML a trop d’imbrications.", "The XHTML is nested too deep.");
        has_content_ = has_content_ || name == "img";
        TRY_STATUS(read_attributes(open_.empty()));
        if (take("/>")) return {};
        if (!take(">")) return not_well_formed();
        open_.push_back(name);
        return {};
    }

    Status close_tag() {
        if (open_.empty() || take_name() != open_.back()) return not_well_formed();
        open_.pop_back();
        skip_spaces();
        return take(">") ? Status() : not_well_formed();
    }

    Status read_attributes(bool is_root) {
        std::vector<std::string_view> names;
        bool has_namespace = false;
        for (;;) {
            const bool is_apart = !left_.empty() && is_blank(left_.front());
            skip_spaces();
            if (left_.starts_with('>') || left_.starts_with("/>")) break;
            const std::string_view name = take_name();
            if (name.empty() || !is_apart || std::ranges::find(names, name) != names.end() ||
                names.size() >= kAttributesMax)
                return not_well_formed();
            names.push_back(name);
            const std::string_view value = TRY(read_value());
            if (std::ranges::find(kAttributes, name) == kAttributes.end())
                return bad("Un attribut du XHTML n’est pas permis (txt-1).",
                           "An attribute of the XHTML is not allowed (txt-1).");
            if (name == "xmlns") has_namespace = value == kNamespace;
            if ((name == "href" || name == "src") && runs_script(value))
                return bad("Un lien du XHTML exécuterait un programme.",
                           "A link of the XHTML would run a program.");
        }
        if (is_root && !has_namespace)
            return bad("Il manque l’espace de noms XHTML au « div ».",
                       "The “div” lacks the namespace of XHTML.");
        return {};
    }

    Result<std::string_view> read_value() {
        skip_spaces();
        if (!take("=")) return not_well_formed();
        skip_spaces();
        if (left_.empty() || (left_.front() != '"' && left_.front() != '\''))
            return not_well_formed();
        const char quote = left_.front();
        left_.remove_prefix(1);
        const std::size_t end = left_.find(quote);
        if (end == std::string_view::npos) return not_well_formed();
        const std::string_view value = left_.substr(0, end);
        left_.remove_prefix(end + 1);
        if (value.contains('<')) return not_well_formed();
        TRY_STATUS(check_entities(value));
        return value;
    }

    /// A scheme that browsers run. Characters by number are not decoded: none may stand before ':'.
    static bool runs_script(std::string_view address) {
        const std::string_view scheme = address.substr(0, address.find(':'));
        if (scheme.size() == address.size()) return false;
        std::string plain;
        for (const char c : scheme)
            if (static_cast<unsigned char>(c) > ' ') plain += static_cast<char>(c | 0x20);
        return plain == "javascript" || plain == "vbscript" || plain.contains('&');
    }

    std::string_view left_;
    std::vector<std::string_view> open_;
    bool has_content_ = false;
};

}  // namespace

Status check_narrative(std::string_view div) {
    return Narrative(div).check();
}

}  // namespace hygie::fhir
