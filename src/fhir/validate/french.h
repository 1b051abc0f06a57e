#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "fhir/data/json.h"
#include "fhir/validate/validate.h"

/// Identity in France: the national health identifier (INS) and what FR Core asks of a patient who
/// has one (https://hl7.fr/ig/fhir/core, référentiel INS of the ANS, RNIV).
namespace hygie::fhir {

enum class InsFit : std::uint8_t {
    NotIns,  ///< the system is not one of the four of INS
    Fits,
    WrongShape,  ///< not sex, year, month, department, commune, order and key: 15 characters
    WrongKey,    ///< the key is not 97 less the remainder of the thirteen digits by 97
};
/// A matricule INS (NIR or NIA, real, test or demonstration) by its system ("urn:oid:…") and value.
InsFit fit_of_ins(std::string_view system, std::string_view value);

/// Numbers of professionals and places: RPPS, ADELI, FINESS, SIREN, SIRET, and the forms of the
/// national identifiers of professionals (IDNPS) and structures (IDNST), which begin with the kind
/// of number that follows.
enum class ProfessionalFit : std::uint8_t {
    NotOne,  ///< of another system
    Fits,
    WrongShape,  ///< not the digits that the system has
    WrongKey,    ///< the last digit is not the key of Luhn
};
ProfessionalFit fit_of_professional(std::string_view system, std::string_view value);

/// Whether the identity is qualified: a matricule INS that fits, and a status that says it was
/// validated (identityStatus VALI).
bool has_qualified_identity(Json patient);

/// Its INS numbers in use ("use" is not "old"), as "system|value"; those that do not fit left out.
std::vector<std::string> ins_numbers(Json patient);

/// Traits that the référentiel national d'identitovigilance calls strict, as far as two versions of
/// a Patient can be compared by them: birth name, given names of birth, sex, birth date, birth
/// place.
enum class Trait : std::uint8_t { BirthName, GivenNames, Sex, BirthDate, BirthPlace };
/// Those that differ. A trait that `before` does not have may be added.
std::vector<Trait> changed_traits(Json before, Json after);
Text name_of(Trait trait);

/// What an INS number in use says otherwise than the resource: Sex or BirthDate. The number is kept
/// for life, so that the resource may be right.
std::vector<Trait> traits_against_ins(Json patient);

/// The canonical of the FR Core profile that is checked here as code.
inline constexpr std::string_view kFrenchPatientIns =
    "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-ins";

/// What is wrong with the INS identifiers of any Patient: shape, key, two numbers of one kind, and
/// a status "validated" without any number (fr-core-1). `where` is below "Patient".
std::vector<Issue> check_ins(Json patient);
/// What is wrong with a Patient that claims fr-core-patient-ins, besides that: identity status,
/// birth place with its INSEE code, official name with the list of birth names, sex, birth date.
std::vector<Issue> check_french_ins_profile(Json patient);

}  // namespace hygie::fhir
