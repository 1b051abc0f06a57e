#pragma once

#include <string_view>
#include <vector>

#include "access/decide/decision.h"
#include "access/decide/scope.h"

namespace hygie::access {

/// Whether one of the actor's scopes covers the act. One that names a search ("?category=…")
/// counts: which resources it leaves is judged where they are known, by bounds_of(). patient/
/// scopes count for the patient alone.
bool within_scopes(const Actor& actor, event::Action action, std::string_view type);

/// The searches one of which a resource of that type must match, because no scope covers all of
/// them; empty when one does.
std::vector<Scope> bounds_of(const Actor& actor, event::Action action, std::string_view type);

}  // namespace hygie::access
