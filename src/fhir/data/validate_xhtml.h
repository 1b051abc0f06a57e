#pragma once

#include <string_view>

#include "base/result.h"

namespace hygie::fhir {

/// Whether a narrative is well-formed XHTML of the kind FHIR allows
/// (https://hl7.org/fhir/R4/narrative.html#xhtml, rules txt-1 and txt-2): one div in its namespace,
/// basic formatting only, no script, form, frame, event or foreign entity, and something to read.
/// Code::BadInput says which rule is broken, without the text.
Status check_narrative(std::string_view div);

}  // namespace hygie::fhir
