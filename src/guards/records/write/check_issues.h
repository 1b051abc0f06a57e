#pragma once

#include <string>
#include <string_view>

#include "guards/records/write/plan.h"

/// What the checks of a write have to say (checks.h), in words.
namespace hygie::records {

/// "Observation.status" of an entry is "Bundle.entry[3].resource.status".
std::string expression_in(const Step& step, std::string_view where);

/// Stored apart: only its author and programs will see it.
Issue lacks_patient(const Step& step);

/// A resource stays in the record it was written to: moving it would hide from one circle, and show
/// to another, what was meant for the first.
Issue moves(const Step& step);

/// Neither "Type/id" nor a URL nor "#contained".
Issue is_malformed(const Step& step);

/// What says that the writer had only a part in hand: to store it would wipe out the rest
/// (https://hl7.org/fhir/R4/search.html#summary).
Issue is_a_part(const Step& step);

/// Filed with one patient, and said to belong to what was done for another.
Issue belongs_elsewhere(const Step& step, std::string_view element);

}  // namespace hygie::records
