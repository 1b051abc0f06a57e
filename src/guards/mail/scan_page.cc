#include <algorithm>
#include <array>

#include "guards/mail/fold.h"
#include "guards/mail/html.h"
#include "guards/mail/links.h"
#include "guards/mail/scan.h"

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
    std::string_view seen;
};

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
        const std::string low = lower(script);
        const std::string_view file = first_of(low, kFiles);
        const std::string_view decode = first_of(low, kDecodes);
        out.makes_file = out.makes_file ||
                         (!file.empty() && (contains(low, "download") || contains(low, ".click(") ||
                                            contains(low, "mssave")));
        const bool hides =
            !decode.empty() && (has_blob(script) || contains(low, "atob(") ||
                                contains(low, "unescape(") || contains(low, "eval("));
        out.decodes = out.decodes || hides;
        out.sends = out.sends || !first_of(low, kSends).empty();
        out.leads_away = out.leads_away || !first_of(low, kAway).empty();
        if (out.seen.empty()) {
            out.seen = !file.empty() ? file : !decode.empty() ? decode : first_of(low, kAway);
        }
    }
    return out;
}

/// A download attribute on an address that holds its own bytes.
bool has_data_download(std::string_view html) {
    const std::string low = lower(html.substr(0, kHtmlBytesMax));
    const std::size_t at = low.find("download=");
    return at != std::string::npos && contains(low, "href=\"data:application");
}

}  // namespace

void scan_page(FileScan& scan, FileFacts& file, std::string_view bytes) {
    const HtmlView view = view_html(clean_utf8(cut(bytes, kHtmlBytesMax)));
    scan.text(view.title);
    scan.text(view.text);
    for (const RawLink& link : view.links) scan.link(file.path, link.target, link.kind, link.shown);
    const Scripts scripts = read_scripts(view.scripts);
    if (scripts.makes_file || has_data_download(bytes))
        scan.found(file, Capability::HtmlSmuggling, scripts.seen.empty() ? "data:" : scripts.seen);
    const bool secret = std::ranges::any_of(view.forms, &Form::asks_secret);
    const bool posts = std::ranges::any_of(
        view.forms, [](const Form& form) { return starts_with_any_case(form.action, "http"); });
    if (secret && (posts || scripts.sends || view.has_script))
        scan.found(file, Capability::HtmlForm, view.title.empty() ? "password" : view.title);
    else if (posts && !view.forms.empty() && !view.forms.front().names.empty())
        scan.found(file, Capability::HtmlForm, view.forms.front().action);
    if (!scripts.makes_file && (scripts.decodes || scripts.leads_away))
        scan.found(file, Capability::HtmlScript, scripts.seen);
    else if (std::ranges::any_of(view.links,
                                 [](const RawLink& l) { return l.kind == LinkKind::Refresh; }))
        scan.found(file, Capability::HtmlScript, "refresh");
}

void scan_svg(FileScan& scan, FileFacts& file, std::string_view bytes) {
    const HtmlView view = view_html(clean_utf8(cut(bytes, kHtmlBytesMax)));
    for (const RawLink& link : view.links) scan.link(file.path, link.target, link.kind, link.shown);
    scan.text(view.text);
    const std::string low = lower(bytes.substr(0, kHtmlBytesMax));
    if (view.has_script || contains(low, "<script") || contains(low, "javascript:"))
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
    const std::size_t at = low.find("\\*\\template");
    if (at != std::string::npos) {
        const std::string_view rest = std::string_view(low).substr(at, 300);
        if (contains(rest, "http") || contains(rest, "\\\\"))
            scan.found(file, Capability::ExternalTemplate, rest.substr(0, 100));
    }
}

}  // namespace hygie::mail
