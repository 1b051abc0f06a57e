#include "guards/mail/message/html.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/message/share.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kScriptsMax = 64;
constexpr std::size_t kFormsMax = 50;
constexpr std::size_t kShownBytesMax = 4096;

template <std::size_t N>
bool among(const std::array<std::string_view, N>& sorted, std::string_view word) {
    return std::ranges::binary_search(sorted, word);
}

constexpr auto kBlocks = std::to_array<std::string_view>(
    {"article", "blockquote", "body",    "br",    "center", "dd",  "div", "dl",
     "dt",      "footer",     "form",    "h1",    "h2",     "h3",  "h4",  "h5",
     "h6",      "header",     "hr",      "li",    "main",   "nav", "ol",  "option",
     "p",       "pre",        "section", "table", "tbody",  "tr",  "ul"});
constexpr auto kVoid = std::to_array<std::string_view>(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"});
static_assert(std::ranges::is_sorted(kBlocks) && std::ranges::is_sorted(kVoid));

/// A style without blanks, lower case: "DISPLAY : none" → "display:none".
std::string plain_style(std::string_view style) {
    std::string out;
    for (const char c : style)
        if (static_cast<unsigned char>(c) > ' ')
            out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
    out.push_back(';');
    return out;
}

/// The value of a property in a plain style, empty when it is not there.
std::string_view style_value(std::string_view style, std::string_view property) {
    for (std::size_t at = style.find(property); at != std::string_view::npos;
         at = style.find(property, at + 1)) {
        const std::size_t colon = at + property.size();
        if ((at != 0 && style[at - 1] != ';') || colon >= style.size() || style[colon] != ':')
            continue;
        const std::size_t end = style.find_first_of(";!", colon);
        return style.substr(colon + 1, end - colon - 1);
    }
    return {};
}

bool is_zero(std::string_view value) {
    return !value.empty() && value.front() == '0' &&
           value.find_first_of("123456789") == std::string_view::npos;
}

bool hides(const HtmlTag& tag) {
    if (tag.has("hidden")) return true;
    const std::string_view written = tag.attribute("style");
    if (written.empty()) return false;
    const std::string style = plain_style(written);
    const std::string_view size = style_value(style, "font-size");
    return style_value(style, "display") == "none" ||
           style_value(style, "visibility") == "hidden" ||
           style_value(style, "mso-hide") == "all" || is_zero(size) || size == "1px" ||
           is_zero(style_value(style, "opacity")) ||
           (is_zero(style_value(style, "max-height")) &&
            style_value(style, "overflow") == "hidden");
}

int pixels(std::string_view value) {
    int number = -1;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

bool asks_secret(const HtmlTag& input) {
    if (equal_any_case(input.attribute("type"), "password")) return true;
    static constexpr auto kSecrets =
        std::to_array<std::string_view>({"passw", "pwd", "passwd", "mdp", "motdepasse", "cvv",
                                         "cardnum", "cvc", "creditcard", "otp", "pincode"});
    const std::string name = lower(input.attribute("name")) + lower(input.attribute("id"));
    return std::ranges::any_of(kSecrets, [&](std::string_view s) { return contains(name, s); });
}

/// Builds the view from the tokens.
class Viewer {
  public:
    void tag(const HtmlTag& tag) {
        if (in_title_ && tag.name == "title") in_title_ = false;
        track_hidden(tag);
        if (tag.name == "pre") pre_depth_ = std::max(0, pre_depth_ + (tag.closes ? -1 : 1));
        if (among(kBlocks, tag.name))
            line_end();
        else if (tag.name == "td" || tag.name == "th")
            blank();
        tag.closes ? close(tag) : open(tag);
    }

    void text(std::string_view raw) {
        const std::string decoded = contains(raw, "&") ? decode_entities(raw) : std::string(raw);
        if (in_title_) {
            view_.title += cut(decoded, kShownBytesMax);
            return;
        }
        if (pre_depth_ > 0)
            lines(decoded);
        else
            collapse(decoded, hidden_depth_ > 0 ? view_.hidden : view_.text);
        if (anchor_open_ && view_.links.back().shown.size() < kShownBytesMax)
            collapse(cut(decoded, kShownBytesMax), view_.links.back().shown);
    }

    void script(std::string_view inside) {
        view_.has_script = true;
        if (view_.scripts.size() < kScriptsMax) view_.scripts.emplace_back(inside);
    }

    HtmlView finish() {
        end_anchor();
        return std::move(view_);
    }

  private:
    void open(const HtmlTag& tag) {
        if (tag.name == "a" || tag.name == "area") return open_link(tag);
        if (tag.name == "img") return image(tag);
        if (tag.name == "form" || tag.name == "input") return form(tag);
        if (tag.name == "title") in_title_ = true;
        if (tag.name == "iframe" || tag.name == "frame" || tag.name == "object" ||
            tag.name == "embed")
            view_.has_frame = true;
        if (tag.name == "base" && base_.empty()) base_ = tag.attribute("href");
        if (tag.name == "meta" && equal_any_case(tag.attribute("http-equiv"), "refresh"))
            refresh(tag.attribute("content"));
        for (const HtmlAttribute& one : tag.attributes)
            if (one.name.starts_with("on") && one.name.size() > 4) view_.has_script = true;
    }

    void close(const HtmlTag& tag) {
        if (tag.name == "a") end_anchor();
    }

    void open_link(const HtmlTag& tag) {
        end_anchor();
        const std::string_view href = trim(tag.attribute("href"));
        if (href.empty() || view_.links.size() >= kLinksMax) return;
        view_.links.push_back({.kind = tag.name == "a" ? LinkKind::Anchor : LinkKind::Area,
                               .target = resolve(href),
                               .shown = std::string(cut(trim(tag.attribute("alt")), 200))});
        if (starts_with_any_case(href, "javascript:")) view_.has_script = true;
        anchor_open_ = tag.name == "a";
        anchor_image_ = false;
    }

    void end_anchor() {
        if (!anchor_open_) return;
        anchor_open_ = false;
        RawLink& link = view_.links.back();
        const std::string shown(trim(link.shown));
        link.shown = shown;
        if (shown.empty() && anchor_image_) {
            link.kind = LinkKind::Image;
            link.shown = anchor_alt_;
        }
    }

    void image(const HtmlTag& tag) {
        ++view_.images;
        if (view_.share.empty() && is_foreign_share(tag.attribute("src")))
            view_.share = trim(tag.attribute("src"));
        const int width = pixels(tag.attribute("width"));
        const int height = pixels(tag.attribute("height"));
        const bool tiny = width >= 0 && width <= 2 && height >= 0 && height <= 2;
        if (tiny) ++view_.tracking_images;
        const std::string_view alt = trim(tag.attribute("alt"));
        if (anchor_open_) {
            anchor_image_ = true;
            anchor_alt_ = cut(alt, 200);
        }
        if (!tiny && !alt.empty() && hidden_depth_ == 0) {
            collapse(cut(alt, 400), view_.text);
            blank();
        }
    }

    void form(const HtmlTag& tag) {
        if (tag.name == "form") {
            if (view_.forms.size() < kFormsMax)
                view_.forms.push_back({.action = resolve(trim(tag.attribute("action"))),
                                       .asks_secret = false,
                                       .names = {}});
            if (!view_.forms.empty() && !view_.forms.back().action.empty() &&
                view_.links.size() < kLinksMax && !anchor_open_)
                view_.links.push_back(
                    {.kind = LinkKind::Form, .target = view_.forms.back().action, .shown = {}});
            return;
        }
        if (view_.forms.empty()) view_.forms.emplace_back();
        Form& last = view_.forms.back();
        last.asks_secret = last.asks_secret || asks_secret(tag);
        if (last.names.size() < kFormsMax) last.names.emplace_back(tag.attribute("name"));
    }

    void refresh(std::string_view content) {
        const std::string low = lower(content);
        const std::size_t at = low.find("url=");
        if (at == std::string::npos || anchor_open_ || view_.links.size() >= kLinksMax) return;
        std::string_view target = trim(content.substr(at + 4));
        if (target.starts_with('\'') || target.starts_with('"'))
            target = target.substr(1, target.find(target[0], 1) - 1);
        view_.links.push_back({.kind = LinkKind::Refresh, .target = resolve(target), .shown = {}});
    }

    /// Everything inside an element that is not displayed is hidden, until that element ends.
    void track_hidden(const HtmlTag& tag) {
        if (among(kVoid, tag.name)) return;
        if (hidden_depth_ == 0) {
            if (!tag.closes && (tag.name == "template" || hides(tag))) {
                hidden_name_ = tag.name;
                hidden_depth_ = 1;
            }
            return;
        }
        if (tag.name != hidden_name_) return;
        hidden_depth_ += tag.closes ? -1 : 1;
    }

    std::string resolve(std::string_view href) const {
        const std::size_t colon = href.find_first_of(":/?#");
        const bool absolute = colon != std::string_view::npos && href[colon] == ':';
        if (base_.empty() || absolute || href.starts_with("//") || href.starts_with('#'))
            return std::string(href);
        return base_ + (base_.ends_with('/') || href.starts_with('/') ? "" : "/") +
               std::string(href);
    }

    /// Lines that stay as they were written.
    void lines(std::string_view decoded) {
        for (std::size_t at = 0; at < decoded.size();) {
            const std::size_t end = std::min(decoded.find('\n', at), decoded.size());
            collapse(decoded.substr(at, end - at), hidden_depth_ > 0 ? view_.hidden : view_.text);
            if (end < decoded.size()) line_end();
            at = end + 1;
        }
    }

    void line_end() {
        std::string& out = hidden_depth_ > 0 ? view_.hidden : view_.text;
        while (out.ends_with(' ')) out.pop_back();
        if (!out.empty() && !out.ends_with('\n')) out.push_back('\n');
        if (anchor_open_) collapse(" ", view_.links.back().shown);
    }
    void blank() { collapse(" ", hidden_depth_ > 0 ? view_.hidden : view_.text); }

    static void collapse(std::string_view from, std::string& out) {
        if (out.size() > kTextBytesMax) return;
        for (const char c : from) {
            const bool empty = static_cast<unsigned char>(c) <= ' ';
            if (!empty)
                out.push_back(c);
            else if (!out.empty() && out.back() != ' ' && out.back() != '\n')
                out.push_back(' ');
        }
    }

    HtmlView view_;
    std::string base_;
    std::string hidden_name_;
    std::string anchor_alt_;
    int hidden_depth_ = 0;
    int pre_depth_ = 0;
    bool anchor_open_ = false;
    bool anchor_image_ = false;
    bool in_title_ = false;
};

}  // namespace

HtmlView view_html(std::string_view html) {
    Viewer viewer;
    const HtmlSink sink{.tag = [&](const HtmlTag& tag) { viewer.tag(tag); },
                        .text = [&](std::string_view text) { viewer.text(text); },
                        .script = [&](std::string_view inside) { viewer.script(inside); }};
    tokenize_html(cut(html, kHtmlBytesMax), sink);
    return viewer.finish();
}

}  // namespace hygie::mail
