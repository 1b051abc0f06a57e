#pragma once

#include "fhir/data/json.h"
#include "guards/records/request/refusal.h"

namespace hygie::records {

/// FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html): a Parameters resource of operations.
/// Refuses (422) one that does not fit; its expression names the parameter.
Answer<fhir::Json> path_patched(fhir::Arena& arena, fhir::Json document, fhir::Json patch);

}  // namespace hygie::records
