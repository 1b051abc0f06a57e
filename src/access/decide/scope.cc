#include "access/decide/scope.h"

#include <algorithm>
#include <array>
#include <utility>

#include "access/decide/scope_query.h"

namespace hygie::access {
namespace {

constexpr std::string_view kLetters = "cruds";  // in the order of Letter
constexpr auto kReaches = std::to_array<std::pair<std::string_view, Reach>>(
    {{"patient", Reach::Patient}, {"user", Reach::User}, {"system", Reach::System}});
constexpr auto kPlain = std::to_array<std::string_view>(
    {"openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter",
     "offline_access", "online_access", kAccountsScope});
constexpr std::size_t kTypeCharsMax = 64;

std::unexpected<Error> no_scope() {
    return fail(Code::BadInput, {"portée (scope) incorrecte", "bad scope"},
                {"écrivez par exemple patient/Observation.rs (SMART App Launch 2)",
                 "write for example patient/Observation.rs (SMART App Launch 2)"});
}

/// scope-token of RFC 6749 §3.3.
bool is_token(std::string_view text) {
    return !text.empty() && text.size() <= kScopeBytesMax && std::ranges::all_of(text, [](char c) {
        return c > ' ' && c <= '~' && c != '"' && c != '\\';
    });
}

bool is_type(std::string_view text) {
    if (text == "*") return true;
    return !text.empty() && text.size() <= kTypeCharsMax && text[0] >= 'A' && text[0] <= 'Z' &&
           std::ranges::all_of(
               text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

/// Zero when they are none: letters of "cruds" in that order, or a word of version 1.
std::uint8_t letters_of(std::string_view text) {
    if (text == "read") return kRead | kSearch;
    if (text == "write") return kCreate | kUpdate | kDelete;
    if (text == "*") return kCreate | kRead | kUpdate | kDelete | kSearch;
    unsigned letters = 0;
    std::size_t from = 0;
    for (const char c : text) {
        const std::size_t at = kLetters.find(c, from);
        if (at == std::string_view::npos) return 0;
        letters |= 1U << at;
        from = at + 1;
    }
    return static_cast<std::uint8_t>(letters);
}

bool has_condition(std::string_view query, std::string_view condition) {
    return ("&" + std::string(query) + "&").contains("&" + std::string(condition) + "&");
}

/// All conditions have to hold; each is said once.
std::string both(std::string left, std::string_view right) {
    while (!right.empty()) {
        const std::size_t end = std::min(right.find('&'), right.size());
        const std::string_view condition = right.substr(0, end);
        right.remove_prefix(std::min(end + 1, right.size()));
        if (!has_condition(left, condition))
            left += (left.empty() ? "" : "&") + std::string(condition);
    }
    return left;
}

/// What two scopes have in common; no letters when nothing.
Scope common(const Scope& left, const Scope& right) {
    const bool meet = left.reach == right.reach &&
                      (left.type == right.type || left.type == "*" || right.type == "*");
    if (!meet) return {};
    return {left.reach, left.type == "*" ? right.type : left.type,
            static_cast<std::uint8_t>(left.letters & right.letters), both(left.query, right.query)};
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty() && out.size() < kScopesMax) {
        const std::size_t blank = std::min(text.find(' '), text.size());
        if (blank > 0) out.push_back(text.substr(0, blank));
        text.remove_prefix(std::min(blank + 1, text.size()));
    }
    return out;
}

void add_once(std::vector<std::string>& out, std::string word) {
    if (out.size() < kScopesMax && word.size() <= kScopeBytesMax &&
        std::ranges::find(out, word) == out.end())
        out.push_back(std::move(word));
}

}  // namespace

Result<Scope> parse_scope(std::string_view text) {
    if (!is_token(text)) return no_scope();
    Scope scope;
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return no_scope();
    const auto reach = std::ranges::find(kReaches, text.substr(0, slash),
                                         &std::pair<std::string_view, Reach>::first);
    if (reach == kReaches.end()) return no_scope();
    scope.reach = reach->second;
    text.remove_prefix(slash + 1);
    const std::size_t mark = text.find('?');
    if (mark != std::string_view::npos) {
        scope.query = std::string(text.substr(mark + 1));
        if (!scope.query.contains('=')) return no_scope();
        text = text.substr(0, mark);
    }
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos || !is_type(text.substr(0, dot))) return no_scope();
    scope.type = std::string(text.substr(0, dot));
    scope.letters = letters_of(text.substr(dot + 1));
    if (scope.letters == 0) return no_scope();
    return scope;
}

Status check_grantable(const Scope& scope) {
    if (!scope.query.empty()) TRY(search_of(scope, WallTime{}));
    return {};
}

Status check_grantable(std::string_view wish) {
    for (const std::string_view word : words(wish))
        if (const Result<Scope> scope = parse_scope(word)) TRY_STATUS(check_grantable(*scope));
    return {};
}

std::string spell(const Scope& scope) {
    std::string text(
        std::ranges::find(kReaches, scope.reach, &std::pair<std::string_view, Reach>::second)
            ->first);
    text += "/" + scope.type + ".";
    for (std::size_t i = 0; i < kLetters.size(); ++i)
        if (scope.letters & 1U << i) text += kLetters[i];
    if (!scope.query.empty()) text += "?" + scope.query;
    return text;
}

bool is_plain_scope(std::string_view text) {
    return std::ranges::find(kPlain, text) != kPlain.end();
}

Letter letter_of(event::Action action) {
    switch (action) {
        case event::Action::Create:
            return kCreate;
        case event::Action::Read:
            return kRead;
        case event::Action::Update:
            return kUpdate;
        case event::Action::Delete:
            return kDelete;
        case event::Action::Execute:
            break;
    }
    return kSearch;
}

std::vector<std::string> narrow(std::string_view wish, std::span<const std::string> ceiling) {
    std::vector<std::string> out;
    for (const std::string_view word : words(wish)) {
        if (is_plain_scope(word)) {
            if (std::ranges::find(ceiling, word) != ceiling.end()) add_once(out, std::string(word));
            continue;
        }
        const Result<Scope> wanted = parse_scope(word);
        if (!wanted) continue;
        for (const std::string& limit : ceiling) {
            const Result<Scope> allowed = parse_scope(limit);
            if (!allowed) continue;
            const Scope left = common(*wanted, *allowed);
            if (left.letters != 0) add_once(out, spell(left));
        }
    }
    return out;
}

}  // namespace hygie::access
