#pragma once

#include <functional>
#include <span>
#include <vector>

#include "access/decide/decision.h"
#include "base/time.h"
#include "fhir/data/json.h"

namespace hygie::vault {

/// Who is tied to the patient, as this resource says (access/circles/circle_read.h): care teams,
/// encounters and where they are, appointments, episodes, general practitioners, requests and
/// tasks, guardians, and what the patient allows or opposes; none for other types, and none from
/// what was cancelled or entered in error. What is over ends when its period does, or, without one,
/// when it was written down.
std::vector<access::Relation> relations_of(fhir::Json resource, WallTime updated);

/// Those of `relations`, in order of person, that decide alike from now on: of what had begun when
/// it was `written` and lets the same person in in the same way, the one that lasts longest. What
/// keeps out, and what depends on another relation, stays whole.
std::vector<access::Relation> lasting(
    std::span<const access::Relation> relations,
    const std::function<WallTime(const access::Relation&)>& written);

}  // namespace hygie::vault
