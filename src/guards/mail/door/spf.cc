#include "guards/mail/door/spf.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "guards/mail/message/fold.h"

namespace hygie::mail {
namespace {

constexpr int kLookupsMax = 10;
constexpr int kVoidLookupsMax = 2;
constexpr std::size_t kMailServersMax = 10;
constexpr std::size_t kRecordBytesMax = 4U << 10;
constexpr std::size_t kNameBytesMax = 253;

/// An address of four or sixteen bytes.
struct Ip {
    std::array<std::uint8_t, 16> bytes{};
    std::size_t size = 0;

    static std::optional<Ip> parse(const std::string& text) {
        Ip ip;
        if (inet_pton(AF_INET, text.c_str(), ip.bytes.data()) == 1) {
            ip.size = 4;
            return ip;
        }
        if (inet_pton(AF_INET6, text.c_str(), ip.bytes.data()) != 1) return {};
        ip.size = 16;
        static constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0,    0,
                                                              0, 0, 0, 0, 0xff, 0xff};
        if (std::ranges::equal(kMapped, std::span(ip.bytes).first(12))) {
            std::ranges::copy(std::span(ip.bytes).last(4), ip.bytes.begin());
            ip.size = 4;
        }
        return ip;
    }
    bool is_within(const Ip& other, std::size_t bits) const {
        if (size != other.size || bits > size * 8) return false;
        for (std::size_t i = 0; i < bits; ++i)
            if ((bytes[i / 8] ^ other.bytes[i / 8]) & (0x80U >> (i % 8))) return false;
        return true;
    }
    /// As the macro i spells it: dotted, nibbles for the long ones (§7.2).
    std::string dotted() const {
        std::string out;
        for (std::size_t i = 0; i < size; ++i) {
            if (i > 0) out += '.';
            if (size == 4) {
                out += std::to_string(bytes[i]);
            } else {
                constexpr std::string_view kDigits = "0123456789abcdef";
                out += {kDigits[bytes[i] >> 4], '.', kDigits[bytes[i] & 15]};
            }
        }
        return out;
    }
};

std::vector<std::string_view> split(std::string_view text, std::string_view delimiters) {
    std::vector<std::string_view> out;
    while (true) {
        const std::size_t end = text.find_first_of(delimiters);
        out.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return out;
        text.remove_prefix(end + 1);
    }
}

std::optional<std::size_t> number(std::string_view text) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return value;
}

/// What ends an evaluation before its verdict.
enum class Trouble { Permanent, Temporary };
template <typename T>
using Or = std::expected<T, Trouble>;

class Evaluation {
  public:
    Evaluation(const SpfQuestion& question, const Ip& ip, Resolver& resolver, SteadyTime until)
        : question_(question), ip_(ip), resolver_(resolver), until_(until) {}

    Or<AuthResult> check(const std::string& domain, int depth) {
        if (domain.empty() || domain.size() > kNameBytesMax || depth > kLookupsMax)
            return AuthResult::None;
        const DnsAnswer texts = resolver_.ask(domain, DnsType::Txt, until_);
        if (texts.kind == DnsAnswer::Kind::Failed) return std::unexpected(Trouble::Temporary);
        std::string record;
        for (const std::string& text : texts.values) {
            const std::string one = lower(text);
            if (one != "v=spf1" && !one.starts_with("v=spf1 ")) continue;
            if (!record.empty()) return std::unexpected(Trouble::Permanent);
            record = text;
        }
        if (record.empty()) return AuthResult::None;
        if (record.size() > kRecordBytesMax) return std::unexpected(Trouble::Permanent);
        return evaluate(record, domain, depth);
    }

  private:
    Or<AuthResult> evaluate(const std::string& record, const std::string& domain, int depth) {
        std::string redirect;
        bool is_first = true;
        for (std::string_view term : split(record, " ")) {
            if (std::exchange(is_first, false) || term.empty()) continue;
            const std::string low = lower(term);
            if (low.starts_with("redirect=")) {
                redirect = std::string(term.substr(9));
                continue;
            }
            const std::size_t name_end = low.find_first_of("=:/");
            if (name_end != std::string::npos && low[name_end] == '=') continue;
            AuthResult result = AuthResult::Pass;
            if (low[0] == '+' || low[0] == '-' || low[0] == '~' || low[0] == '?') {
                result = low[0] == '-'   ? AuthResult::Fail
                         : low[0] == '~' ? AuthResult::SoftFail
                         : low[0] == '?' ? AuthResult::Neutral
                                         : AuthResult::Pass;
                term.remove_prefix(1);
            }
            const Or<bool> matches = match(term, domain, depth);
            if (!matches) return std::unexpected(matches.error());
            if (*matches) return result;
        }
        if (redirect.empty()) return AuthResult::Neutral;
        const Or<std::string> target = expanded(redirect, domain);
        if (!target || ++lookups_ > kLookupsMax) return std::unexpected(Trouble::Permanent);
        const Or<AuthResult> result = check(*target, depth + 1);
        if (result && *result == AuthResult::None) return std::unexpected(Trouble::Permanent);
        return result;
    }

    Or<bool> match(std::string_view term, const std::string& domain, int depth) {
        const std::size_t end = std::min(term.find_first_of(":/"), term.size());
        const std::string name = lower(term.substr(0, end));
        const std::string_view rest = term.substr(end);
        if (name == "all") return true;
        if (name == "ip4" || name == "ip6") return match_ip(rest);
        if (name != "include" && name != "a" && name != "mx" && name != "exists" && name != "ptr")
            return std::unexpected(Trouble::Permanent);
        if (++lookups_ > kLookupsMax) return std::unexpected(Trouble::Permanent);
        // "ptr" is not to be used (§5.5): it matches nothing here.
        if (name == "ptr") return false;
        const std::size_t slash = name == "include" || name == "exists"
                                      ? rest.size()
                                      : std::min(rest.find('/'), rest.size());
        std::string target = domain;
        if (rest.starts_with(':')) {
            const Or<std::string> spelled = expanded(rest.substr(1, slash - 1), domain);
            if (!spelled) return std::unexpected(spelled.error());
            target = *spelled;
        }
        if (name == "include") return match_include(target, depth);
        if (name == "exists") {
            const Or<std::vector<std::string>> found = look(target, DnsType::A);
            if (!found) return std::unexpected(found.error());
            return !found->empty();
        }
        return match_hosts(name, target, rest.substr(slash));
    }

    Or<bool> match_ip(std::string_view rest) {
        if (!rest.starts_with(':')) return std::unexpected(Trouble::Permanent);
        rest.remove_prefix(1);
        const std::size_t slash = std::min(rest.find('/'), rest.size());
        const auto net = Ip::parse(std::string(rest.substr(0, slash)));
        if (!net) return std::unexpected(Trouble::Permanent);
        std::size_t bits = net->size * 8;
        if (slash < rest.size()) {
            const auto given = number(rest.substr(slash + 1));
            if (!given || *given > bits) return std::unexpected(Trouble::Permanent);
            bits = *given;
        }
        return ip_.is_within(*net, bits);
    }

    Or<bool> match_include(const std::string& target, int depth) {
        const Or<AuthResult> result = check(target, depth + 1);
        if (!result) return std::unexpected(result.error());
        if (*result == AuthResult::None) return std::unexpected(Trouble::Permanent);
        return *result == AuthResult::Pass;
    }

    /// "/24", "//64" or "/24//64" behind a or mx.
    Or<std::size_t> bits_of(std::string_view lengths) {
        std::size_t bits = ip_.size * 8;
        if (lengths.empty()) return bits;
        const std::size_t twice = lengths.find("//");
        const std::string_view mine =
            ip_.size == 4 ? lengths.substr(0, twice)
                          : (twice == std::string_view::npos ? "" : lengths.substr(twice + 1));
        if (mine.empty()) return bits;
        const auto given = number(mine.substr(1));
        if (!given || *given > bits) return std::unexpected(Trouble::Permanent);
        return *given;
    }

    Or<bool> match_hosts(const std::string& name, const std::string& target,
                         std::string_view lengths) {
        const Or<std::size_t> bits = bits_of(lengths);
        if (!bits) return std::unexpected(bits.error());
        std::vector<std::string> hosts{target};
        if (name == "mx") {
            const auto servers = look(target, DnsType::Mx);
            if (!servers) return std::unexpected(servers.error());
            if (servers->size() > kMailServersMax) return std::unexpected(Trouble::Permanent);
            hosts = *servers;
        }
        for (const std::string& host : hosts) {
            const auto addresses = look(host, ip_.size == 4 ? DnsType::A : DnsType::Aaaa);
            if (!addresses) return std::unexpected(addresses.error());
            for (const std::string& text : *addresses)
                if (const auto address = Ip::parse(text); address && ip_.is_within(*address, *bits))
                    return true;
        }
        return false;
    }

    Or<std::vector<std::string>> look(const std::string& name, DnsType type) {
        DnsAnswer answer = resolver_.ask(name, type, until_);
        if (answer.kind == DnsAnswer::Kind::Failed) return std::unexpected(Trouble::Temporary);
        if (answer.kind == DnsAnswer::Kind::Nothing && ++voids_ > kVoidLookupsMax)
            return std::unexpected(Trouble::Permanent);
        return std::move(answer.values);
    }

    /// Macros (§7): %{d2r-} and its kind.
    Or<std::string> expanded(std::string_view text, const std::string& domain) {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '%') {
                out += text[i];
                continue;
            }
            if (++i >= text.size()) return std::unexpected(Trouble::Permanent);
            if (text[i] == '%' || text[i] == '_' || text[i] == '-') {
                out += text[i] == '%' ? "%" : text[i] == '_' ? " " : "%20";
                continue;
            }
            const std::size_t close = text.find('}', i);
            if (text[i] != '{' || close == std::string_view::npos || close == i + 1)
                return std::unexpected(Trouble::Permanent);
            const Or<std::string> value = macro(text.substr(i + 1, close - i - 1), domain);
            if (!value) return value;
            out += *value;
            i = close;
        }
        while (out.size() > kNameBytesMax) {
            const std::size_t dot = out.find('.');
            if (dot == std::string::npos) return std::unexpected(Trouble::Permanent);
            out.erase(0, dot + 1);
        }
        return out;
    }

    Or<std::string> macro(std::string_view body, const std::string& domain) {
        const std::string_view sender = question_.sender;
        const std::size_t at = sender.rfind('@');
        std::string value;
        switch (body[0] | 0x20) {
            case 's':
                value = sender;
                break;
            case 'l':
                value = at == std::string_view::npos ? "postmaster" : sender.substr(0, at);
                break;
            case 'o':
                value = domain_of(sender);
                break;
            case 'd':
                value = domain;
                break;
            case 'i':
                value = ip_.dotted();
                break;
            case 'h':
                value = question_.helo;
                break;
            case 'v':
                value = ip_.size == 4 ? "in-addr" : "ip6";
                break;
            default:
                return std::unexpected(Trouble::Permanent);
        }
        body.remove_prefix(1);
        const std::size_t digits = std::min(body.find_first_not_of("0123456789"), body.size());
        const auto keep =
            digits > 0 ? number(body.substr(0, digits)) : std::optional<std::size_t>(0);
        body.remove_prefix(digits);
        const bool reversed = !body.empty() && (body[0] | 0x20) == 'r';
        if (reversed) body.remove_prefix(1);
        std::vector<std::string_view> parts = split(value, body.empty() ? "." : body);
        if (reversed) std::ranges::reverse(parts);
        const std::size_t skip =
            keep && *keep > 0 && *keep < parts.size() ? parts.size() - *keep : 0;
        std::string out;
        for (std::size_t i = skip; i < parts.size(); ++i)
            out.append(i > skip ? "." : "").append(parts[i]);
        return out;
    }

    const SpfQuestion& question_;
    const Ip& ip_;
    Resolver& resolver_;
    SteadyTime until_;
    int lookups_ = 0;
    int voids_ = 0;
};

}  // namespace

AuthResult check_spf(const SpfQuestion& question, Resolver& resolver, SteadyTime until) {
    const auto ip = Ip::parse(question.ip);
    if (!ip || question.domain.empty()) return AuthResult::Absent;
    return Evaluation(question, *ip, resolver, until)
        .check(lower(question.domain), 0)
        .value_or(AuthResult::Error);
}

}  // namespace hygie::mail
