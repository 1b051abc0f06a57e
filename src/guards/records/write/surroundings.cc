#include "guards/records/write/surroundings.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "access/decide/circle.h"
#include "fhir/search/search_extract.h"
#include "fhir/validate/french.h"
#include "guards/records/request/shaping.h"
#include "guards/records/sight/search.h"
#include "vault/indexing.h"

namespace hygie::records {

using fhir::Json;

std::string without_version(std::string_view link) {
    return std::string(link.substr(0, link.find("/_history/")));
}

namespace {

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

Answer<std::string> is_here(Surroundings& around, std::string_view subject) {
    constexpr std::string_view kPatient = "Patient/";
    if (!subject.starts_with(kPatient)) return std::string();
    std::string id(subject.substr(kPatient.size()));
    return TRY(around.is_patient(id)) ? id : std::string();
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
    if (own == entries.end()) return is_here(around, subject);
    for (const std::string& number : fhir::ins_numbers((*own)["resource"])) {
        const auto found = TRY(find_matches(around.sight(), "Patient", {{"identifier", number}}));
        if (found.size() == 1) return std::string(found.front().record->patient());
    }
    return std::string();
}

/// From a provenance to a report to a patient; what leads further is followed no more.
constexpr int kHopsMax = 64;

/// Whose record the resource goes to by what it says itself.
Answer<std::string> own_patient_of(Surroundings& around, const Step& step) {
    const auto rows = fhir::extract(step.change.body);
    std::string own =
        TRY(vault::patient_of(step.change.body, step.change.id, rows,
                              [&](const std::string& id) { return around.is_patient(id); }));
    if (vault::is_of_patient(own) || step.change.type != "Bundle") return own;
    std::string home = TRY(subject_of_document(around, step.change.body));
    return home.empty() ? own : home;
}

}  // namespace

Answer<std::string> patient_of(Surroundings& around, const Step& step) {
    std::string own = TRY(own_patient_of(around, step));
    const std::string& type = step.change.type;
    if (vault::is_of_patient(own) || (type != "Binary" && !follows_others(type))) return own;
    std::string home = TRY(around.home_of(step.reference()));
    return home.empty() ? own : home;
}

std::vector<std::string> files_of(const Step& step) {
    constexpr std::array<std::string_view, 3> kShow = {"DocumentReference", "DiagnosticReport",
                                                       "Media"};
    std::vector<std::string> files;
    const std::function<void(Json)> look = [&](Json value) {
        for (const Json item : value.items()) look(item);
        for (const fhir::Member& member : value.members()) {
            const std::string_view url = member.value.text();
            if (member.name == "url" && url.starts_with("Binary/"))
                files.push_back(without_version(url));
            look(member.value);
        }
    };
    if (step.has_body() && std::ranges::find(kShow, step.change.type) != kShow.end())
        look(step.change.body);
    return files;
}

/// All that is written here and has a patient, nearest first: whatever the order it came in, and
/// however it refers to itself in circles.
Answer<void> Surroundings::find_homes() {
    homes_.emplace();
    std::map<std::string, std::vector<std::string>> leads;  ///< of what names no patient: where to
    for (const auto& [reference, step] : written_) {
        if (!step->has_body()) continue;
        if (std::string own = TRY(own_patient_of(*this, *step)); vault::is_of_patient(own))
            homes_->emplace(reference, std::move(own));
        else if (follows_others(step->change.type))
            leads.emplace(reference, references_in(arena_, step->change.body));
        else if (step->change.type == "Binary")
            leads.try_emplace(reference);
    }
    for (const auto& [reference, step] : written_)
        for (const std::string& file : files_of(*step))
            if (const auto shown = leads.find(file); shown != leads.end())
                shown->second.push_back(reference);
    for (auto& [reference, to] : leads) std::ranges::sort(to);
    for (int hop = 0; hop < kHopsMax && !leads.empty(); ++hop) {
        std::unordered_map<std::string, std::string> found;
        for (const auto& [reference, to] : leads)
            for (const std::string& next : to)
                if (std::string home = TRY(home_of(next)); vault::is_of_patient(home)) {
                    found.emplace(reference, std::move(home));
                    break;
                }
        if (found.empty()) break;
        for (auto& [reference, home] : found) {
            leads.erase(reference);
            homes_->emplace(reference, std::move(home));
        }
    }
    return {};
}

Answer<std::string> Surroundings::home_of(const std::string& reference) {
    if (written_.contains(reference)) {
        if (!homes_) TRY_STATUS(find_homes());
        const auto home = homes_->find(reference);
        return home == homes_->end() ? std::string() : home->second;
    }
    const auto found = open(reference);
    return found ? std::string(found->record->patient()) : std::string();
}

}  // namespace hygie::records
