#include <algorithm>

#include "fhir/validate/french.h"

#include "base/ascii.h"

/// The numbers of health professionals and of places of care (ANS, "annuaire santé"; INSEE for
/// SIREN and SIRET).
namespace hygie::fhir {

namespace {

enum class Kind : std::uint8_t { Rpps, Adeli, Finess, Siren, Siret };

struct System {
    std::string_view url;
    Kind kind;
};
constexpr System kSystems[] = {
    {"https://rpps.esante.gouv.fr", Kind::Rpps},   {"http://rpps.fr", Kind::Rpps},
    {"https://adeli.esante.gouv.fr", Kind::Adeli}, {"https://finess.esante.gouv.fr", Kind::Finess},
    {"http://finess.sante.gouv.fr", Kind::Finess},
};
constexpr std::string_view kIdnps = "urn:oid:1.2.250.1.71.4.2.1";
constexpr std::string_view kIdnst = "urn:oid:1.2.250.1.71.4.2.2";

/// Whether the digits add up to a multiple of ten, every second one from the right doubled.
bool has_luhn_key(std::string_view digits) {
    int sum = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const int digit = (digits[digits.size() - 1 - i] - '0') * (i % 2 == 1 ? 2 : 1);
        sum += digit > 9 ? digit - 9 : digit;
    }
    return sum % 10 == 0;
}

constexpr std::size_t length_of(Kind kind) {
    return kind == Kind::Rpps ? 11 : kind == Kind::Siret ? 14 : 9;
}

ProfessionalFit fit_of(Kind kind, std::string_view value) {
    if (value.size() != length_of(kind)) return ProfessionalFit::WrongShape;
    // Departments 2A and 2B are written so in the numbers that begin with one; their key is not
    // reckoned here.
    const bool has_department = kind == Kind::Adeli || kind == Kind::Finess;
    const bool is_corsican = has_department && (value[1] == 'A' || value[1] == 'B');
    if (!std::ranges::all_of(is_corsican ? value.substr(2) : value, is_digit))
        return ProfessionalFit::WrongShape;
    // How the key of ADELI is made is not published; La Poste has SIRETs with another one.
    const bool is_of_la_poste = kind == Kind::Siret && value.starts_with("356000000");
    if (is_corsican || kind == Kind::Adeli || is_of_la_poste || has_luhn_key(value))
        return ProfessionalFit::Fits;
    return ProfessionalFit::WrongKey;
}

/// "8" and an RPPS, "0" and an ADELI; other kinds are of places and internal numbers.
ProfessionalFit fit_of_idnps(std::string_view value) {
    if (value.starts_with('8')) return fit_of(Kind::Rpps, value.substr(1));
    if (value.starts_with('0')) return fit_of(Kind::Adeli, value.substr(1));
    return ProfessionalFit::Fits;
}

/// "1" and a FINESS, "2" and a SIREN, "3" and a SIRET.
ProfessionalFit fit_of_idnst(std::string_view value) {
    if (value.starts_with('1')) return fit_of(Kind::Finess, value.substr(1));
    if (value.starts_with('2')) return fit_of(Kind::Siren, value.substr(1));
    if (value.starts_with('3')) return fit_of(Kind::Siret, value.substr(1));
    return ProfessionalFit::Fits;
}

}  // namespace

ProfessionalFit fit_of_professional(std::string_view system, std::string_view value) {
    if (value.empty()) return ProfessionalFit::NotOne;
    if (system == kIdnps) return fit_of_idnps(value);
    if (system == kIdnst) return fit_of_idnst(value);
    const auto* const known = std::ranges::find(kSystems, system, &System::url);
    return known == std::end(kSystems) ? ProfessionalFit::NotOne : fit_of(known->kind, value);
}

}  // namespace hygie::fhir
