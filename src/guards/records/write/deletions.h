#pragma once

#include "guards/records/write/plan.h"

/// What may go: a deletion leaves no orphans (https://hl7.org/fhir/R4/http.html#delete, 409).
namespace hygie::records {

/// Refuses to delete a Patient whose record holds anything else that stays, and, where the practice
/// chose `Completeness::Strict`, whatever a resource that stays refers to, as far as search
/// parameters tell.
Answer<void> check_deletions(Sight& sight, const Plan& plan);

}  // namespace hygie::records
