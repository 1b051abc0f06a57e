#pragma once

#include <string>
#include <string_view>

/// A resource without what identifies a person directly, for whoever studies or codes.
namespace hygie::fhir {

/// What is left of a resource: codes, numbers, dates, and where references lead. It goes by the
/// types of R4, and what is not known to be harmless is left out: names, addresses, numbers of
/// persons, photographs and files, narrative and every other text, extensions, contained resources;
/// of a date of birth the year. What is no resource of R4 leaves nothing but its type. Logical ids
/// stay: they are pseudonyms of this house.
std::string minimised(std::string_view body);

}  // namespace hygie::fhir
