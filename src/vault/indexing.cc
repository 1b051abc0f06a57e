#include "vault/indexing.h"

#include <algorithm>
#include <array>

#include "access/decide/circle.h"
#include "fhir/data/schema.h"
#include "fhir/search/blind.h"
#include "fhir/search/search_extract.h"
#include "fhir/search/search_plan.h"
#include "vault/relations.h"
#include "vault/unassigned.h"

namespace hygie::vault {
namespace {

using access::Relation;

/// Its kind is none of those of fhir/search/blind.h.
constexpr std::string_view kCircle{"circle\0", 7};

fhir::ResourceEntry entry_of(std::string_view type, std::string_view id, std::uint64_t row,
                             const Body& body) {
    return {.type = type,
            .id = id,
            .version = body.version,
            .updated = body.updated,
            .deleted = body.deleted,
            .body = row};
}

}  // namespace

std::string circle_term(std::string_view person) {
    return std::string(kCircle) + std::string(person);
}

std::vector<std::uint16_t> rows_of(std::string_view type, std::string_view param) {
    std::vector<std::uint16_t> columns;
    const fhir::SearchParam* found = fhir::find_search_param(type, param);
    const fhir::TypePlan* plans = fhir::plan_of(type);
    const fhir::ParamPlan* plan = found && plans ? plans->of(*found) : nullptr;
    if (!plan) return columns;
    for (const fhir::Source& source : plan->sources) columns.push_back(source.param);
    return columns;
}

namespace {

/// FHIR lets these speak of a patient, or of what was done for one; most speak of the practice.
constexpr std::array<std::string_view, 10> kOfTheStaff = {
    "Appointment", "AppointmentResponse", "AuditEvent", "Basic", "DeviceMetric",
    "Group",       "MeasureReport",       "Provenance", "Task",  "VerificationResult"};

/// Calls back with each patient who is referred to, in an extension, too, which no search parameter
/// sees. Whether there was any, or one is described inside it.
bool tells_of_patients(fhir::Json value, const std::function<void(const fhir::Reference&)>& each) {
    bool tells = false;
    for (const fhir::Json item : value.items()) tells |= tells_of_patients(item, each);
    for (const fhir::Member& member : value.members()) {
        const auto to = member.name == "reference" ? fhir::parse_reference(member.value.text())
                                                   : fhir::Reference();
        if (to.type == "Patient") each(to);
        tells |= to.type == "Patient";
        tells |= member.name == "resourceType" && member.value.text() == "Patient";
        tells |= tells_of_patients(member.value, each);
    }
    return tells;
}

}  // namespace

bool speaks_of_patients(std::string_view type) {
    return type != "Patient" && !access::is_public(type) &&
           std::ranges::find(kOfTheStaff, type) == kOfTheStaff.end();
}

bool is_in_records(std::string_view type) {
    return type == "Patient" || speaks_of_patients(type) ||
           !fhir::patient_compartment_params(type).empty() ||
           std::ranges::any_of(fhir::search_params_of(type), [](const fhir::SearchParam* param) {
               return std::ranges::count(param->targets, "Patient") > 0;
           });
}

Result<std::string> patient_of(fhir::Json resource, std::string_view id,
                               std::span<const fhir::IndexRow> rows,
                               const std::function<Result<bool>(const std::string& id)>& is_ours) {
    const std::string_view type = resource["resourceType"].text();
    if (type == "Patient") return std::string(id);
    std::vector<std::string> candidates;
    const auto add = [&](const fhir::Reference& to) {
        if (to.type == "Patient") candidates.emplace_back(to.id);
    };
    const auto params = fhir::patient_compartment_params(type);
    for (const std::string_view code : params) {
        const std::vector<std::uint16_t> columns = rows_of(type, code);
        for (const fhir::IndexRow& row : rows) {
            const auto* to = std::get_if<fhir::Reference>(&row.value);
            if (to && std::ranges::count(columns, row.param)) add(*to);
        }
    }
    for (const fhir::IndexRow& row : rows) {
        const auto* to = std::get_if<fhir::Reference>(&row.value);
        if (to && params.empty()) add(*to);
    }
    if (type == "Binary")
        add(fhir::parse_reference(resource["securityContext"]["reference"].text()));
    for (std::string& patient : candidates)
        if (TRY(is_ours(patient))) return std::move(patient);
    // What these hold may name patients of another server.
    const bool holds_anything = type == "Binary" || type == "Bundle" || type == "Parameters";
    candidates.clear();
    const bool tells = !holds_anything && tells_of_patients(resource, add);
    for (std::string& patient : candidates)
        if (!access::is_public(type) && TRY(is_ours(patient))) return std::move(patient);
    return std::string(tells || speaks_of_patients(type) ? kUnassigned : std::string_view());
}

void IndexBuilder::add(std::string_view type, std::string_view id, std::uint64_t row,
                       const Body& body, fhir::Json resource, std::vector<fhir::IndexRow> rows) {
    resources_.push_back({entry_of(type, id, row, body), std::move(rows)});
    for (Relation& relation : relations_of(resource, body.updated))
        relations_.push_back(std::move(relation));
    if (!body.opened_by.empty() && (type == "Patient" || is_apart_))
        relations_.push_back({.person = body.opened_by,
                              .kind = Relation::Kind::OpenedRecord,
                              .start = body.updated,
                              .evidence = std::string(type) + '/' + std::string(id)});
}

void IndexBuilder::add_gone(std::string_view type, std::string_view id, std::uint64_t row,
                            const Body& body) {
    fhir::ResourceEntry entry = entry_of(type, id, row, body);
    entry.deleted = true;
    resources_.push_back({entry, {}});
}

Status IndexBuilder::add_stored(std::uint64_t row, Body body) {
    fhir::Document document = TRY(fhir::parse(body.text));
    std::pair key(std::string(document.root["resourceType"].text()),
                  std::string(document.root["id"].text()));
    const auto known = stored_.find(key);
    if (known != stored_.end() && known->second.body.version > body.version) return {};
    // Who made it is said by its first version and stays true.
    if (known != stored_.end() && body.opened_by.empty())
        body.opened_by = known->second.body.opened_by;
    stored_.insert_or_assign(std::move(key), Stored{row, std::move(body), std::move(document)});
    return {};
}

Status IndexBuilder::keep_if(
    const std::function<Result<bool>(std::string_view type, std::string_view id)>& wanted) {
    for (auto stored = stored_.begin(); stored != stored_.end();) {
        if (TRY(wanted(stored->first.first, stored->first.second)))
            ++stored;
        else
            stored = stored_.erase(stored);
    }
    return {};
}

std::string IndexBuilder::patient() const {
    for (const auto& [key, stored] : stored_)
        if (key.first == "Patient") return key.second;
    return {};
}

void IndexBuilder::index_stored() {
    for (const auto& [key, stored] : stored_) {
        if (stored.body.deleted)
            add_gone(key.first, key.second, stored.row, stored.body);
        else
            add(key.first, key.second, stored.row, stored.body, stored.document.root,
                fhir::extract(stored.document.root));
    }
}

std::vector<std::string> IndexBuilder::terms() const {
    std::vector<std::string> all;
    for (const fhir::IndexedResource& resource : resources_)
        if (!resource.entry.deleted)
            std::ranges::move(fhir::terms(resource), std::back_inserter(all));
    for (const Relation& relation : relations_) all.push_back(circle_term(relation.person));
    std::ranges::sort(all);
    const auto repeated = std::ranges::unique(all);
    all.erase(repeated.begin(), repeated.end());
    return all;
}

Piece IndexBuilder::take() {
    index_stored();
    std::ranges::stable_sort(relations_, {}, &access::Relation::person);
    return make_piece(fhir::Segment::build(resources_),
                      std::make_shared<const Relations>(std::move(relations_)));
}

}  // namespace hygie::vault
