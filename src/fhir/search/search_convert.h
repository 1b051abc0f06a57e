#pragma once

#include <vector>

#include "fhir/data/json.h"
#include "fhir/data/schema.h"
#include "fhir/search/search_value.h"

/// From an element to what search compares (https://hl7.org/fhir/R4/search.html, the tables under
/// each type of parameter).
namespace hygie::fhir {

/// Appends the values of one element; nothing when it has none or is malformed.
using Convert = void (*)(Json element, std::vector<SearchValue>& out);

/// How elements of a type become values for parameters of a kind; null when they have none.
Convert converter_of(SearchParam::Type kind, const TypeDef& type);

/// Whether it makes values of an Identifier.
bool is_of_identifier(Convert convert);

}  // namespace hygie::fhir
