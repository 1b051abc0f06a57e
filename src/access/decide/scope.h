#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/event.h"

/// SMART App Launch 2 scopes (hl7.org/fhir/smart-app-launch, "Scopes and Launch Context"): ceilings
/// over what an actor may do, never grants. Version 1 spellings (.read, .write, .*) are accepted.
namespace hygie::access {

/// Whose data a scope speaks about.
enum class Reach : std::uint8_t { Patient = 1, User = 2, System = 3 };

/// Letters of the v2 syntax, as bits.
enum Letter : std::uint8_t { kCreate = 1, kRead = 2, kUpdate = 4, kDelete = 8, kSearch = 16 };

/// "patient/Observation.rs?category=laboratory"
struct Scope {
    Reach reach = Reach::User;
    std::string type;          ///< FHIR resource type, or "*"
    std::uint8_t letters = 0;  ///< of Letter
    std::string query;         ///< search that a resource must match; empty: every resource
    bool operator==(const Scope&) const = default;
};

inline constexpr std::size_t kScopeBytesMax = 512;
inline constexpr std::size_t kScopesMax = 64;

/// Code::BadInput for anything but a scope over resources.
Result<Scope> parse_scope(std::string_view text);
/// Code::BadInput for a scope that bounds by a search no door here can judge (scope_query.h): it is
/// refused when it is asked for, and never half kept.
Status check_grantable(const Scope& scope);
/// The same for each word of a wish; words that are no scope are left to narrow().
Status check_grantable(std::string_view wish);
/// In v2 spelling; parse_scope() gives the same scope back.
std::string spell(const Scope& scope);
/// Lets a program keep the list of accounts (SCIM).
inline constexpr std::string_view kAccountsScope = "hygie/accounts";
/// "openid", "fhirUser", "launch"…: scopes that say nothing about resources.
bool is_plain_scope(std::string_view text);

/// The letter an action needs. Execute is a search.
Letter letter_of(event::Action action);

/// What remains of the wish under a ceiling, scope by scope; nothing new ever appears. Empty when
/// nothing remains. Both are texts separated by blanks; unknown words of the wish fall away.
std::vector<std::string> narrow(std::string_view wish, std::span<const std::string> ceiling);

}  // namespace hygie::access
