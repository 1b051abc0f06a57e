#pragma once

#include <string_view>

#include "base/text.h"
#include "fhir/data/json.h"

/// The values that primitive types may have (https://hl7.org/fhir/R4/datatypes.html#primitive):
/// their patterns, spelled as code.
namespace hygie::fhir {

/// Says whether a JSON value is one of its type, and why not.
struct PrimitiveType {
    Json::Kind kind = Json::Kind::String;  ///< True stands for both booleans
    bool (*accepts)(std::string_view text) = nullptr;
    std::string_view fr;  ///< what is asked for: "une date (AAAA, AAAA-MM ou AAAA-MM-JJ)"
    std::string_view en;

    bool has(Json value) const;
};

/// Of a FHIR primitive by name; null for what is none ("xhtml" included: see validate_xhtml.h).
const PrimitiveType* primitive_type(std::string_view name);

bool is_id(std::string_view text);    ///< 1 to 64 letters, digits, '-' and '.'
bool is_date(std::string_view text);  ///< of the calendar: 2021-02-29 is none

}  // namespace hygie::fhir
