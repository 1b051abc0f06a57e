#include "guards/records/write/contradictions.h"

#include <algorithm>

#include "vault/unassigned.h"

namespace hygie::records {

namespace {

using fhir::Json;

std::string_view status_code(Json concept_) {
    const auto codings = concept_["coding"].items();
    return codings.empty() ? std::string_view() : codings.front()["code"].text();
}

/// Which resource of the record it is about, too: its name tells nothing of the patient.
Text with_what(Text remedy, const std::string& reference) {
    if (reference.empty()) return remedy;
    return {remedy.fr + " (" + reference + ")", remedy.en + " (" + reference + ")"};
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
        if (!sight_.may(event::Action::Read, vault::Found{*record, entry})) continue;
        const vault::Version version = TRY(vault.read({*record, entry}));
        const auto parsed = TRY(arena_.parse(version.body));
        into.push_back({reference, parsed});
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

/// The Medication that a prescription points to; Absent when there is none to see.
Json Contradictions::medication_of(Json body) {
    const std::string reference(body["medicationReference"]["reference"].text());
    for (const Step& step : plan_.steps) {
        if (step.reference() == reference && step.has_body()) return step.change.body;
    }
    constexpr std::string_view kMedication = "Medication/";
    if (!is_literal_reference(reference) || !reference.starts_with(kMedication)) return {};
    const auto found =
        sight_.open(event::Action::Read, "Medication", reference.substr(kMedication.size()));
    if (!found || found->entry.deleted) return {};
    const auto version = sight_.desk().rooms.vault.read(*found);
    if (!version) return {};
    const auto parsed = arena_.parse(version->body);
    return parsed ? *parsed : Json();
}

/// What the record holds that bears on the resource, as far as the writer may see it.
Answer<std::vector<Json>> Contradictions::around(const Step& step) {
    std::vector<Json> record;
    for (const std::string_view type : fhir::related_types(step.change.type)) {
        if (type == "Medication") {
            if (const Json medication = medication_of(step.change.body))
                record.push_back(medication);
            continue;
        }
        for (const Seen& seen : *TRY(in_record(step.patient, type))) record.push_back(seen.body);
    }
    return record;
}

Answer<std::vector<fhir::Finding>> Contradictions::found_in(const Step& step) {
    const bool has_record = vault::is_of_patient(step.patient);
    if (!step.has_body() || !has_record) return std::vector<fhir::Finding>();
    auto found = fhir::contradictions(step.change.body, TRY(around(step)));
    const std::vector<Seen>& patients = *TRY(in_record(step.patient, "Patient"));
    const Json patient = patients.empty() ? Json() : patients.front().body;
    for (fhir::Finding& finding :
         fhir::incoherences(step.change.body, patient, sight_.desk().rooms.clock.now())) {
        // Errors were refused before.
        if (finding.severity != fhir::Issue::Severity::Error) found.push_back(std::move(finding));
    }
    return found;
}

/// Whether an earlier write of the same resource was told the same.
Answer<bool> Contradictions::is_known(const Step& step, const fhir::Finding& one) {
    if (step.is_new) return false;
    for (const Seen& issue : *TRY(in_record(step.patient, "DetectedIssue"))) {
        const auto implicated = issue.body["implicated"].items();
        const bool is_about = std::ranges::any_of(
            implicated, [&](Json link) { return link["reference"].text() == step.reference(); });
        if (is_about && status_code(issue.body["code"]) == fhir::detected_code(one.kind))
            return true;
    }
    return false;
}

Json Contradictions::resource_of(const Step& step, const fhir::Finding& one) {
    const auto link = [&](const std::string& reference) {
        return arena_.object({{"reference", arena_.string(reference)}});
    };
    std::vector<Json> implicated = {link(step.reference())};
    if (!one.with.empty()) implicated.push_back(link(one.with));
    const Json coding = arena_.object(
        {{"system", arena_.string("http://terminology.hl7.org/CodeSystem/v3-ActCode")},
         {"code", arena_.string(fhir::detected_code(one.kind))}});
    return arena_.object(
        {{"resourceType", arena_.string("DetectedIssue")},
         {"status", arena_.string("preliminary")},
         {"code", arena_.object({{"coding", arena_.array({&coding, 1})}})},
         {"severity", arena_.string(fhir::detected_severity(one))},
         {"patient", link(reference_to("Patient", step.patient))},
         {"identifiedDateTime", arena_.string(to_rfc3339(sight_.desk().rooms.clock.now()))},
         {"implicated", arena_.array(implicated)},
         {"detail", arena_.string(one.text.fr + " / " + one.text.en)}});
}

Answer<std::vector<Json>> Contradictions::find(Step& step) {
    std::vector<Json> issues;
    for (const fhir::Finding& one : TRY(found_in(step))) {
        step.warnings.push_back(
            {.severity = Severity::Warning,
             .code = "business-rule",
             .what = one.text,
             .remedy = with_what(
                 {"vérifiez, puis corrigez ou confirmez", "check, then mend or confirm"}, one.with),
             .expression = step.change.expression.empty() ? one.where
                                                          : step.change.expression + ".resource"});
        if (!TRY(is_known(step, one))) issues.push_back(resource_of(step, one));
    }
    return issues;
}

}  // namespace hygie::records
