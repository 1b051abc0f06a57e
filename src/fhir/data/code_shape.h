#pragma once

#include <cstdint>
#include <string_view>

/// Codes of large systems, told by their shape and check digit alone.
namespace hygie::fhir {

enum class CodeFit : std::uint8_t {
    Fits,        ///< or the system's shapes are not known here
    WrongShape,  ///< no code of that system can look so
    WrongKey,    ///< the check digit is wrong
};

/// SNOMED CT: 6 to 18 digits, the last by Verhoeff (expressions are left alone); LOINC: digits, a
/// hyphen and a digit of Luhn's kind (parts and answers, "LP…" and "LA…", by shape).
CodeFit fit_of(std::string_view system, std::string_view code);

}  // namespace hygie::fhir
