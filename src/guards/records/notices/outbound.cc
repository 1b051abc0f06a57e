#include "guards/records/notices/outbound.h"

#include <algorithm>
#include <array>

namespace hygie::records {

namespace {

constexpr std::size_t kUrlBytesMax = 2'048;
constexpr std::size_t kHeaderBytesMax = 4'096;
constexpr std::string_view kHttps = "https://";
constexpr std::string_view kHttp = "http://";

std::unexpected<Error> no_endpoint() {
    return fail(Code::BadInput,
                {"l'adresse du canal n'est pas une adresse https complète",
                 "the address of the channel is no complete https address"},
                {"écrivez https://nom[:port]/chemin, sans utilisateur ni fragment",
                 "write https://name[:port]/path, without user or fragment"});
}

bool is_plain(char c) {
    return c > ' ' && c < 0x7f && c != '\\' && c != '#' && c != '@' && c != '"' && c != '<' &&
           c != '>';
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' ||
           c == '[' || c == ']';
}

/// "." and ".." as parts of a path, however they are spelled.
bool climbs(std::string_view path) {
    path = path.substr(0, path.find('?'));
    if (path.contains('%')) return true;
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::string_view part = path.substr(0, path.find('/'));
        if (part == "." || part == "..") return true;
        path.remove_prefix(std::min(part.size(), path.size()));
    }
    return false;
}

/// This machine, by number: a name could mean another one tomorrow.
bool is_loopback(std::string_view origin) {
    std::string_view host = origin.substr(kHttp.size());
    constexpr std::array<std::string_view, 2> kHosts = {"127.0.0.1", "[::1]"};
    return std::ranges::any_of(kHosts, [&](std::string_view known) {
        return host == known || (host.starts_with(known) && host[known.size()] == ':');
    });
}

/// Whether a path is that of the rule, or below it.
bool is_below(std::string_view path, std::string_view rule) {
    if (rule.empty() || rule == "/") return true;
    if (!path.starts_with(rule)) return false;
    if (path.size() == rule.size() || rule.ends_with('/')) return true;
    return path[rule.size()] == '/' || path[rule.size()] == '?';
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view url) {
    const bool is_https = url.starts_with(kHttps);
    if (!is_https && !url.starts_with(kHttp)) return no_endpoint();
    if (url.size() > kUrlBytesMax || !std::ranges::all_of(url, is_plain)) return no_endpoint();
    const std::size_t scheme = is_https ? kHttps.size() : kHttp.size();
    const std::size_t end = std::min(url.find_first_of("/?", scheme), url.size());
    const std::string_view host = url.substr(scheme, end - scheme);
    if (host.empty() || !std::ranges::all_of(host, is_host_character)) return no_endpoint();
    const Endpoint endpoint{.origin = url.substr(0, end), .path = url.substr(end)};
    if (endpoint.path.starts_with('?') || climbs(endpoint.path)) return no_endpoint();
    return endpoint;
}

Status check_endpoint(std::string_view url, std::span<const std::string> allowed) {
    const Endpoint endpoint = TRY(parse_endpoint(url));
    const bool is_safe = url.starts_with(kHttps) || is_loopback(endpoint.origin);
    const bool is_allowed = std::ranges::any_of(allowed, [&](const std::string& one) {
        const auto rule = parse_endpoint(one);
        return rule && rule->origin == endpoint.origin && is_below(endpoint.path, rule->path);
    });
    if (is_safe && is_allowed) return {};
    return fail(Code::Denied,
                {"la configuration ne permet pas d'écrire à l'adresse du canal",
                 "the configuration does not allow to write to the address of the channel"},
                {"faites-la ajouter à records.notify, ou employez un canal websocket",
                 "have it added to records.notify, or use a websocket channel"});
}

bool is_sendable_header(std::string_view line) {
    constexpr std::array<std::string_view, 6> kOurs = {
        "host", "content-length", "transfer-encoding", "connection", "content-type", "expect"};
    const auto colon = line.find(':');
    if (colon == 0 || colon == line.npos || line.size() > kHeaderBytesMax) return false;
    std::string name(line.substr(0, colon));
    for (char& c : name) {
        const bool upper = c >= 'A' && c <= 'Z';
        if (upper) c = static_cast<char>(c + 32);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') return false;
    }
    if (std::ranges::find(kOurs, name) != kOurs.end()) return false;
    return std::ranges::all_of(line.substr(colon), [](char c) { return c >= ' ' && c < 0x7f; });
}

}  // namespace hygie::records
