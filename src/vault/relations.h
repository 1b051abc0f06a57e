#pragma once

#include <vector>

#include "access/decision.h"
#include "base/time.h"
#include "fhir/json.h"

namespace hygie::vault {

/// Who is tied to the patient, as this resource says (access/circle_read.h): care teams, encounters
/// and where they are, appointments, episodes, general practitioners, requests and tasks,
/// guardians, and what the patient allows or opposes; none for other types, and none from what was
/// cancelled or entered in error. What is over ends when its period does, or, without one, when it
/// was written down.
std::vector<access::Relation> relations_of(fhir::Json resource, WallTime updated);

}  // namespace hygie::vault
