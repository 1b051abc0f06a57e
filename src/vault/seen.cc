#include "vault/seen.h"

#include <map>
#include <set>

#include "vault/labels.h"
#include "vault/shared.h"
#include "vault/unassigned.h"

namespace hygie::vault {

namespace {

/// A record without what names other patients whose record is closed to the asker.
fhir::Compartment without_closed(const fhir::Compartment& seen, const Record& record,
                                 const Scope& scope) {
    std::map<const fhir::Segment*, std::set<std::size_t>> closed;
    for (const Piece& piece : record.pieces()) {
        if (!piece.shared) continue;
        std::set<std::size_t>& entries = closed[piece.segment.get()];
        for (const auto& [index, patient] : others_named(*piece.segment, record.patient()))
            if (!scope.opens_also(record, piece.segment->entry(index), patient))
                entries.insert(index);
    }
    return seen.without([&](const fhir::Segment& segment, std::size_t index) {
        const auto entries = closed.find(&segment);
        return entries != closed.end() && entries->second.contains(index);
    });
}

/// Of another's record, what names the patient whose compartment is searched.
fhir::Compartment naming(const fhir::Compartment& seen, const Record& record,
                         std::string_view patient) {
    std::set<std::pair<std::string_view, std::string_view>> names;
    for (const fhir::ResourceEntry& entry : entries_naming(record, patient))
        names.emplace(entry.type, entry.id);
    return seen.without([&](const fhir::Segment& segment, std::size_t index) {
        const fhir::ResourceEntry entry = segment.entry(index);
        return !names.contains({entry.type, entry.id});
    });
}

}  // namespace

const fhir::Compartment& seen_of(const Record& record, const Scope& scope,
                                 std::deque<fhir::Compartment>& masked) {
    const fhir::Compartment* seen = &record.index();
    const bool is_anothers = is_of_patient(record.patient()) && !scope.patient.empty() &&
                             record.patient() != scope.patient;
    if (is_anothers) seen = &masked.emplace_back(naming(*seen, record, scope.patient));
    if (scope.hides && record.is_labelled())
        seen = &masked.emplace_back(
            seen->without([&](const fhir::Segment& segment, std::size_t index) {
                const std::uint8_t labels = labels_of(segment, index);
                return labels != 0 && scope.hides(record, segment.entry(index).type, labels);
            }));
    if (scope.opens_also && record.is_shared())
        seen = &masked.emplace_back(without_closed(*seen, record, scope));
    if (!scope.narrows) return *seen;
    auto left = scope.narrows(record, *seen);
    return left ? masked.emplace_back(*std::move(left)) : *seen;
}

}  // namespace hygie::vault
