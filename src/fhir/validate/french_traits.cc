#include <algorithm>

#include "fhir/search/search_value.h"
#include "fhir/validate/french.h"

/// The strict traits of an identity, compared (référentiel national d'identitovigilance).
namespace hygie::fhir {

namespace {

constexpr std::string_view kBirthPlace =
    "http://hl7.org/fhir/StructureDefinition/patient-birthPlace";
constexpr std::string_view kBirthNames =
    "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name";
constexpr std::string_view kInseeCode =
    "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code";

Json extension_of(Json element, std::string_view url) {
    for (const Json one : element["extension"].items())
        if (one["url"].text() == url) return one;
    return {};
}

/// The name of birth; the first name when none says that it is.
Json official_name(Json patient) {
    for (const Json name : patient["name"].items())
        if (name["use"].text() == "official") return name;
    const auto names = patient["name"].items();
    return names.empty() ? Json() : names.front();
}

std::string given_names(Json name) {
    if (const Json all = extension_of(name, kBirthNames)) return fold(all["valueString"].text());
    std::string joined;
    for (const Json given : name["given"].items()) {
        joined += given.text();
        joined += ' ';
    }
    return fold(joined);
}

std::string birth_place(Json patient) {
    const Json place = extension_of(patient, kBirthPlace)["valueAddress"];
    const Json insee = extension_of(place, kInseeCode)["valueCoding"]["code"];
    return std::string(insee ? insee.text() : place["city"].text());
}

std::string trait_of(Json patient, Trait trait) {
    const Json name = official_name(patient);
    switch (trait) {
        case Trait::BirthName:
            return fold(name["family"].text());
        case Trait::GivenNames:
            return given_names(name);
        case Trait::Sex:
            return std::string(patient["gender"].text());
        case Trait::BirthDate:
            return std::string(patient["birthDate"].text());
        case Trait::BirthPlace:
            return birth_place(patient);
    }
    return {};
}

constexpr Trait kTraits[] = {Trait::BirthName, Trait::GivenNames, Trait::Sex, Trait::BirthDate,
                             Trait::BirthPlace};

int two_digits(std::string_view text, std::size_t at) {
    return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

/// 1, 3 and 7 are for men, 2, 4 and 8 for women.
bool fits_sex(char digit, std::string_view gender) {
    if (gender == "male") return std::string_view("137").contains(digit);
    if (gender == "female") return std::string_view("248").contains(digit);
    return true;
}

/// Years and months in the number that stand for "not known" fit every date.
bool fits_birth(std::string_view number, std::string_view date) {
    constexpr std::size_t kMonthLength = 7;  // "1980-01"
    constexpr int kMonths = 12;
    if (date.size() >= 4 && two_digits(number, 1) != two_digits(date, 2)) return false;
    const int month = two_digits(number, 3);
    return date.size() < kMonthLength || month > kMonths || month == two_digits(date, 5);
}

}  // namespace

std::vector<std::string> ins_numbers(Json patient) {
    std::vector<std::string> numbers;
    for (const Json identifier : patient["identifier"].items()) {
        const auto system = identifier["system"].text();
        const auto value = identifier["value"].text();
        if (identifier["use"].text() == "old" || fit_of_ins(system, value) != InsFit::Fits)
            continue;
        numbers.push_back(std::string(system) + '|' + std::string(value));
    }
    return numbers;
}

std::vector<Trait> changed_traits(Json before, Json after) {
    std::vector<Trait> changed;
    for (const Trait trait : kTraits) {
        const std::string was = trait_of(before, trait);
        if (!was.empty() && was != trait_of(after, trait)) changed.push_back(trait);
    }
    return changed;
}

Text name_of(Trait trait) {
    switch (trait) {
        case Trait::BirthName:
            return {"le nom de naissance", "the birth name"};
        case Trait::GivenNames:
            return {"les prénoms de naissance", "the given names of birth"};
        case Trait::Sex:
            return {"le sexe", "the sex"};
        case Trait::BirthDate:
            return {"la date de naissance", "the birth date"};
        case Trait::BirthPlace:
            return {"le lieu de naissance", "the birth place"};
    }
    return {};
}

std::vector<Trait> traits_against_ins(Json patient) {
    std::vector<Trait> against;
    for (const std::string& one : ins_numbers(patient)) {
        const std::string_view number = std::string_view(one).substr(one.find('|') + 1);
        if (!fits_sex(number[0], patient["gender"].text())) against.push_back(Trait::Sex);
        if (!fits_birth(number, patient["birthDate"].text())) against.push_back(Trait::BirthDate);
    }
    std::ranges::sort(against);
    against.erase(std::ranges::unique(against).begin(), against.end());
    return against;
}

}  // namespace hygie::fhir
