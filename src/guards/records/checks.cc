#include "guards/records/checks.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "access/circle.h"
#include "fhir/clinical.h"
#include "fhir/french.h"
#include "fhir/search_extract.h"
#include "fhir/terminology.h"
#include "fhir/validate.h"
#include "guards/records/check_issues.h"
#include "guards/records/contradictions.h"
#include "guards/records/deletions.h"
#include "guards/records/identity.h"
#include "guards/records/references.h"
#include "guards/records/search.h"
#include "guards/records/shaping.h"
#include "guards/records/stored_definitions.h"
#include "vault/indexing.h"
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

/// What else there is, as the asker will see it once this write is done.
class Surroundings {
  public:
    Surroundings(Sight& sight, fhir::Arena& arena, const std::vector<Step>& steps)
        : sight_(sight), arena_(arena) {
        for (const Step& step : steps) written_.emplace(step.reference(), &step);
    }

    /// Whether a literal reference leads to something that the asker may see: what is closed is as
    /// good as absent.
    bool has(const std::string& reference) {
        if (const auto step = written_.find(reference); step != written_.end())
            return step->second->is_idle ? step->second->before.has_value()
                                         : step->second->has_body();
        const auto [known, fresh] = known_.try_emplace(reference, false);
        if (fresh) known->second = is_stored(reference);
        return known->second;
    }

    /// The resource behind a reference; Absent when there is none.
    Json resolve(std::string_view reference) {
        const std::string name(reference);
        if (const auto step = written_.find(name); step != written_.end())
            return step->second->has_body() ? step->second->change.body : Json();
        const auto found = open(name);
        if (!found || found->entry.deleted) return {};
        const auto version = sight_.desk().rooms.vault.read(*found);
        if (!version) return {};
        const auto parsed = arena_.parse(version->body);
        return parsed ? *parsed : Json();
    }

    /// Whether there is, or will be, a record of this patient that is open to the asker: what is
    /// written about a closed one goes where it would go if there were none.
    Result<bool> is_patient(const std::string& id) {
        const std::string reference = reference_to("Patient", id);
        if (const auto step = written_.find(reference); step != written_.end())
            return step->second->change.kind != Change::Kind::Delete;
        return open(reference).has_value();
    }

    /// Whose record the resource behind a reference is in, or will be once these are written;
    /// empty: the house's, or closed to the asker, or not there.
    Answer<std::string> home_of(const std::string& reference, int hops);

    /// Which of what is written here shows this file: "Binary/1" of a DocumentReference; null:
    /// none.
    const Step* showing(const std::string& file);

    Sight& sight() { return sight_; }

    /// The patient whose record holds what is behind a reference; empty when that is closed to the
    /// asker, absent, or nobody's.
    std::string record_of(const std::string& reference) {
        std::string patient;
        if (const auto step = written_.find(reference); step != written_.end()) {
            patient = step->second->patient;
        } else if (const auto found = open(reference)) {
            patient = found->record->patient();
        }
        return patient == vault::kUnassigned ? std::string() : patient;
    }

  private:
    void note_files(Json value, const Step& step);

    Answer<vault::Found> open(const std::string& reference) {
        if (!is_literal_reference(reference)) return std::unexpected(not_found());
        const auto slash = reference.find('/');
        return sight_.open(event::Action::Read, reference.substr(0, slash),
                           reference.substr(slash + 1));
    }
    bool is_stored(const std::string& reference) {
        const auto found = open(reference);
        return found && !found->entry.deleted;
    }

    Sight& sight_;
    fhir::Arena& arena_;
    std::unordered_map<std::string, const Step*> written_;
    std::unordered_map<std::string, bool> known_;
    std::unordered_map<std::string, std::string> homes_;  ///< of what is written here, as known
    std::optional<std::unordered_map<std::string, const Step*>> shown_by_;  ///< once asked for
};

/// "Patient/1/_history/2" → "Patient/1".
std::string without_version(std::string_view link) {
    return std::string(link.substr(0, link.find("/_history/")));
}

/// Of what the resource refers to, beside patients.
std::vector<std::string> references_in(fhir::Arena& arena, Json resource) {
    std::vector<std::string> found;
    (void)relinked(
        arena, resource,
        [&](std::string_view link, bool is_reference) -> Answer<std::optional<std::string>> {
            std::string reference = without_version(link);
            if (is_reference && is_literal_reference(reference))
                found.push_back(std::move(reference));
            return std::optional<std::string>();
        });
    return found;
}

/// Whether a resource that names no patient belongs with what it refers to: a task with its focus,
/// a provenance with its target. What counts or lists many does not.
bool follows_others(std::string_view type) {
    constexpr std::array<std::string_view, 3> kOfMany = {"Group", "MeasureReport", "Linkage"};
    return !access::is_public(type) && !is_kept_whole(type) && type != "Parameters" &&
           std::ranges::find(kOfMany, type) == kOfMany.end();
}

/// Whose a document is that was kept as one Bundle: its Composition says of whom it speaks
/// (https://hl7.org/fhir/R4/documents.html), by an id of this house or, where the document brings
/// its own Patient, by that one's INS. Empty: of nobody who is here and open to the writer.
Answer<std::string> subject_of_document(Surroundings& around, Json document) {
    if (document["type"].text() != "document" || document["entry"].size() == 0)
        return std::string();
    const auto entries = document["entry"].items();
    const std::string_view subject = entries.front()["resource"]["subject"]["reference"].text();
    const auto own =
        std::ranges::find(entries, subject, [](Json entry) { return entry["fullUrl"].text(); });
    if (own == entries.end())
        return subject.starts_with("Patient/") ? around.home_of(std::string(subject), 0)
                                               : Answer<std::string>();
    for (const std::string& number : fhir::ins_numbers((*own)["resource"])) {
        const auto found = TRY(find_matches(around.sight(), "Patient", {{"identifier", number}}));
        if (found.size() == 1) return std::string(found.front().record->patient());
    }
    return std::string();
}

/// From a provenance to a report to a patient; what leads further is followed no more.
constexpr int kHopsMax = 64;

/// Whose record the resource goes to.
Answer<std::string> patient_of(Surroundings& around, fhir::Arena& arena, const Step& step,
                               int hops = kHopsMax) {
    const auto rows = fhir::extract(step.change.body);
    std::string own =
        TRY(vault::patient_of(step.change.body, step.change.id, rows,
                              [&](const std::string& id) { return around.is_patient(id); }));
    if (vault::is_of_patient(own) || hops == 0) return own;
    const std::string& type = step.change.type;
    std::string home;
    if (type == "Bundle") home = TRY(subject_of_document(around, step.change.body));
    if (type == "Binary")
        if (const Step* document = around.showing(step.reference()))
            home = TRY(patient_of(around, arena, *document, hops - 1));
    if (vault::is_of_patient(home)) return home;
    if (!follows_others(type)) return own;
    for (const std::string& reference : references_in(arena, step.change.body)) {
        home = TRY(around.home_of(reference, hops - 1));
        if (vault::is_of_patient(home)) return home;
    }
    return own;
}

void Surroundings::note_files(Json value, const Step& step) {
    for (const Json item : value.items()) note_files(item, step);
    for (const fhir::Member& member : value.members()) {
        const std::string_view url = member.value.text();
        if (member.name == "url" && url.starts_with("Binary/"))
            shown_by_->emplace(without_version(url), &step);
        note_files(member.value, step);
    }
}

const Step* Surroundings::showing(const std::string& file) {
    constexpr std::array<std::string_view, 3> kShow = {"DocumentReference", "DiagnosticReport",
                                                       "Media"};
    if (!shown_by_) {
        shown_by_.emplace();
        for (const auto& [reference, step] : written_)
            if (step->has_body() && std::ranges::find(kShow, step->change.type) != kShow.end())
                note_files(step->change.body, *step);
    }
    const auto found = shown_by_->find(file);
    return found == shown_by_->end() ? nullptr : found->second;
}

/// Each step is looked at once: a thousand that refer to one another cost no more than they are.
Answer<std::string> Surroundings::home_of(const std::string& reference, int hops) {
    if (const auto step = written_.find(reference); step != written_.end()) {
        if (!step->second->has_body()) return std::string();
        const auto [known, fresh] = homes_.try_emplace(reference);
        if (!fresh) return known->second;
        return homes_[reference] = TRY(patient_of(*this, arena_, *step->second, hops));
    }
    const auto found = open(reference);
    return found ? std::string(found->record->patient()) : std::string();
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

Issue issue_of(const Step& step, fhir::Finding finding) {
    const bool is_gap = finding.kind == fhir::Finding::Kind::Gap;
    return {.severity = severity_of(finding.severity),
            .code = is_gap ? "required" : "business-rule",
            .what = std::move(finding.text),
            .remedy = is_gap ? Text{"complétez la ressource", "complete the resource"}
                             : Text{"vérifiez les dates", "check the dates"},
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
    sort_out(gaps_of(sight, step, Warnings::Leave), step, issues);
}

Answer<void> check_one_identity(Sight& sight, Work& work, const Plan& plan, Step& step,
                                Issues& issues) {
    Issues found;
    TRY_STATUS(check_identity(sight, work, plan, step, found));
    sort_out(std::move(found), step, issues);
    return {};
}

bool has_error(const Issues& issues) {
    return std::ranges::find(issues, Severity::Error, &Issue::severity) != issues.end();
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
        TRY_STATUS(check_one_identity(sight, work, plan, step, issues));
        TRY_STATUS(check_references(sight, around, work, step, issues));
        // Where it would go tells whether a closed record is there.
        if (issues.size() > before) continue;
        const std::string patient = TRY(patient_of(around, work.arena, step));
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
    return check_deletions(sight, plan);
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
        step.patient = TRY(patient_of(around, work.arena, step));
        if (vault::is_of_patient(step.patient)) checked.patient = step.patient;
        TRY(Contradictions(sight, work.arena, plan).find(step));
    }
    const auto now = sight.desk().rooms.clock.now();
    const Warnings told = checked.patient.empty() ? Warnings::Give : Warnings::Leave;
    add_findings(step, fhir::incoherences(resource, {}, now), told, issues);
    std::ranges::move(step.warnings, std::back_inserter(issues));
    return checked;
}

}  // namespace hygie::records
