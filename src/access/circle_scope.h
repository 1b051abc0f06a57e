#pragma once

#include <string_view>

#include "access/decision.h"

namespace hygie::access {

/// Whether one of the actor's scopes covers the act. A scope that names a search ("?category=…") is
/// not counted: the decision does not see the resource. patient/ scopes count for the patient
/// alone.
bool within_scopes(const Actor& actor, event::Action action, std::string_view type);

}  // namespace hygie::access
