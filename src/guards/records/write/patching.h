#pragma once

#include <string_view>

#include "guards/records/write/change.h"

namespace hygie::records {

/// The current body with a patch applied: JSON Patch (RFC 6902) or FHIRPath Patch
/// (https://hl7.org/fhir/R4/fhirpatch.html). Refuses (422) a patch that does not fit, and one that
/// changes what the resource is: its type or its id.
Answer<fhir::Json> patched(fhir::Arena& arena, std::string_view current, const Change& change);

}  // namespace hygie::records
