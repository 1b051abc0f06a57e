#include "guards/mail/facts/links.h"

#include <libpsl.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/ascii.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr std::size_t kUrlBytesMax = 8192;
constexpr std::size_t kBase64RunMin = 12;

std::string percent_decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() + 0 && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

int base64_value(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    return -1;
}

/// Lenient: whatever a run of base64 letters says.
std::string base64_decoded(std::string_view run) {
    std::string out;
    unsigned bits = 0;
    int count = 0;
    for (const char c : run) {
        const int value = base64_value(c);
        if (value < 0) break;
        bits = (bits << 6U) | static_cast<unsigned>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU));
        }
    }
    return out;
}

std::string hex_of(std::string_view text) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        out.push_back(kDigits[static_cast<unsigned char>(c) >> 4U]);
        out.push_back(kDigits[static_cast<unsigned char>(c) & 0xFU]);
    }
    return out;
}

bool has_known_suffix(std::string_view host) {
    const std::size_t dot = host.rfind('.');
    if (dot == std::string_view::npos || dot + 1 == host.size()) return false;
    const std::string suffix(host.substr(dot + 1));
    return psl_is_public_suffix2(psl_builtin(), suffix.c_str(),
                                 PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) == 1;
}

bool is_host_text(std::string_view text) {
    return !text.empty() && contains(text, ".") && !text.starts_with('.') &&
           std::ranges::all_of(text, [](char c) {
               return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' ||
                      static_cast<unsigned char>(c) >= 0x80;
           });
}

/// Names that end like a file or a program, not like a place: "node.js", "readme.md", "main.rs".
bool is_file_like(std::string_view host) {
    static constexpr auto kEnds =
        std::to_array<std::string_view>({"cc", "md", "pl", "ps", "py", "rs", "sh", "so", "zip"});
    return std::ranges::count(host, '.') == 1 &&
           std::ranges::binary_search(kEnds, host.substr(host.rfind('.') + 1));
}

/// The address inside an address: "…?url=https%3A%2F%2Fevil.example".
std::string inner_target(std::string_view path) {
    const std::string plain = percent_decoded(percent_decoded(path));
    for (const std::string_view start : {"https://", "http://", "https:/", "//www."}) {
        const std::size_t at = plain.find(start, 1);
        if (at == std::string::npos) continue;
        const std::size_t end = plain.find_first_of("&\"'<> ", at);
        return plain.substr(at, end - at);
    }
    const std::size_t equals = path.find('=');
    if (equals == std::string_view::npos) return {};
    for (std::size_t at = equals; at != std::string_view::npos; at = path.find('=', at + 1)) {
        const std::string_view value = path.substr(at + 1);
        if (!value.starts_with("aHR0c")) continue;  // "http" in base64
        return base64_decoded(value);
    }
    return {};
}

/// The value of a query's parameter, as written.
std::string_view parameter(std::string_view path, std::string_view name) {
    for (const char before : {'?', '&'}) {
        const std::string start = before + std::string(name) + "=";
        const std::size_t at = path.find(start);
        if (at == std::string_view::npos) continue;
        const std::string_view value = path.substr(at + start.size());
        return value.substr(0, value.find_first_of("&#"));
    }
    return {};
}

/// An address as search engines and translators wrap it, and whether this is one of theirs:
/// "bing.com/ck/a?…&u=a1aHR0c…", "google.fr/amp/s/evil.example", "evil-example.translate.goog".
struct Detour {
    bool is_one = false;
    std::string target;
};
Detour detour_of(std::string_view host, std::string_view domain, std::string_view path) {
    constexpr std::string_view kTranslator = ".translate.goog";
    const auto after = [&](std::string_view start) {
        std::string_view rest = path.substr(start.size());
        if (rest.starts_with("s/")) rest.remove_prefix(2);
        return "https://" + std::string(rest);
    };
    if (domain == "bing.com" && path.starts_with("/ck/")) {
        const std::string_view value = parameter(path, "u");
        return {true, value.starts_with("a1") ? base64_decoded(value.substr(2)) : std::string()};
    }
    if (host.ends_with(kTranslator)) {
        std::string inner(host.substr(0, host.size() - kTranslator.size()));
        for (std::size_t at = inner.find('-'); at != std::string::npos;
             at = inner.find('-', at + 1))
            if (inner.substr(at, 2) == "--")
                inner.erase(at, 1);
            else
                inner[at] = '.';
        return {true, "https://" + inner};
    }
    if (main_label(domain) == "google" && path.starts_with("/amp/")) return {true, after("/amp/")};
    if (host == "cdn.ampproject.org" && path.starts_with("/c/")) return {true, after("/c/")};
    const bool counted = (domain == "googleadservices.com" && path.starts_with("/pagead/aclk")) ||
                         (domain == "doubleclick.net" && contains(path, "/aclk")) ||
                         host == "r.search.yahoo.com";
    return {counted, {}};
}

/// Mail gateways that rewrite links to check them: not the sender's doing.
bool is_gateway(std::string_view host) {
    constexpr std::array<std::string_view, 5> kGateways = {
        "safelinks.protection.outlook.com", "urldefense.com", "urldefense.proofpoint.com",
        "linkprotect.cudasvc.com", "mimecast.com"};
    return std::ranges::any_of(kGateways, [&](std::string_view gateway) {
        return host == gateway ||
               (host.ends_with(gateway) && host[host.size() - gateway.size() - 1] == '.');
    });
}

/// "/v2/url?u=https-3A__evil.example_a-2Db": one gateway spells percents and slashes its own way.
std::string gateway_decoded(std::string_view path) {
    std::string plain(path);
    if (!path.starts_with("/v2/url?u=http")) return plain;
    std::ranges::replace(plain, '-', '%');
    std::ranges::replace(plain, '_', '/');
    return plain;
}

}  // namespace

Url parse_url(std::string_view written) {
    Url url;
    std::string text;
    for (const char c : cut(trim(written), kUrlBytesMax))
        if (c != '\t' && c != '\n' && c != '\r') text.push_back(c == '\\' ? '/' : c);
    std::string_view rest = text;
    const std::size_t colon = rest.find_first_of(":/?#");
    if (colon != std::string_view::npos && rest[colon] == ':' && colon > 0 &&
        !(colon + 1 < rest.size() && std::isdigit(static_cast<unsigned char>(rest[colon + 1])))) {
        url.scheme = lower(rest.substr(0, colon));
        rest.remove_prefix(colon + 1);
        if (url.scheme != "http" && url.scheme != "https" && url.scheme != "ftp") {
            url.path = rest;
            return url;
        }
    } else if (!rest.starts_with("//")) {
        if (!starts_with_any_case(rest, "www.") &&
            !has_known_suffix(rest.substr(0, rest.find_first_of("/?#:")))) {
            url.path = rest;
            return url;
        }
        url.scheme = "http";
    } else {
        url.scheme = "https";
    }
    while (rest.starts_with('/')) rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
    std::string host = percent_decoded(rest.substr(0, end));
    url.path = rest.substr(end);
    if (const std::size_t at = host.rfind('@'); at != std::string::npos) {
        url.has_user_info = true;
        host.erase(0, at + 1);
    }
    if (!host.starts_with('[')) host = host.substr(0, host.find(':'));
    url.was_punycode = contains(lower(host), "xn--");
    url.host = display_host(host);
    return url;
}

std::string domain_shown(std::string_view shown) {
    shown = trim(shown);
    if (shown.empty() || shown.size() > 300 || contains(shown, " ") || contains(shown, "\n"))
        return {};
    const bool as_address = starts_with_any_case(shown, "http://") ||
                            starts_with_any_case(shown, "https://") ||
                            starts_with_any_case(shown, "www.");
    if (!as_address) {
        std::string_view host = shown.substr(0, shown.find_first_of("/?#:"));
        if (const std::size_t at = host.find('@'); at != std::string_view::npos)
            host.remove_prefix(at + 1);
        if (!is_host_text(host) || !has_known_suffix(host) || is_file_like(lower(host))) return {};
        return registrable_domain(display_host(host));
    }
    const Url url = parse_url(shown);
    return is_host_text(url.host) ? registrable_domain(url.host) : std::string();
}

/// The house knows "ars.sante.fr", and half of the trade has "sante" in its name: where a brand's
/// domain is a word, the pack says so.
static bool is_common_word(const Pack& pack, const LookAlike& found, std::string_view registrable) {
    return found.how == LookAlike::How::Embeds && pack.brand_of_domain(found.honest) != nullptr &&
           pack.look_alikes.find(registrable).how == LookAlike::How::None;
}

LookAlike LinkReader::look_alike(std::string_view host) const {
    const std::string registrable = registrable_domain(host);
    if (history_.is_known_domain(registrable) || pack_.brand_of_domain(registrable) ||
        is_ip_address(registrable))
        return {};
    if (!history_.look_alikes().empty())
        if (LookAlike found = history_.look_alikes().find(registrable);
            found.how != LookAlike::How::None && !is_common_word(pack_, found, registrable))
            return found;
    for (const LookAlikeIndex* index : {&history_.look_alikes(), &pack_.look_alikes})
        if (LookAlike found = index->within(host, registrable); found.how != LookAlike::How::None)
            return found;
    // The same strangers come again and again; the pack does not change while the process lives.
    constexpr std::size_t kRememberedMax = 4096;
    thread_local std::unordered_map<std::string, LookAlike> remembered;
    if (const auto it = remembered.find(registrable); it != remembered.end()) return it->second;
    if (remembered.size() >= kRememberedMax) remembered.clear();
    return remembered.emplace(registrable, pack_.look_alikes.find(registrable)).first->second;
}

bool LinkReader::carries_recipient(std::string_view target) const {
    if (recipients_.empty()) return false;
    const std::string plain = lower(percent_decoded(target));
    for (const std::string& one : recipients_)
        if (contains(plain, one)) return true;
    for (const std::string& one : recipients_)
        if (contains(plain, hex_of(one))) return true;
    for (std::size_t at = 0; at < target.size();) {
        std::size_t end = at;
        while (end < target.size() && base64_value(target[end]) >= 0 && target[end] != '/') ++end;
        if (end - at >= kBase64RunMin) {
            const std::string inside = lower(base64_decoded(target.substr(at, end - at)));
            for (const std::string& one : recipients_)
                if (contains(inside, one)) return true;
        }
        at = end + 1;
    }
    return false;
}

bool LinkReader::is_believed(const Link& link, std::string_view target,
                             std::string_view target_domain) const {
    const bool borrows = pack_.brand_of_domain(target) || history_.is_known_domain(target_domain);
    return !borrows || link.is_detour || is_gateway(link.host) ||
           history_.is_known_domain(link.domain) ||
           (pack_.brand_of_domain(link.host) && !link.is_free_host);
}

Link LinkReader::read(const RawLink& raw, std::string_view where) const {
    Link link;
    link.kind = raw.kind;
    link.target = raw.target;
    link.shown = raw.shown;
    link.where = where;
    const Url url = parse_url(raw.target);
    link.scheme = url.scheme;
    link.host = url.host;
    link.path = url.path;
    link.has_user_info = url.has_user_info;
    if (link.host.empty()) return link;
    link.is_ip = is_ip_address(link.host);
    link.is_punycode = url.was_punycode;
    link.domain = registrable_domain(link.host);
    link.final_domain = link.domain;
    link.shown_domain = domain_shown(raw.shown);
    link.is_shortener = pack_.is_shortener(link.host);
    link.is_free_host = pack_.is_free_host(link.host);
    std::string final_host = link.host;
    const Detour detour = detour_of(link.host, link.domain, url.path);
    link.is_detour = detour.is_one;
    const std::string path = is_gateway(link.host) ? gateway_decoded(url.path) : url.path;
    const std::string inner = detour.target.empty() ? inner_target(path) : detour.target;
    if (!inner.empty()) {
        const Url last = parse_url(inner);
        if (!last.host.empty() && contains(last.host, ".")) {
            const std::string domain = registrable_domain(last.host);
            link.is_redirector = domain != link.domain && !is_gateway(link.host);
            if (is_believed(link, last.host, domain)) {
                final_host = last.host;
                link.final_domain = domain;
            }
            link.is_free_host = link.is_free_host || pack_.is_free_host(last.host);
        }
    }
    // Whose name stands in front of a detour that does not say where it leads means nothing.
    const bool hides = link.is_detour && link.final_domain == link.domain;
    if (const Brand* brand = pack_.brand_of_domain(final_host); brand && !hides)
        link.brand = brand->id;
    if (const Brand* brand = pack_.brand_of_domain(link.shown_domain)) link.shown_brand = brand->id;
    link.look_alike = look_alike(final_host);
    link.has_recipient = carries_recipient(raw.target);
    if (const std::size_t hash = raw.target.find('#'); hash != std::string::npos)
        link.has_recipient_after_hash =
            link.has_recipient && carries_recipient(std::string_view(raw.target).substr(hash));
    return link;
}

}  // namespace hygie::mail
