#pragma once

#include <span>

#include "fhir/search/search_query.h"
#include "fhir/search/search_value.h"

/// Whether a value is what one alternative of a search asks for, by the rules of each type
/// (https://hl7.org/fhir/R4/search.html).
namespace hygie::fhir {

bool matches(const Token& value, const Operand& operand, Modifier modifier);
bool matches(const DateRange& value, const Operand& operand, Modifier modifier);
bool matches(const Amount& value, const Operand& operand, Modifier modifier);
bool matches(const Words& value, const Operand& operand, Modifier modifier);
bool matches(const Uri& value, const Operand& operand, Modifier modifier);
bool matches(const Reference& value, const Operand& operand, Modifier modifier);

/// Whether an identifier, with one code of its type, is what :of-type asks for.
bool matches_typed(const Token& type, const Token& value, const Operand& operand);

/// Letters A to Z without case: "When in doubt, servers SHOULD treat tokens in a case-insensitive
/// manner".
bool same_code(std::string_view left, std::string_view right);

}  // namespace hygie::fhir
