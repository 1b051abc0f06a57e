#include "guards/records/write/deletions.h"

#include <algorithm>

#include "fhir/data/schema.h"
#include "fhir/search/search_run.h"

namespace hygie::records {

namespace {

/// Records that a deletion in the house is looked for in.
constexpr std::size_t kRecordsMax = 2'000;

/// Whether a resource of the plan changes what is there, so that what it said counts no more.
bool is_replaced(const Plan& plan, const fhir::ResourceEntry& entry) {
    return std::ranges::any_of(plan.steps, [&](const Step& step) {
        return !step.is_idle && step.change.type == entry.type && step.change.id == entry.id;
    });
}

bool holds_more(const Plan& plan, const vault::Record& record) {
    return std::ranges::any_of(record.entries({}), [&](const fhir::ResourceEntry& entry) {
        return !is_replaced(plan, entry);
    });
}

bool leads_to(const fhir::SearchParam& param, std::string_view type) {
    return param.type == fhir::SearchParam::Type::Reference &&
           (param.targets.empty() || std::ranges::find(param.targets, type) != param.targets.end());
}

/// Whether a resource that stays refers from this record to what is to go.
Answer<bool> refers(const Plan& plan, const vault::Record& record, const Step& gone) {
    const fhir::Compartment* const only[] = {&record.index()};
    for (const std::string_view type : record.index().types())
        for (const fhir::SearchParam* param : fhir::search_params_of(type)) {
            if (!leads_to(*param, gone.change.type)) continue;
            const Parameters criteria = {{std::string(param->code), gone.reference()}};
            const auto query = fhir::parse_query(type, criteria, {});
            if (!query) continue;  // a parameter that is not searched by
            const auto hits = TRY(fhir::run(*query, fhir::Space{.compartments = only}));
            for (const fhir::Hit& hit : hits.page)
                if (!is_replaced(plan, hit.entry)) return true;
        }
    return false;
}

/// What belongs to a patient is referred to from that record; what is the house's, from anywhere.
/// More records than are looked into count as one that refers.
Answer<bool> is_referred_to(Sight& sight, const Plan& plan, const Step& gone) {
    const vault::Record& own = *gone.before->record;
    if (TRY(refers(plan, own, gone))) return true;
    if (!own.patient().empty()) return false;
    const auto patients = TRY(sight.desk().rooms.vault.patients());
    if (patients.size() > kRecordsMax) return true;
    for (const std::string& patient : patients) {
        const auto record = sight.desk().rooms.vault.record(patient);
        if (!record && record.error().code == Code::Erased) continue;
        if (!record) return std::unexpected(Refusal(record.error()));
        if (*record && TRY(refers(plan, **record, gone))) return true;
    }
    return false;
}

std::unexpected<Refusal> record_is_full(const Step& step) {
    return refuse(409, "conflict",
                  {"le dossier de ce patient n'est pas vide : le supprimer laisserait orphelin ce "
                   "qu'il contient",
                   "the record of this patient is not empty: deleting the patient would leave "
                   "what it holds orphaned"},
                  {"pour un départ, écrivez active=false ; pour un double, Patient/$merge ; pour "
                   "effacer le dossier entier, hygie vault shred",
                   "for one who left, write active=false; for a duplicate, Patient/$merge; to "
                   "erase the whole record, hygie vault shred"},
                  step.change.expression);
}

std::unexpected<Refusal> is_needed(const Step& step) {
    return refuse(409, "conflict",
                  {"une ressource désigne celle-ci : la supprimer laisserait une référence vers "
                   "rien",
                   "a resource refers to this one: deleting it would leave a reference to "
                   "nothing"},
                  {"corrigez d'abord cette référence, ou changez le statut (active, status) au "
                   "lieu de supprimer",
                   "mend that reference first, or change the status (active, status) instead of "
                   "deleting"},
                  step.change.expression);
}

}  // namespace

Answer<void> check_deletions(Sight& sight, const Plan& plan) {
    const bool is_strict = sight.desk().options.completeness == Completeness::Strict;
    for (const Step& step : plan.steps) {
        if (step.change.kind != Change::Kind::Delete || step.is_idle || !step.before) continue;
        if (step.change.type == "Patient" && holds_more(plan, *step.before->record))
            return record_is_full(step);
        if (is_strict && TRY(is_referred_to(sight, plan, step))) return is_needed(step);
    }
    return {};
}

}  // namespace hygie::records
