#include <algorithm>
#include <array>

#include "guards/mail/attachments/scan.h"
#include "guards/mail/facts/links.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/html.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kBase64BlobMin = 2'000;

template <std::size_t N>
std::string_view first_of(std::string_view text, const std::array<std::string_view, N>& words) {
    for (const std::string_view word : words)
        if (contains(text, word)) return word;
    return {};
}

/// A long run of base64 or hex inside a script: what is to become a file or another page.
bool has_blob(std::string_view script) {
    std::size_t run = 0;
    for (const char c : script) {
        const bool part = std::isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '/' ||
                          c == '=' || c == '%';
        run = part ? run + 1 : 0;
        if (run >= kBase64BlobMin) return true;
    }
    return false;
}

struct Scripts {
    bool makes_file = false;
    bool decodes = false;
    bool sends = false;
    bool leads_away = false;
    bool imports = false;  ///< is itself elsewhere
    std::string_view seen;
};

/// Lower case, and words that a script puts together read as one: 'create' + 'ObjectURL'.
std::string joined(std::string_view script) {
    const auto is_quote = [](char c) { return c == '\'' || c == '"' || c == '`'; };
    std::string out;
    out.reserve(script.size());
    for (std::size_t i = 0; i < script.size(); ++i) {
        if (!is_quote(script[i])) {
            out.push_back(script[i]);
            continue;
        }
        std::size_t next = i + 1;
        const auto skip = [&] {
            while (next < script.size() && (script[next] == ' ' || script[next] == '\n')) ++next;
        };
        skip();
        if (next < script.size() && script[next] == '+') {
            ++next;
            skip();
            if (next < script.size() && is_quote(script[next])) {
                i = next;
                continue;
            }
        }
        out.push_back(script[i]);
    }
    return lower(out);
}

/// The reader is sent to the file that was just made.
bool opens_made_file(std::string_view low) {
    constexpr std::size_t kBefore = 30;
    for (std::size_t at = low.find("createobjecturl"); at != std::string_view::npos;
         at = low.find("createobjecturl", at + 1)) {
        const std::size_t from = at < kBefore ? 0 : at - kBefore;
        const std::string_view before = low.substr(from, at - from);
        if (contains(before, "location") || contains(before, "open(")) return true;
    }
    return false;
}

/// A long list of numbers below 256: bytes.
bool has_number_blob(std::string_view script) {
    constexpr std::size_t kNumbersMin = 1'500;
    std::size_t run = 0;
    for (const char c : script) {
        const bool part = (c >= '0' && c <= '9') || c == ',' || c == ' ';
        run = part ? run + 1 : 0;
        if (run >= kNumbersMin) return true;
    }
    return false;
}

Scripts read_scripts(const std::vector<std::string>& scripts) {
    static constexpr auto kFiles = std::to_array<std::string_view>(
        {"createobjecturl", "mssaveoropenblob", "mssaveblob", "new blob(", "new file("});
    static constexpr auto kDecodes = std::to_array<std::string_view>(
        {"atob(", "unescape(", "fromcharcode", "eval(", "document.write", "decodeuricomponent",
         "string.raw", "innerhtml", "new function("});
    static constexpr auto kSends =
        std::to_array<std::string_view>({"xmlhttprequest", "fetch(", "$.ajax", "$.post",
                                         "sendbeacon", "api.telegram.org", "emailjs"});
    static constexpr auto kAway = std::to_array<std::string_view>(
        {"location.href", "location.replace", "window.location", "location.assign",
         "document.location", "window.open", "top.location"});
    Scripts out;
    for (const std::string& script : scripts) {
        const std::string low = joined(script);
        const std::string_view file = first_of(low, kFiles);
        const std::string_view decode = first_of(low, kDecodes);
        out.makes_file = out.makes_file ||
                         (!file.empty() && (contains(low, "download") || contains(low, ".click(") ||
                                            contains(low, "mssave") || opens_made_file(low)));
        const bool hides =
            !decode.empty() && (has_blob(script) || contains(low, "atob(") ||
                                contains(low, "unescape(") || contains(low, "eval("));
        const bool spells = (contains(low, "fromcharcode") || contains(low, "textdecoder") ||
                             contains(low, "uint8array")) &&
                            has_number_blob(script);
        out.imports =
            out.imports || contains(low, "import('http") || contains(low, "import(\"http");
        out.decodes = out.decodes || hides || spells;
        out.sends = out.sends || !first_of(low, kSends).empty();
        out.leads_away = out.leads_away || !first_of(low, kAway).empty();
        if (out.seen.empty()) {
            out.seen = !file.empty() ? file : !decode.empty() ? decode : first_of(low, kAway);
        }
    }
    return out;
}

/// " onload=", " onbegin =": what runs without a <script>.
bool has_handler(std::string_view low) {
    for (std::size_t at = low.find(" on"); at != std::string_view::npos;
         at = low.find(" on", at + 1)) {
        std::size_t end = at + 3;
        while (end < low.size() && low[end] >= 'a' && low[end] <= 'z') ++end;
        if (end > at + 4 && low.substr(end, 2).starts_with("=")) return true;
    }
    return false;
}

/// Bytes of a file or a page written into an address; fonts and scripts are what pages are made of.
bool holds_file(std::string_view address) {
    const std::string low = lower(trim(address).substr(0, 80));
    return low.starts_with("data:text/html") ||
           (low.starts_with("data:application/") && !contains(low, "font") &&
            !contains(low, "javascript") && !contains(low, "json"));
}

bool is_elsewhere(std::string_view address) {
    return starts_with_any_case(trim(address), "http") || trim(address).starts_with("//");
}

/// What the tags of a page load or start by themselves.
struct Loads {
    bool file = false;        ///< its bytes stand in an address
    bool page = false;        ///< another page inside, from elsewhere or written into an attribute
    bool decodes = false;     ///< an attribute decodes itself
    bool takes_over = false;  ///< a button sends its form elsewhere
};

Loads read_loads(std::string_view html) {
    Loads out;
    const HtmlSink sink{
        .tag =
            [&](const HtmlTag& tag) {
                const bool frame = tag.name == "iframe" || tag.name == "embed" ||
                                   tag.name == "object" || tag.name == "frame";
                for (const HtmlAttribute& one : tag.attributes) {
                    const bool address =
                        one.name == "src" || one.name == "data" || one.name == "href";
                    out.file = out.file || (address && tag.name != "link" && holds_file(one.value));
                    out.page =
                        out.page ||
                        (address && (frame || tag.name == "script") && is_elsewhere(one.value)) ||
                        (one.name == "srcdoc" && contains(lower(one.value), "<script"));
                    out.decodes = out.decodes ||
                                  (one.name.starts_with("on") &&
                                   (contains(one.value, "eval(") || contains(one.value, "atob(")));
                    out.takes_over =
                        out.takes_over || (one.name == "formaction" && is_elsewhere(one.value));
                }
            },
        .text = [](std::string_view) {},
        .script = [](std::string_view) {}};
    tokenize_html(html, sink);
    return out;
}

}  // namespace

void scan_page(FileScan& scan, FileFacts& file, std::string_view bytes) {
    const std::string html = clean_utf8(cut(bytes, kHtmlBytesMax));
    const HtmlView view = view_html(html);
    scan.text(view.title);
    scan.text(view.text);
    for (const RawLink& link : view.links) scan.link(file.path, link.target, link.kind, link.shown);
    const Scripts scripts = read_scripts(view.scripts);
    const Loads loads = read_loads(html);
    if (scripts.makes_file || loads.file)
        scan.found(file, Capability::HtmlSmuggling, loads.file ? "data:" : scripts.seen);
    const bool secret = std::ranges::any_of(view.forms, &Form::asks_secret);
    const bool posts = std::ranges::any_of(
        view.forms, [](const Form& form) { return starts_with_any_case(form.action, "http"); });
    if (secret && (posts || scripts.sends || view.has_script || loads.takes_over))
        scan.found(file, Capability::HtmlForm, view.title.empty() ? "password" : view.title);
    else if (posts && !view.forms.empty() && !view.forms.front().names.empty())
        scan.found(file, Capability::HtmlForm, view.forms.front().action);
    // A page that says nothing itself is written elsewhere.
    constexpr std::ptrdiff_t kFewWords = 30;
    const bool wordless = std::ranges::count(view.text, ' ') < kFewWords;
    if (!scripts.makes_file && (scripts.decodes || scripts.leads_away))
        scan.found(file, Capability::HtmlScript, scripts.seen);
    else if (loads.decodes || (wordless && (loads.page || scripts.imports)))
        scan.found(file, Capability::HtmlScript, loads.decodes ? "atob" : "src");
    else if (std::ranges::any_of(view.links,
                                 [](const RawLink& l) { return l.kind == LinkKind::Refresh; }))
        scan.found(file, Capability::HtmlScript, "refresh");
}

void scan_svg(FileScan& scan, FileFacts& file, std::string_view bytes) {
    const HtmlView view = view_html(clean_utf8(cut(bytes, kHtmlBytesMax)));
    for (const RawLink& link : view.links) scan.link(file.path, link.target, link.kind, link.shown);
    scan.text(view.text);
    const std::string low = lower(bytes.substr(0, kHtmlBytesMax));
    if (view.has_script || contains(low, "<script") || contains(low, ":script") ||
        contains(low, "javascript:") || has_handler(low))
        scan.found(file, Capability::SvgScript, "script");
    else if (contains(low, "<foreignobject") && (!view.forms.empty() || view.has_frame))
        scan.found(file, Capability::SvgScript, "foreignObject");
}

void scan_rtf(FileScan& scan, FileFacts& file, std::string_view bytes) {
    const std::string low = lower(bytes.substr(0, kMessageBytesMax));
    // Objects stand in hex, often broken up by blanks and braces.
    std::string hex;
    for (const char c : low)
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) hex.push_back(c);
    if (contains(low, "equation.3") || contains(hex, "4571756174696f6e2e33") ||
        contains(hex, "02ce020000000000c000000000000046"))
        scan.found(file, Capability::ExploitShape, "Equation.3");
    if (contains(low, "\\objdata") || contains(low, "\\objupdate") || contains(low, "\\objocx") ||
        contains(low, "\\objautlink"))
        scan.found(file, Capability::RtfObject, "\\objdata");
    if (contains(low, "\\fldinst") && (contains(low, "ddeauto ") || contains(low, " dde ")))
        scan.found(file, Capability::Dde, "DDE");
    const std::size_t at = low.find("\\*\\template");
    if (at != std::string::npos) {
        const std::string_view rest = std::string_view(low).substr(at, 300);
        if (contains(rest, "http") || contains(rest, "\\\\") || contains(rest, "\\u"))
            scan.found(file, Capability::ExternalTemplate, rest.substr(0, 100));
    }
}

}  // namespace hygie::mail
