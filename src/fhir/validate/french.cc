#include "fhir/validate/french.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hygie::fhir {

namespace {

constexpr std::string_view kReliability =
    "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability";
constexpr std::string_view kBirthPlace =
    "http://hl7.org/fhir/StructureDefinition/patient-birthPlace";
constexpr std::string_view kInseeCode =
    "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code";
constexpr std::string_view kBirthNames =
    "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name";

/// The authorities of the référentiel INS, and the type and use that FR Core gives their numbers.
struct Authority {
    std::string_view system, type, use;
};
constexpr std::array<Authority, 4> kAuthorities = {
    {{"urn:oid:1.2.250.1.213.1.4.8", "INS-NIR", "official"},
     {"urn:oid:1.2.250.1.213.1.4.9", "INS-NIA", "temp"},
     {"urn:oid:1.2.250.1.213.1.4.10", "INS-NIR-TEST", "official"},
     {"urn:oid:1.2.250.1.213.1.4.11", "INS-NIR-DEMO", "official"}}};

const Authority* authority_of(std::string_view system) {
    const auto* const found = std::ranges::find(kAuthorities, system, &Authority::system);
    return found == kAuthorities.end() ? nullptr : found;
}

bool all_digits(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

int number_of(std::string_view digits) {
    int number = 0;
    for (const char c : digits) number = number * 10 + (c - '0');
    return number;
}

/// Months of birth, and the codes for those who know none.
bool is_month(int month) {
    return (month >= 1 && month <= 12) || month == 20 || (month >= 30 && month <= 42) ||
           month >= 50;
}

Json extension_of(Json element, std::string_view url) {
    for (const Json one : element["extension"].items())
        if (one["url"].text() == url) return one;
    return {};
}

std::size_t count_extensions(Json element, std::string_view url) {
    return static_cast<std::size_t>(std::ranges::count_if(
        element["extension"].items(), [&](Json one) { return one["url"].text() == url; }));
}

bool is_validated(Json patient) {
    for (const Json one : patient["extension"].items()) {
        if (one["url"].text() != kReliability) continue;
        const Json status = extension_of(one, "identityStatus");
        if (status["valueCoding"]["code"].text() == "VALI") return true;
    }
    return false;
}

class Issues {
  public:
    void add(Issue::Type type, std::string_view where, Text text) {
        issues_.push_back(
            {Issue::Severity::Error, type, fmt::format("Patient.{}", where), std::move(text)});
    }
    std::vector<Issue> take() { return std::move(issues_); }

  private:
    std::vector<Issue> issues_;
};

bool has_type(Json identifier, std::string_view code) {
    return std::ranges::any_of(identifier["type"]["coding"].items(),
                               [&](Json coding) { return coding["code"].text() == code; });
}

void check_slices(Json patient, Issues& issues) {
    std::size_t index = 0;
    for (const Json identifier : patient["identifier"].items()) {
        const auto where = fmt::format("identifier[{}]", index++);
        const Authority* const authority = authority_of(identifier["system"].text());
        if (!authority) continue;
        if (identifier["use"].text() != authority->use)
            issues.add(
                Issue::Type::Value, where + ".use",
                {fmt::format("L’usage d’un matricule {} est « {} ».", authority->type,
                             authority->use),
                 fmt::format("The use of an {} number is “{}”.", authority->type, authority->use)});
        if (!has_type(identifier, authority->type))
            issues.add(Issue::Type::Required, where + ".type",
                       {fmt::format("Le type « {} » est attendu.", authority->type),
                        fmt::format("The type “{}” is expected.", authority->type)});
    }
}

void check_official_name(Json patient, Issues& issues) {
    std::size_t index = 0;
    std::size_t official = 0;
    for (const Json name : patient["name"].items()) {
        const auto where = fmt::format("name[{}]", index++);
        if (name["use"].text() != "official") continue;
        ++official;
        if (!name["family"])
            issues.add(Issue::Type::Required, where + ".family",
                       {"Le nom de naissance est obligatoire.", "The birth name is mandatory."});
        if (name["given"].size() != 1)
            issues.add(Issue::Type::Structure, where + ".given",
                       {"Le premier prénom de naissance, et lui seul, est attendu.",
                        "The first given name of birth, and it alone, is expected."});
        if (count_extensions(name, kBirthNames) != 1)
            issues.add(Issue::Type::Required, where + ".extension",
                       {"La liste des prénoms de naissance est obligatoire, une fois.",
                        "The list of given names of birth is mandatory, once."});
    }
    if (official != 1)
        issues.add(Issue::Type::Required, "name",
                   {"Un nom d’usage « official », et un seul, est obligatoire.",
                    "One name of use “official”, and only one, is mandatory."});
}

}  // namespace

InsFit fit_of_ins(std::string_view system, std::string_view value) {
    const Authority* const authority = authority_of(system);
    if (!authority) return InsFit::NotIns;
    constexpr std::size_t kSize = 15;
    constexpr std::size_t kKeySize = 2;
    constexpr std::int64_t kModulus = 97;
    if (value.size() != kSize) return InsFit::WrongShape;
    // Corsica: 2A counts as 19, 2B as 18.
    std::string digits(value);
    if (digits.substr(5, 2) == "2A") digits.replace(5, 2, "19");
    if (digits.substr(5, 2) == "2B") digits.replace(5, 2, "18");
    if (!all_digits(digits)) return InsFit::WrongShape;
    // 3, 4, 7 and 8 are for numbers that wait to be confirmed.
    const bool is_sex = std::string_view("123478").contains(digits[0]);
    if (!is_sex || !is_month(number_of(std::string_view(digits).substr(3, 2))))
        return InsFit::WrongShape;
    std::int64_t rest = 0;
    for (const char c : std::string_view(digits).substr(0, kSize - kKeySize))
        rest = (rest * 10 + (c - '0')) % kModulus;
    const int key = number_of(std::string_view(digits).substr(kSize - kKeySize));
    return kModulus - rest == key ? InsFit::Fits : InsFit::WrongKey;
}

bool has_qualified_identity(Json patient) {
    return is_validated(patient) &&
           std::ranges::any_of(patient["identifier"].items(), [](Json identifier) {
               return fit_of_ins(identifier["system"].text(), identifier["value"].text()) ==
                      InsFit::Fits;
           });
}

std::vector<Issue> check_ins(Json patient) {
    Issues issues;
    std::size_t index = 0;
    std::size_t numbers = 0;
    std::vector<std::string_view> systems;
    for (const Json identifier : patient["identifier"].items()) {
        const auto where = fmt::format("identifier[{}].value", index++);
        const auto system = identifier["system"].text();
        // A number that was replaced stays known as "old".
        const bool is_old = identifier["use"].text() == "old";
        const auto fit = fit_of_ins(system, identifier["value"].text());
        if (fit == InsFit::NotIns) continue;
        ++numbers;
        if (fit == InsFit::WrongShape)
            issues.add(Issue::Type::Value, where,
                       {"Un matricule INS a 15 caractères : sexe, année, mois, département, "
                        "commune, ordre, clé.",
                        "An INS number has 15 characters: sex, year, month, department, commune, "
                        "order, key."});
        if (fit == InsFit::WrongKey)
            issues.add(Issue::Type::Value, where,
                       {"La clé du matricule INS est fausse : une erreur de saisie.",
                        "The key of the INS number is wrong: a slip in typing."});
        if (!is_old && std::ranges::find(systems, system) != systems.end())
            issues.add(Issue::Type::Structure, where,
                       {"Une personne n’a qu’un matricule INS de chaque sorte.",
                        "A person has only one INS number of each kind."});
        if (!is_old) systems.push_back(system);
    }
    if (numbers == 0 && is_validated(patient))
        issues.add(Issue::Type::Invariant, "identifier",
                   {"Une identité validée a un matricule INS (fr-core-1).",
                    "A validated identity has an INS number (fr-core-1)."});
    return issues.take();
}

std::vector<Issue> check_french_ins_profile(Json patient) {
    Issues issues;
    const auto require = [&](auto is_there, std::string_view where, Text text) {
        if (!static_cast<bool>(is_there)) issues.add(Issue::Type::Required, where, std::move(text));
    };
    require(extension_of(patient, kReliability), "extension",
            {"Le statut de l’identité est obligatoire.", "The identity status is mandatory."});
    const Json place = extension_of(patient, kBirthPlace);
    require(count_extensions(patient, kBirthPlace) == 1 &&
                extension_of(place["valueAddress"], kInseeCode),
            "extension",
            {"Le lieu de naissance, avec son code INSEE, est obligatoire, une fois.",
             "The birth place, with its INSEE code, is mandatory, once."});
    require(patient["identifier"], "identifier",
            {"Un identifiant est obligatoire.", "An identifier is mandatory."});
    require(patient["birthDate"], "birthDate",
            {"La date de naissance est obligatoire.", "The birth date is mandatory."});
    const auto gender = patient["gender"].text();
    require(!gender.empty() && gender != "other", "gender",
            {"Le sexe est obligatoire : male, female ou unknown.",
             "The gender is mandatory: male, female or unknown."});
    check_slices(patient, issues);
    check_official_name(patient, issues);
    return issues.take();
}

}  // namespace hygie::fhir
