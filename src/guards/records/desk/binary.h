#pragma once

#include <string_view>

#include "fhir/data/json.h"
#include "guards/records/desk/desk.h"

/// A Binary as what it holds rather than as JSON: https://hl7.org/fhir/R4/binary.html#rest.
namespace hygie::records {

/// Whether a read of a Binary names neither JSON nor FHIR's XML: it wants the content itself.
bool wants_content(const Call& call);

/// The content of a stored Binary, to be saved and never shown as a page of ours.
Answer<http::Response> content_response(std::string_view body);

/// Whether a create or update brings content of any kind as a Binary.
bool brings_content(const Call& call);

/// The Binary it means: Content-Type, X-Security-Context and the body. Refuses what has no type, or
/// a context that is no reference.
Answer<fhir::Json> binary_of(fhir::Arena& arena, const Call& call);

}  // namespace hygie::records
