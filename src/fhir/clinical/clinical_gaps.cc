#include <fmt/format.h>

#include <algorithm>

#include "fhir/clinical/clinical.h"
#include "fhir/validate/french.h"

/// gaps(): what a record must hold, by type and by who keeps it.
namespace hygie::fhir {

namespace {

enum class Need : std::uint8_t {
    Must,         ///< wherever it is kept
    MustInHouse,  ///< in an establishment; elsewhere it should be there
    Should,
};

/// One of the elements of `any` (between spaces; a choice without its type) must be there.
struct Wanted {
    std::string_view type;
    std::string_view any;
    Need need;
    std::string_view fr, en;
};
constexpr Wanted kWanted[] = {
    {"Patient", "name", Need::Must, "le nom", "the name"},
    {"Patient", "gender", Need::Must, "le sexe", "the gender"},
    {"Patient", "birthDate", Need::Must, "la date de naissance", "the birth date"},
    {"Patient", "identifier", Need::MustInHouse, "un identifiant", "an identifier"},
    {"Patient", "telecom address contact", Need::Should, "un moyen de joindre le patient",
     "a way to reach the patient"},
    {"Practitioner", "name", Need::Must, "le nom", "the name"},
    {"Practitioner", "identifier", Need::MustInHouse, "un identifiant (RPPS)",
     "an identifier (RPPS)"},
    {"Organization", "name identifier", Need::Must, "le nom ou un identifiant",
     "the name or an identifier"},
    {"Encounter", "period", Need::Must, "la période", "the period"},
    {"Encounter", "subject", Need::Must, "le patient", "the patient"},
    {"Encounter", "participant", Need::MustInHouse, "qui a reçu le patient", "who saw the patient"},
    {"Encounter", "type reasonCode reasonReference", Need::Should, "le motif", "the reason"},
    {"Condition", "code", Need::Must, "ce dont il s’agit (code)", "what it is (code)"},
    {"Condition", "onset recordedDate", Need::Should, "depuis quand, ou la date de saisie",
     "since when, or the date of recording"},
    {"Condition", "recorder asserter", Need::MustInHouse, "qui l’a noté", "who recorded it"},
    {"AllergyIntolerance", "code", Need::Must, "la substance (code)", "the substance (code)"},
    {"AllergyIntolerance", "recorder asserter", Need::MustInHouse, "qui l’a noté",
     "who recorded it"},
    {"AllergyIntolerance", "reaction criticality", Need::Should, "la réaction ou sa gravité",
     "the reaction or its gravity"},
    {"Observation", "value dataAbsentReason component hasMember", Need::Must,
     "la valeur, ou la raison de son absence", "the value, or why it is absent"},
    {"Observation", "subject", Need::Must, "le patient", "the patient"},
    {"Observation", "effective", Need::Must, "la date", "the date"},
    {"Observation", "performer", Need::MustInHouse, "qui l’a faite", "who made it"},
    {"DiagnosticReport", "result presentedForm conclusion conclusionCode media imagingStudy",
     Need::Must, "un résultat, un document ou une conclusion",
     "a result, a document or a conclusion"},
    {"DiagnosticReport", "effective issued", Need::Must, "la date", "the date"},
    {"Procedure", "code", Need::Must, "l’acte (code)", "the act (code)"},
    {"Procedure", "performed", Need::Must, "la date", "the date"},
    {"Procedure", "performer", Need::MustInHouse, "qui l’a fait", "who did it"},
    {"Immunization", "lotNumber", Need::Should, "le numéro de lot", "the lot number"},
    {"Immunization", "performer", Need::MustInHouse, "qui a vacciné", "who vaccinated"},
    {"MedicationRequest", "authoredOn", Need::Must, "la date de prescription",
     "the date of the prescription"},
    {"MedicationRequest", "requester", Need::Must, "le prescripteur", "the prescriber"},
    {"MedicationRequest", "dosageInstruction", Need::MustInHouse, "la posologie", "the dosage"},
    {"MedicationStatement", "effective dateAsserted", Need::Should, "la date", "the date"},
    {"MedicationAdministration", "dosage", Need::MustInHouse, "la dose", "the dose"},
    {"ServiceRequest", "code", Need::Must, "ce qui est demandé (code)", "what is asked for (code)"},
    {"ServiceRequest", "requester", Need::MustInHouse, "le demandeur", "who asks"},
    {"DocumentReference", "type", Need::MustInHouse, "le type de document", "the type of document"},
    {"DocumentReference", "date", Need::Should, "la date", "the date"},
    {"DocumentReference", "author", Need::MustInHouse, "l’auteur", "the author"},
    {"Appointment", "start requestedPeriod", Need::Must, "la date", "the date"},
    {"Consent", "dateTime", Need::Must, "la date", "the date"},
    {"CareTeam", "participant", Need::Must, "un membre", "a member"},
    {"Communication", "payload", Need::Should, "le contenu", "the content"},
    {"Coverage", "beneficiary", Need::Must, "le bénéficiaire", "the beneficiary"},
};

/// Whether the object has the element, in any of the forms of a choice.
bool has(Json resource, std::string_view element) {
    return std::ranges::any_of(resource.members(), [&](const Member& member) {
        const auto name = member.name.substr(member.name.starts_with('_') ? 1 : 0);
        if (!name.starts_with(element)) return false;
        const auto rest = name.substr(element.size());
        return rest.empty() || (rest[0] >= 'A' && rest[0] <= 'Z');
    });
}

bool has_one(Json resource, std::string_view any) {
    while (!any.empty()) {
        const auto end = std::min(any.find(' '), any.size());
        if (has(resource, any.substr(0, end))) return true;
        any.remove_prefix(std::min(end + 1, any.size()));
    }
    return false;
}

/// What was entered in error, cancelled or never happened need not be complete.
bool is_void(Json resource) {
    constexpr std::string_view kVoid[] = {"entered-in-error", "cancelled", "not-done",
                                          "planned",          "draft",     "registered",
                                          "proposed",         "noshow"};
    const auto status = resource["status"].text();
    if (std::ranges::find(kVoid, status) != std::end(kVoid)) return true;
    const auto codings = resource["verificationStatus"]["coding"].items();
    return std::ranges::any_of(
        codings, [](Json coding) { return coding["code"].text() == "entered-in-error"; });
}

bool names_a_person(Json patient) {
    return std::ranges::any_of(patient["name"].items(), [](Json name) {
        return (name["family"] || name["given"] || name["text"]);
    });
}

Finding missing(std::string_view type, std::string_view element, bool is_error, Text what) {
    return {Finding::Kind::Gap,
            is_error ? Issue::Severity::Error : Issue::Severity::Warning,
            fmt::format("{}.{}", type, element),
            {fmt::format("Il manque {}.", what.fr), fmt::format("What is missing: {}.", what.en)}};
}

}  // namespace

std::vector<Finding> gaps(Json resource, Practice practice) {
    std::vector<Finding> out;
    if (is_void(resource)) return out;
    const auto type = resource["resourceType"].text();
    const bool in_house = practice == Practice::Establishment;
    for (const Wanted& wanted : kWanted) {
        if (wanted.type != type || has_one(resource, wanted.any)) continue;
        const bool is_error =
            wanted.need == Need::Must || (in_house && wanted.need == Need::MustInHouse);
        out.push_back(missing(type, wanted.any.substr(0, wanted.any.find(' ')), is_error,
                              {std::string(wanted.fr), std::string(wanted.en)}));
    }
    if (type == "Patient" && resource["name"] && !names_a_person(resource))
        out.push_back(missing(type, "name", true, {"un nom dans « name »", "a name in “name”"}));
    if (type == "Patient" && in_house && !has_qualified_identity(resource))
        out.push_back(missing(type, "identifier", false,
                              {"une identité qualifiée (INS)", "a qualified identity (INS)"}));
    return out;
}

}  // namespace hygie::fhir
