#include "guards/records/contradictions.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "fhir/search_value.h"

namespace hygie::records {

namespace {

using fhir::Json;

/// The most of a unit that one dose can plausibly be: UCUM codes. What lies beyond is a slip of the
/// keyboard or of the unit (mg for µg), not a treatment. Units that are not here are not judged.
struct DoseBound {
    std::string_view unit;
    double most;
};
constexpr std::array<DoseBound, 8> kDoseBounds = {{{"ug", 50'000},
                                                   {"mg", 20'000},
                                                   {"g", 120},
                                                   {"mL", 3'000},
                                                   {"[drp]", 200},
                                                   {"[iU]", 30'000'000},
                                                   {"{tbl}", 20},
                                                   {"{puff}", 20}}};

/// Words shorter than this name no substance.
constexpr std::size_t kSubstanceLetters = 5;

bool shares_coding(Json left, Json right) {
    for (const Json one : left["coding"].items()) {
        if (one["code"].text().empty()) continue;
        for (const Json other : right["coding"].items()) {
            if (one["code"] == other["code"] && one["system"] == other["system"]) return true;
        }
    }
    return false;
}

/// Everything a concept is called, folded, with blanks around each word.
std::string names_of(Json concept_) {
    std::string names = " ";
    const auto add = [&](std::string_view name) { names += fhir::fold(name) + ' '; };
    add(concept_["text"].text());
    for (const Json coding : concept_["coding"].items()) add(coding["display"].text());
    std::ranges::replace_if(names, [](char c) { return c == '(' || c == ')' || c == ','; }, ' ');
    return names;
}

/// Whether the first word of one of the allergen's names is a word of the medicine's.
bool names_substance(Json allergen, Json medicine) {
    const std::string names = names_of(medicine);
    const auto is_named = [&](std::string_view name) {
        const std::string folded = fhir::fold(name);
        const std::string word = folded.substr(0, folded.find(' '));
        return word.size() >= kSubstanceLetters && names.contains(' ' + word + ' ');
    };
    return is_named(allergen["text"].text()) ||
           std::ranges::any_of(allergen["coding"].items(),
                               [&](Json coding) { return is_named(coding["display"].text()); });
}

std::string_view status_code(Json concept_) {
    const auto codings = concept_["coding"].items();
    return codings.empty() ? std::string_view() : codings.front()["code"].text();
}

bool is_in_force(Json allergy) {
    const std::string_view clinical = status_code(allergy["clinicalStatus"]);
    const std::string_view verified = status_code(allergy["verificationStatus"]);
    return clinical != "inactive" && clinical != "resolved" && verified != "refuted" &&
           verified != "entered-in-error";
}

/// A prescription, a statement or an administration that is meant to happen or did.
bool is_medication(std::string_view type) {
    return type == "MedicationRequest" || type == "MedicationStatement" ||
           type == "MedicationAdministration" || type == "MedicationDispense";
}

bool is_void(Json resource) {
    const std::string_view status = resource["status"].text();
    return status == "entered-in-error" || status == "cancelled" || status == "not-done" ||
           status == "stopped" || status == "not-taken";
}

/// Each quantity that says how much is taken at once.
std::vector<Json> doses_of(Json resource) {
    std::vector<Json> doses;
    for (const std::string_view list : {"dosageInstruction", "dosage"}) {
        for (const Json dosage : resource[list].items()) {
            for (const Json rate : dosage["doseAndRate"].items()) {
                if (rate["doseQuantity"]) doses.push_back(rate["doseQuantity"]);
                if (rate["doseRange"]["high"]) doses.push_back(rate["doseRange"]["high"]);
            }
        }
    }
    if (const Json dose = resource["dosage"]["dose"]) doses.push_back(dose);
    return doses;
}

bool is_implausible(Json dose) {
    const std::string_view code = dose["code"].text();
    const std::string_view unit = code.empty() ? dose["unit"].text() : code;
    const auto bound = std::ranges::find(kDoseBounds, unit, &DoseBound::unit);
    if (bound == kDoseBounds.end() || !dose["value"].is_number()) return false;
    const double value = std::strtod(std::string(dose["value"].text()).c_str(), nullptr);
    return value <= 0 || value > bound->most;
}

}  // namespace

Answer<void> Contradictions::add_stored(const std::string& patient, std::string_view type,
                                        std::vector<Seen>& into) {
    vault::Vault& vault = sight_.desk().rooms.vault;
    const auto record = vault.record(patient);
    if (!record || !sight_.may(event::Action::Read, type, **record)) return {};
    for (const vault::Entry& entry : (*record)->entries(type)) {
        const std::string reference = reference_to(entry.type, entry.id);
        const bool is_rewritten = std::ranges::any_of(
            plan_.steps, [&](const Step& step) { return step.reference() == reference; });
        if (is_rewritten || into.size() == kLookedAtMax) continue;
        const vault::Version version = TRY(vault.read({*record, entry}));
        into.push_back({reference, TRY(arena_.parse(version.body))});
    }
    return {};
}

/// What the record holds of a type, once this write is done.
Answer<const std::vector<Contradictions::Seen>*> Contradictions::in_record(
    const std::string& patient, std::string_view type) {
    const auto [known, fresh] = seen_.try_emplace({patient, std::string(type)});
    std::vector<Seen>& seen = known->second;
    if (!fresh) return &seen;
    TRY_STATUS(add_stored(patient, type, seen));
    for (const Step& step : plan_.steps) {
        if (step.change.type == type && step.patient == patient && step.has_body())
            seen.push_back({step.reference(), step.change.body});
    }
    return &seen;
}

Answer<void> Contradictions::check_vaccine(const Step& step, std::vector<Contradiction>& into) {
    const Json body = step.change.body;
    const auto when = fhir::parse_date(body["occurrenceDateTime"].text());
    if (!when) return {};
    for (const Seen& other : *TRY(in_record(step.patient, "Immunization"))) {
        if (other.reference == step.reference() || is_void(other.body)) continue;
        const auto then = fhir::parse_date(other.body["occurrenceDateTime"].text());
        if (!then || !shares_coding(body["vaccineCode"], other.body["vaccineCode"])) continue;
        const std::int64_t apart = std::abs(when->first - then->first) / fhir::kDateUnitsPerMicro;
        if (apart >= kVaccineInterval.count()) continue;
        into.push_back({"DOSEIVL",
                        "moderate",
                        {"le même vaccin est déjà noté à moins de quatre semaines",
                         "the same vaccine is already recorded less than four weeks apart"},
                        other.reference,
                        "Immunization.occurrenceDateTime"});
        return {};
    }
    return {};
}

/// The concept of a medicine, also when a Medication says it.
Json Contradictions::medication_of(Json body) {
    if (const Json concept_ = body["medicationCodeableConcept"]) return concept_;
    const std::string reference(body["medicationReference"]["reference"].text());
    for (const Step& step : plan_.steps) {
        if (step.reference() == reference && step.has_body()) return step.change.body["code"];
    }
    constexpr std::string_view kMedication = "Medication/";
    if (!is_literal_reference(reference) || !reference.starts_with(kMedication)) return {};
    const auto found =
        sight_.open(event::Action::Read, "Medication", reference.substr(kMedication.size()));
    if (!found || found->entry.deleted) return {};
    const auto version = sight_.desk().rooms.vault.read(*found);
    if (!version) return {};
    const auto parsed = arena_.parse(version->body);
    return parsed ? (*parsed)["code"] : Json();
}

Answer<void> Contradictions::check_allergies(const Step& step, std::vector<Contradiction>& into) {
    const std::vector<Seen>& allergies = *TRY(in_record(step.patient, "AllergyIntolerance"));
    if (allergies.empty()) return {};
    const Json medicine = medication_of(step.change.body);
    if (!medicine) return {};
    for (const Seen& allergy : allergies) {
        const Json allergen = allergy.body["code"];
        if (!is_in_force(allergy.body) ||
            !(shares_coding(allergen, medicine) || names_substance(allergen, medicine)))
            continue;
        into.push_back({"ALGY",
                        "high",
                        {"une allergie ou une intolérance à ce produit est notée dans le dossier",
                         "an allergy or intolerance to this product is in the record"},
                        allergy.reference,
                        step.change.type + ".medication"});
    }
    return {};
}

Answer<std::vector<Contradictions::Contradiction>> Contradictions::found_in(const Step& step) {
    std::vector<Contradiction> found;
    if (!step.has_body() || step.patient.empty() || is_void(step.change.body)) return found;
    if (step.change.type == "Immunization") TRY_STATUS(check_vaccine(step, found));
    if (!is_medication(step.change.type)) return found;
    TRY_STATUS(check_allergies(step, found));
    if (std::ranges::any_of(doses_of(step.change.body), is_implausible))
        found.push_back({"DOSEH",
                         "high",
                         {"la dose n'est pas plausible dans cette unité",
                          "the dose is not plausible in this unit"},
                         {},
                         step.change.type + ".dosage"});
    return found;
}

/// Whether an earlier write of the same resource was told the same.
Answer<bool> Contradictions::is_known(const Step& step, const Contradiction& one) {
    if (step.is_new) return false;
    for (const Seen& issue : *TRY(in_record(step.patient, "DetectedIssue"))) {
        const auto implicated = issue.body["implicated"].items();
        const bool is_about = std::ranges::any_of(
            implicated, [&](Json link) { return link["reference"].text() == step.reference(); });
        if (is_about && status_code(issue.body["code"]) == one.code) return true;
    }
    return false;
}

Json Contradictions::resource_of(const Step& step, const Contradiction& one) {
    const auto link = [&](const std::string& reference) {
        return arena_.object({{"reference", arena_.string(reference)}});
    };
    std::vector<Json> implicated = {link(step.reference())};
    if (!one.other.empty()) implicated.push_back(link(one.other));
    const Json coding = arena_.object(
        {{"system", arena_.string("http://terminology.hl7.org/CodeSystem/v3-ActCode")},
         {"code", arena_.string(one.code)}});
    return arena_.object(
        {{"resourceType", arena_.string("DetectedIssue")},
         {"status", arena_.string("preliminary")},
         {"code", arena_.object({{"coding", arena_.array({&coding, 1})}})},
         {"severity", arena_.string(one.severity)},
         {"patient", link(reference_to("Patient", step.patient))},
         {"identifiedDateTime", arena_.string(to_rfc3339(sight_.desk().rooms.clock.now()))},
         {"implicated", arena_.array(implicated)},
         {"detail", arena_.string(one.what.fr + " / " + one.what.en)}});
}

Answer<std::vector<Json>> Contradictions::find(Step& step) {
    std::vector<Json> issues;
    for (const Contradiction& one : TRY(found_in(step))) {
        step.warnings.push_back(
            {.severity = Severity::Warning,
             .code = "business-rule",
             .what = one.what,
             .remedy = {"vérifiez, puis corrigez ou confirmez", "check, then mend or confirm"},
             .expression = step.change.expression.empty() ? one.element
                                                          : step.change.expression + ".resource"});
        if (!TRY(is_known(step, one))) issues.push_back(resource_of(step, one));
    }
    return issues;
}

}  // namespace hygie::records
