#include "guards/records/write/checks.h"

#include <algorithm>
#include <array>
#include <map>

#include "fhir/clinical/clinical.h"
#include "fhir/terminology/terminology.h"
#include "fhir/validate/validate.h"
#include "guards/records/desk/stored_definitions.h"
#include "guards/records/request/references.h"
#include "guards/records/request/shaping.h"
#include "guards/records/write/attachments.h"
#include "guards/records/write/bookings.h"
#include "guards/records/write/check_issues.h"
#include "guards/records/write/contradictions.h"
#include "guards/records/write/deletions.h"
#include "guards/records/write/identity.h"
#include "guards/records/write/matching.h"
#include "guards/records/write/surroundings.h"
#include "vault/unassigned.h"

namespace hygie::records {

namespace {

using fhir::Json;

constexpr std::size_t kIssuesMax = 100;

Severity severity_of(fhir::Issue::Severity severity) {
    switch (severity) {
        case fhir::Issue::Severity::Error:
            return Severity::Error;
        case fhir::Issue::Severity::Warning:
            return Severity::Warning;
        case fhir::Issue::Severity::Information:
            return Severity::Information;
    }
    return Severity::Error;
}

Issue issue_of(const Step& step, const fhir::Issue& issue) {
    return {.severity = severity_of(issue.severity),
            .code = fhir::code_of(issue.type),
            .what = issue.text,
            .expression = expression_in(step, issue.where)};
}

/// Where the literal references of a resource lead, for the asker; the worst of them.
enum class Lead : std::uint8_t { Open, Nowhere, ToNobody, Malformed };

/// "#contained", "urn:…", "https://…" or "Type/id"
/// (https://hl7.org/fhir/R4/references.html#literal).
bool is_well_formed(std::string_view link, const std::string& reference) {
    return link.starts_with('#') || link.contains(':') || is_literal_reference(reference);
}

Answer<Lead> lead_of(Surroundings& around, Work& work, const Step& step) {
    Lead worst = Lead::Open;
    if (is_kept_whole(step.change.type)) return worst;
    TRY(relinked(
        work.arena, step.change.body,
        [&](std::string_view link, bool is_reference) -> Answer<std::optional<std::string>> {
            const std::string reference = without_version(link);
            if (!is_reference) return std::optional<std::string>();
            if (!is_well_formed(link, reference))
                worst = Lead::Malformed;
            else if (is_literal_reference(reference) && !around.has(reference))
                worst = std::max(
                    worst, reference.starts_with("Patient/") ? Lead::ToNobody : Lead::Nowhere);
            return std::optional<std::string>();
        }));
    return worst;
}

/// A base that moves in brings what refers before what is referred to. What refers to a patient
/// who is not here is a program's to bring: it is kept apart, where a person's slip would be lost.
bool is_let_in(Sight& sight, Lead lead) {
    if (sight.desk().options.completeness == Completeness::Strict) return false;
    if (lead == Lead::Malformed) return false;
    if (lead == Lead::Nowhere) return true;
    return sight.call().actor.role == access::Role::Program &&
           may(sight.desk(), sight.call(),
               {.action = event::Action::Read,
                .type = "Patient",
                .by_person = true,
                .now = sight.desk().rooms.clock.now()});
}

/// A reference that leads nowhere warns, or refuses.
Answer<void> check_references(Sight& sight, Surroundings& around, Work& work, Step& step,
                              Issues& issues) {
    const Lead lead = TRY(lead_of(around, work, step));
    if (lead == Lead::Open) return {};
    if (lead == Lead::Malformed) {
        issues.push_back(is_malformed(step));
        return {};
    }
    const bool is_warning = is_let_in(sight, lead);
    (is_warning ? step.warnings : issues)
        .push_back({.severity = is_warning ? Severity::Warning : Severity::Error,
                    .code = "not-found",
                    .what = {"une référence ne désigne aucune ressource qui vous soit ouverte",
                             "a reference means no resource that is open to you"},
                    .remedy = {"enregistrez ce qu'elle désigne, ou corrigez-la",
                               "store what it refers to, or mend it"},
                    .expression = expression_in(step, step.change.type)});
    return {};
}

enum class Warnings : bool { Leave, Give };

void check_valid(Sight& sight, Surroundings& around, const Step& step, std::string_view profile,
                 Warnings warnings, Issues& issues) {
    const auto definitions = sight.desk().definitions->current();
    fhir::ValidateOptions options{.now = sight.desk().rooms.clock.now(),
                                  .terminology = &definitions->terminology(),
                                  .known = &definitions->profiles()};
    if (!profile.empty()) options.profiles = {profile};
    options.warnings = warnings == Warnings::Give;
    options.resolve = [&](std::string_view reference) { return around.resolve(reference); };
    for (const fhir::Issue& issue : fhir::validate(step.change.body, options).issues) {
        if (issues.size() < kIssuesMax) issues.push_back(issue_of(step, issue));
    }
}

/// Who could not find it again may not write it; a strict practice takes it from nobody.
void take_apart(Sight& sight, Step& step, Issues& issues) {
    Issue lack = lacks_patient(step);
    const bool is_refused = sight.desk().options.completeness == Completeness::Strict ||
                            !may_write_unassigned(sight.call().actor);
    if (is_refused) lack.severity = Severity::Error;
    (is_refused ? issues : step.warnings).push_back(std::move(lack));
}

/// What says within which visit and for which request something was done, and of what it is made:
/// all of one patient. Others lead to relatives rightly: the coverage of a parent, a genome.
constexpr std::array<std::string_view, 9> kOfOnePatient = {
    "encounter", "context",  "episodeOfCare",          "basedOn", "partOf", "hasMember",
    "result",    "specimen", "authorizingPrescription"};

/// Whether an element of that name leads into the record of another patient, as far as it is open.
bool leaves_record(Surroundings& around, const Step& step, Json value) {
    for (const Json item : value.items())
        if (leaves_record(around, step, item)) return true;
    // DocumentReference.context is no reference and has one.
    if (const Json within = value["encounter"]) return leaves_record(around, step, within);
    const std::string reference = without_version(value["reference"].text());
    // The encounter of a newborn is part of the mother's (R4, Encounter.partOf).
    const bool is_birth = step.change.type == "Encounter" && reference.starts_with("Encounter/");
    const std::string patient = is_birth ? std::string() : around.record_of(reference);
    return !patient.empty() && patient != step.patient;
}

/// Filed with one patient, and said to belong to what was done for another: one of both is wrong.
void check_filing(Surroundings& around, const Step& step, Issues& issues) {
    const bool has_patient = vault::is_of_patient(step.patient);
    // Several patients may come to one appointment.
    if (!step.has_body() || !has_patient || step.change.type == "Appointment") return;
    for (const std::string_view element : kOfOnePatient) {
        if (!leaves_record(around, step, step.change.body[element])) continue;
        issues.push_back(belongs_elsewhere(step, element));
    }
}

bool is_about_time(fhir::Finding::Kind kind) {
    return kind >= fhir::Finding::Kind::TimesOutOfOrder && kind <= fhir::Finding::Kind::Expired;
}

Issue issue_of(const Step& step, fhir::Finding finding) {
    const bool is_gap = finding.kind == fhir::Finding::Kind::Gap;
    return {.severity = severity_of(finding.severity),
            .code = is_gap ? "required" : "business-rule",
            .what = std::move(finding.text),
            .remedy = is_gap ? Text{"complétez la ressource", "complete the resource"}
                      : is_about_time(finding.kind)
                          ? Text{"vérifiez les dates", "check the dates"}
                          : Text{"vérifiez la valeur et son unité", "check the value and its unit"},
            .expression = expression_in(step, finding.where)};
}

void add_findings(const Step& step, std::vector<fhir::Finding> found, Warnings warnings,
                  Issues& issues) {
    for (fhir::Finding& finding : found) {
        const bool is_error = finding.severity == fhir::Issue::Severity::Error;
        if ((is_error || warnings == Warnings::Give) && issues.size() < kIssuesMax)
            issues.push_back(issue_of(step, std::move(finding)));
    }
}

/// What a record must hold and R4 does not ask for: the practice chose whether it refuses or warns.
Issues gaps_of(Sight& sight, const Step& step, Warnings warnings) {
    Issues gaps;
    add_findings(step, fhir::gaps(step.change.body, sight.desk().options.practice), warnings, gaps);
    if (sight.desk().options.completeness == Completeness::Lenient)
        for (Issue& gap : gaps) gap.severity = Severity::Warning;
    return gaps;
}

/// Errors refuse, warnings go along.
void sort_out(Issues found, Step& step, Issues& issues) {
    for (Issue& issue : found)
        (issue.severity == Severity::Warning ? step.warnings : issues).push_back(std::move(issue));
}

/// What the resource lacks, and times within it that cannot be right.
void check_sense(Sight& sight, Step& step, Issues& issues) {
    const auto now = sight.desk().rooms.clock.now();
    add_findings(step, fhir::incoherences(step.change.body, {}, now), Warnings::Leave, issues);
    add_findings(step, fhir::impossible_values(step.change.body), Warnings::Leave, issues);
    add_findings(step, fhir::doubtful_identifiers(step.change.body), Warnings::Give, step.warnings);
    sort_out(gaps_of(sight, step, Warnings::Leave), step, issues);
}

Answer<void> check_agenda(Sight& sight, Work& work, const Plan& plan, Step& step) {
    Issues found;
    if (step.change.type == "Appointment")
        TRY_STATUS(warn_of_double_booking(sight, work, plan, step, found));
    std::ranges::move(found, std::back_inserter(step.warnings));
    return {};
}

Answer<void> check_one_identity(Sight& sight, Work& work, const Plan& plan, Step& step,
                                Issues& issues) {
    Issues found;
    TRY_STATUS(check_identity(sight, work, plan, step, found));
    if (step.change.type == "Patient" && step.is_new && step.has_body() && found.empty())
        TRY_STATUS(warn_of_likeness(sight, work, plan, step, found));
    sort_out(std::move(found), step, issues);
    return {};
}

bool has_error(const Issues& issues) {
    return std::ranges::find(issues, Severity::Error, &Issue::severity) != issues.end();
}

/// Files that came before what shows them were assigned to nobody: they go where that goes.
Answer<void> add_files(Sight& sight, Work& work, Plan& plan) {
    constexpr std::string_view kBinary = "Binary/";
    std::map<std::string, std::string> patients;  ///< by file
    for (const Step& step : plan.steps)
        if (vault::is_of_patient(step.patient))
            for (const std::string& file : files_of(step)) patients.emplace(file, step.patient);
    for (const Step& step : plan.steps) patients.erase(step.reference());
    for (const auto& [file, patient] : patients) {
        const std::string id = file.substr(kBinary.size());
        if (!is_id(id)) continue;
        auto found = sight.open(event::Action::Update, "Binary", id);
        if (!found || found->entry.deleted || found->record->patient() != vault::kUnassigned)
            continue;
        const vault::Version version = TRY(sight.desk().rooms.vault.read(*found));
        const Json body = TRY(work.arena.parse(version.body));
        plan.steps.push_back(
            {.change = {.kind = Change::Kind::Update, .type = "Binary", .id = id, .body = body},
             .before = *std::move(found),
             .comes_along = true,
             .patient = patient});
    }
    return {};
}

}  // namespace

Answer<void> check_steps(Sight& sight, Work& work, Plan& plan) {
    Surroundings around(sight, work.arena, plan.steps);
    Issues issues;
    for (const Step& step : plan.steps) {
        if (step.has_body()) check_valid(sight, around, step, {}, Warnings::Leave, issues);
    }
    if (has_error(issues)) return std::unexpected(Refusal(400, std::move(issues)));
    for (Step& step : plan.steps) {
        if (step.before) step.patient = step.before->record->patient();
        if (!step.has_body()) continue;
        const std::size_t before = issues.size();
        if (is_cut_down(step.change.body)) issues.push_back(is_a_part(step));
        check_sense(sight, step, issues);
        warn_of_attachments(step);
        TRY_STATUS(check_agenda(sight, work, plan, step));
        TRY_STATUS(check_one_identity(sight, work, plan, step, issues));
        TRY_STATUS(check_references(sight, around, work, step, issues));
        // Where it would go tells whether a closed record is there.
        if (issues.size() > before) continue;
        const std::string patient = TRY(patient_of(around, step));
        // What was assigned to nobody may be given to its patient.
        const bool stays = step.is_new || patient == step.patient || work.moves_records ||
                           step.patient == vault::kUnassigned;
        if (!stays) issues.push_back(moves(step));
        if (patient == vault::kUnassigned) take_apart(sight, step, issues);
        step.patient = patient;
    }
    // Older mistakes do not keep two records of one person apart.
    const bool is_checked = !work.moves_records && !has_error(issues);
    for (const Step& step : plan.steps)
        if (is_checked) check_filing(around, step, issues);
    if (has_error(issues)) return std::unexpected(Refusal(422, std::move(issues)));
    TRY_STATUS(add_files(sight, work, plan));
    return check_deletions(sight, plan);
}

Issues issues_of(const Step& step) {
    Issues issues;
    for (const fhir::Issue& issue : fhir::validate(step.change.body).issues)
        if (issues.size() < kIssuesMax) issues.push_back(issue_of(step, issue));
    return issues;
}

Answer<Checked> check_alone(Sight& sight, Work& work, fhir::Json resource,
                            std::string_view profile) {
    Plan plan;
    Step& step = plan.steps.emplace_back();
    step.change.type = resource["resourceType"].text();
    step.change.id = resource["id"].text();
    step.change.body = resource;
    Surroundings around(sight, work.arena, plan.steps);
    Checked checked;
    Issues& issues = checked.issues;
    check_valid(sight, around, step, profile, Warnings::Give, issues);
    std::ranges::move(gaps_of(sight, step, Warnings::Give), std::back_inserter(issues));
    TRY_STATUS(check_references(sight, around, work, step, issues));
    if (!has_error(issues) && step.change.type != "Patient") {
        // As a write would be: beside the record of the patient, as far as it is open.
        step.patient = TRY(patient_of(around, step));
        if (vault::is_of_patient(step.patient)) checked.patient = step.patient;
        TRY(Contradictions(sight, work.arena, plan).find(step));
    }
    const auto now = sight.desk().rooms.clock.now();
    const Warnings told = checked.patient.empty() ? Warnings::Give : Warnings::Leave;
    add_findings(step, fhir::incoherences(resource, {}, now), told, issues);
    add_findings(step, fhir::impossible_values(resource), Warnings::Leave, issues);
    add_findings(step, fhir::doubtful_identifiers(resource), Warnings::Give, issues);
    warn_of_attachments(step);
    TRY_STATUS(check_agenda(sight, work, plan, step));
    std::ranges::move(step.warnings, std::back_inserter(issues));
    return checked;
}

}  // namespace hygie::records
