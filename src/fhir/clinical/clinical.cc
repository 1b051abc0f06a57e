#include "fhir/clinical/clinical.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fhir/clinical/clinical_dose.h"
#include "fhir/clinical/clinical_substance.h"
#include "fhir/clinical/clinical_vaccine.h"
#include "fhir/clinical/clinical_vital.h"
#include "fhir/validate/french.h"

namespace hygie::fhir {

namespace {

std::string reference_of(Json resource) {
    return fmt::format("{}/{}", resource["resourceType"].text(), resource["id"].text());
}

bool is_same_resource(Json left, Json right) {
    return left["resourceType"].text() == right["resourceType"].text() && left["id"] &&
           left["id"].text() == right["id"].text();
}

bool has_code(Json status, std::string_view wanted) {
    return std::ranges::any_of(status["coding"].items(),
                               [&](Json coding) { return coding["code"].text() == wanted; });
}

constexpr std::string_view kMedicationTypes[] = {"MedicationRequest", "MedicationStatement",
                                                 "MedicationAdministration", "MedicationDispense"};

bool is_medication_use(std::string_view type) {
    return std::ranges::find(kMedicationTypes, type) != std::end(kMedicationTypes);
}

/// Whether an allergy is to be reckoned with.
bool is_active(Json allergy) {
    return !has_code(allergy["clinicalStatus"], "inactive") &&
           !has_code(allergy["clinicalStatus"], "resolved") &&
           !has_code(allergy["verificationStatus"], "refuted") &&
           !has_code(allergy["verificationStatus"], "entered-in-error");
}

/// Whether a medication resource means that the patient takes it, or will.
bool is_in_use(Json resource) {
    constexpr std::array<std::string_view, 7> kOver = {"cancelled", "entered-in-error", "stopped",
                                                       "completed", "not-done",         "not-taken",
                                                       "declined"};
    const auto status = resource["status"].text();
    if (resource["doNotPerform"].kind() == Json::Kind::True) return false;
    const bool happened = resource["resourceType"].text() == "MedicationAdministration" ||
                          resource["resourceType"].text() == "MedicationDispense";
    if (happened && status == "completed") return true;
    return std::ranges::find(kOver, status) == kOver.end();
}

/// What the resource is about, with the Medication that it points to.
Substances drug_of(Json resource, std::span<const Json> record) {
    Substances drug;
    drug.add_concept(resource["medicationCodeableConcept"]);
    drug.add_concept(resource["vaccineCode"]);
    const auto reference = resource["medicationReference"]["reference"].text();
    if (reference.starts_with('#')) {
        for (const Json one : resource["contained"].items())
            if (one["id"].text() == reference.substr(1)) drug.add_medication(one);
        return drug;
    }
    drug.add_text(resource["medicationReference"]["display"].text());
    for (const Json one : record)
        if (!reference.empty() && reference_of(one) == reference) drug.add_medication(one);
    return drug;
}

Substances allergen_of(Json allergy) {
    Substances allergen;
    allergen.add_concept(allergy["code"]);
    for (const Json reaction : allergy["reaction"].items())
        allergen.add_concept(reaction["substance"]);
    return allergen;
}

/// An allergy that becomes known while its substance is prescribed.
void check_prescriptions(Json allergy, std::span<const Json> record, std::vector<Finding>& out) {
    if (!is_active(allergy)) return;
    const Substances allergen = allergen_of(allergy);
    for (const Json resource : record) {
        if (!is_medication_use(resource["resourceType"].text()) || !is_in_use(resource)) continue;
        if (match_of(allergen, drug_of(resource, record)).kind == SubstanceMatch::Kind::None)
            continue;
        out.push_back({Finding::Kind::Allergy,
                       Issue::Severity::Warning,
                       "AllergyIntolerance.code",
                       {"Cette substance, ou une de sa famille, est déjà prescrite ou prise.",
                        "This substance, or one of its family, is already prescribed or taken."},
                       reference_of(resource)});
    }
}

void check_traits(Json patient, std::vector<Finding>& out) {
    for (const Trait trait : traits_against_ins(patient)) {
        const bool is_sex = trait == Trait::Sex;
        const Text name = name_of(trait);
        out.push_back({Finding::Kind::Identity,
                       Issue::Severity::Warning,
                       is_sex ? "Patient.gender" : "Patient.birthDate",
                       {fmt::format("Le matricule INS dit autre chose que {}.", name.fr),
                        fmt::format("The INS number says otherwise than {}.", name.en)}});
    }
}

void check_allergies(Json resource, std::span<const Json> record, std::vector<Finding>& out) {
    if (!is_in_use(resource)) return;
    const Substances drug = drug_of(resource, record);
    for (const Json allergy : record) {
        if (allergy["resourceType"].text() != "AllergyIntolerance" || !is_active(allergy)) continue;
        const Substances allergen = allergen_of(allergy);
        const auto match = match_of(allergen, drug);
        if (match.kind == SubstanceMatch::Kind::None) continue;
        const bool same = match.kind == SubstanceMatch::Kind::Same;
        out.push_back(
            {Finding::Kind::Allergy, Issue::Severity::Warning,
             fmt::format("{}.medication", resource["resourceType"].text()),
             same ? Text{"Le patient a une allergie ou intolérance notée à cette substance.",
                         "The patient has a recorded allergy or intolerance to this substance."}
                  : Text{fmt::format("Le patient a une allergie ou intolérance notée dans cette "
                                     "famille : {}.",
                                     match.family.fr),
                         fmt::format("The patient has a recorded allergy or intolerance in this "
                                     "family: {}.",
                                     match.family.en)},
             reference_of(allergy)});
    }
}

void check_vaccine(Json resource, std::span<const Json> record, std::vector<Finding>& out) {
    for (const Json other : record) {
        if (other["resourceType"].text() != "Immunization" || is_same_resource(resource, other))
            continue;
        if (const auto interval = broken_interval(resource, other))
            out.push_back(
                {Finding::Kind::SameVaccine,
                 Issue::Severity::Warning,
                 "Immunization.occurrence",
                 {fmt::format("Le même vaccin a été fait moins de {} jours avant ou après.",
                              *interval),
                  fmt::format("The same vaccine was given less than {} days before or after.",
                              *interval)},
                 reference_of(other)});
        else if (repeats_dose(resource, other))
            out.push_back({Finding::Kind::SameVaccine,
                           Issue::Severity::Warning,
                           "Immunization.protocolApplied",
                           {"Cette dose de ce vaccin, par son numéro, a déjà été faite.",
                            "This dose of this vaccine, by its number, was given already."},
                           reference_of(other)});
    }
}

void check_doses(Json resource, std::vector<Finding>& out) {
    for (const DoseIssue& issue : implausible_doses(resource))
        out.push_back({Finding::Kind::ImplausibleDose, Issue::Severity::Warning, issue.where,
                       issue.is_own_max
                           ? Text{"La dose dépasse le maximum par prise de la même posologie.",
                                  "The dose is beyond the most per administration of its dosage."}
                       : issue.is_low
                           ? Text{fmt::format("La dose est bien en dessous de ce qui est plausible "
                                              "dans son unité ({} au moins).",
                                              issue.bound),
                                  fmt::format("The dose is far below what is plausible in its unit "
                                              "({} at least).",
                                              issue.bound)}
                           : Text{fmt::format("La dose dépasse ce qui est plausible dans son unité "
                                              "({} au plus).",
                                              issue.bound),
                                  fmt::format("The dose is beyond what is plausible in its unit "
                                              "({} at most).",
                                              issue.bound)}});
}

/// Prescribed and not over yet.
bool is_prescribed(Json resource) {
    return resource["resourceType"].text() == "MedicationRequest" &&
           resource["status"].text() == "active" && is_in_use(resource);
}

void check_same_therapy(Json resource, std::span<const Json> record, std::vector<Finding>& out) {
    if (!is_prescribed(resource)) return;
    const Substances drug = drug_of(resource, record);
    for (const Json other : record) {
        if (!is_prescribed(other) || is_same_resource(resource, other)) continue;
        if (match_of(drug_of(other, record), drug).kind != SubstanceMatch::Kind::Same) continue;
        out.push_back(
            {Finding::Kind::SameTherapy,
             Issue::Severity::Warning,
             "MedicationRequest.medication",
             {"Le même médicament est déjà prescrit.", "The same drug is prescribed already."},
             reference_of(other)});
        return;
    }
}

/// "No known allergy", of anything or of one kind (SNOMED CT).
bool says_none(Json allergy) {
    constexpr std::array<std::string_view, 4> kNone = {"716186003", "409137002", "429625007",
                                                       "428607008"};
    return std::ranges::any_of(
        kNone, [&](std::string_view code) { return has_code(allergy["code"], code); });
}

void check_same_allergy(Json allergy, std::span<const Json> record, std::vector<Finding>& out) {
    if (!is_active(allergy)) return;
    const Substances allergen = allergen_of(allergy);
    for (const Json other : record) {
        if (other["resourceType"].text() != "AllergyIntolerance" || !is_active(other) ||
            is_same_resource(allergy, other))
            continue;
        const bool denies = says_none(allergy) != says_none(other);
        const bool repeats =
            match_of(allergen_of(other), allergen).kind == SubstanceMatch::Kind::Same;
        if (!denies && !repeats) continue;
        out.push_back({Finding::Kind::SameAllergy, Issue::Severity::Warning,
                       "AllergyIntolerance.code",
                       denies ? Text{"Le dossier dit à la fois une allergie et « aucune connue ».",
                                     "The record tells of an allergy, and that none is known."}
                              : Text{"Cette allergie ou intolérance est déjà notée.",
                                     "This allergy or intolerance is recorded already."},
                       reference_of(other)});
        return;
    }
}

void check_values(Json observation, Issue::Severity severity, std::vector<Finding>& out) {
    const bool is_error = severity == Issue::Severity::Error;
    for (const ValueIssue& issue : implausible_values(observation))
        if (issue.is_impossible == is_error)
            out.push_back({Finding::Kind::ImplausibleValue, severity, issue.where, issue.text});
}

}  // namespace

std::vector<Finding> impossible_values(Json resource) {
    std::vector<Finding> out;
    if (resource["resourceType"].text() == "Observation")
        check_values(resource, Issue::Severity::Error, out);
    return out;
}

std::vector<Finding> doubtful_identifiers(Json resource) {
    std::vector<Finding> out;
    const auto type = resource["resourceType"].text();
    std::size_t index = 0;
    for (const Json identifier : resource["identifier"].items()) {
        const auto where = fmt::format("{}.identifier[{}].value", type, index++);
        const auto fit =
            fit_of_professional(identifier["system"].text(), identifier["value"].text());
        if (fit == ProfessionalFit::WrongShape)
            out.push_back({Finding::Kind::Identity,
                           Issue::Severity::Warning,
                           where,
                           {"Ce numéro n'a pas la forme de son système.",
                            "This number does not have the shape of its system."}});
        if (fit == ProfessionalFit::WrongKey)
            out.push_back(
                {Finding::Kind::Identity,
                 Issue::Severity::Warning,
                 where,
                 {"La clé de ce numéro est fausse.", "The key of this number is wrong."}});
    }
    return out;
}

std::string_view detected_code(Finding::Kind kind) {
    switch (kind) {
        case Finding::Kind::SameVaccine:
            return "DOSEIVL";
        case Finding::Kind::Allergy:
            return "ALGY";
        case Finding::Kind::ImplausibleDose:
            return "DOSE";
        case Finding::Kind::SameTherapy:
            return "DUPTHPY";
        case Finding::Kind::ImplausibleValue:
        case Finding::Kind::SameAllergy:
            return "VALIDAT";
        case Finding::Kind::TimesOutOfOrder:
        case Finding::Kind::BeforeBirth:
        case Finding::Kind::AfterDeath:
        case Finding::Kind::InFuture:
        case Finding::Kind::Expired:
            return "TIME";
        case Finding::Kind::Identity:
            return "KEY206";
        case Finding::Kind::Gap:
            break;
    }
    return {};
}

std::string_view detected_severity(const Finding& finding) {
    switch (finding.kind) {
        case Finding::Kind::Allergy:
        case Finding::Kind::ImplausibleDose:
            return "high";
        case Finding::Kind::SameVaccine:
        case Finding::Kind::SameTherapy:
        case Finding::Kind::ImplausibleValue:
        case Finding::Kind::Expired:
        case Finding::Kind::Identity:
            return "moderate";
        default:
            return "low";
    }
}

std::span<const std::string_view> related_types(std::string_view type) {
    static constexpr std::string_view kForVaccine[] = {"Immunization", "AllergyIntolerance"};
    static constexpr std::string_view kForDrug[] = {"AllergyIntolerance", "Medication"};
    static constexpr std::string_view kForRequest[] = {"AllergyIntolerance", "Medication",
                                                       "MedicationRequest"};
    static constexpr std::string_view kForAllergy[] = {"AllergyIntolerance", "MedicationRequest",
                                                       "MedicationStatement"};
    if (type == "MedicationRequest") return kForRequest;
    if (type == "Immunization") return kForVaccine;
    if (type == "AllergyIntolerance") return kForAllergy;
    return is_medication_use(type) ? std::span<const std::string_view>(kForDrug)
                                   : std::span<const std::string_view>();
}

std::vector<Finding> contradictions(Json resource, std::span<const Json> record) {
    std::vector<Finding> out;
    const auto type = resource["resourceType"].text();
    if (type == "Immunization") {
        check_vaccine(resource, record, out);
        check_allergies(resource, record, out);
        check_doses(resource, out);
    } else if (is_medication_use(type)) {
        check_allergies(resource, record, out);
        check_doses(resource, out);
        if (type == "MedicationRequest") check_same_therapy(resource, record, out);
    } else if (type == "AllergyIntolerance") {
        check_prescriptions(resource, record, out);
        check_same_allergy(resource, record, out);
    } else if (type == "Observation") {
        check_values(resource, Issue::Severity::Warning, out);
    } else if (type == "Patient") {
        check_traits(resource, out);
    }
    return out;
}

}  // namespace hygie::fhir
