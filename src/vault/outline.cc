#include "vault/outline.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "fhir/search/segment.h"
#include "vault/labels.h"
#include "vault/relations.h"
#include "vault/shared.h"
#include "vault/unassigned.h"

namespace hygie::vault {
namespace {

/// Entries of a piece that name others than the patient of the record.
std::set<std::size_t> shared_entries(const Piece& piece, std::string_view patient) {
    std::set<std::size_t> entries;
    if (!piece.shared) return entries;
    for (const auto& [entry, whom] : others_named(*piece.segment, patient)) entries.insert(entry);
    return entries;
}

std::vector<std::uint64_t> rows_of_circle(const Record& record) {
    std::vector<std::uint64_t> rows;
    const auto seen = record.index().pieces();
    for (std::size_t p = 0; p < seen.size(); ++p) {
        const Piece& piece = record.pieces()[p];
        const auto shared = shared_entries(piece, record.patient());
        for (std::size_t i = 0; i < piece.segment->size(); ++i)
            if (seen[p].is_live(i) && !shared.contains(i) &&
                !(piece.labelled && labels_of(*piece.segment, i) != 0))
                rows.push_back(piece.segment->entry(i).body);
    }
    std::ranges::sort(rows);
    return rows;
}

}  // namespace

/// A record names its practitioners at each encounter: all of them made a front three times larger.
std::shared_ptr<const Relations> lasting_relations(const Record& record) {
    const auto written = [&](const access::Relation& relation) {
        const std::string_view evidence = relation.evidence;
        const auto slash = std::min(evidence.find('/'), evidence.size());
        const auto entry = record.index().find(
            evidence.substr(0, slash), evidence.substr(std::min(slash + 1, evidence.size())));
        return entry ? entry->updated : WallTime();
    };
    return std::make_shared<const Relations>(lasting(record.relations(), written));
}

std::int64_t state_of(const Record& record) {
    return record.pieces().empty() ? 0 : record.pieces().back().number;
}

Result<std::shared_ptr<const Outline>> Outline::of(const Record& record) {
    std::shared_ptr<const Outline> outline(new Outline(record));
    // What a damaged index says of labels and of other patients is not to be believed.
    if (record.index().is_damaged()) return std::unexpected(damaged_index());
    return outline;
}

Outline::Outline(const Record& record)
    : relations_(is_of_patient(record.patient()) ? lasting_relations(record)
                                                 : std::make_shared<const Relations>()),
      circle_(std::make_shared<const Record>(
          Record(record.number(), record.key(), std::string(record.patient()))
              .with(make_piece(fhir::Segment::build({}), relations_)))),
      state_(state_of(record)) {
    if (!is_of_patient(record.patient())) return;
    for (const std::uint64_t row : rows_of_circle(record)) {
        if (!rows_.empty() && rows_.back().second == row)
            ++rows_.back().second;
        else
            rows_.emplace_back(row, row + 1);
    }
    rows_.shrink_to_fit();
}

bool Outline::decides(std::uint64_t row) const {
    const auto behind = std::ranges::upper_bound(rows_, row, {}, &Rows::first);
    return behind != rows_.begin() && row < std::prev(behind)->second;
}

std::size_t Outline::bytes() const {
    return sizeof(Outline) + circle_->bytes() + rows_.capacity() * sizeof(Rows);
}

}  // namespace hygie::vault
