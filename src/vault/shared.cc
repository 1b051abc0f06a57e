#include "vault/shared.h"

#include <algorithm>
#include <optional>

#include "fhir/search/search_extract.h"

namespace hygie::vault {
namespace {

constexpr std::string_view kPatient = "Patient";

using Named = std::vector<std::pair<std::size_t, std::string_view>>;

Named named(const fhir::Segment& segment) {
    Named all = segment.references_to(kPatient);
    const auto [first, end] = segment.range_of(kPatient);
    std::erase_if(all, [&](const auto& one) { return one.first >= first && one.first < end; });
    return all;
}

}  // namespace

bool names_several(const fhir::Segment& segment) {
    const Named all = named(segment);
    return std::ranges::adjacent_find(all, {}, &Named::value_type::first) != all.end();
}

Named others_named(const fhir::Segment& segment, std::string_view patient) {
    Named others = named(segment);
    std::erase_if(others, [&](const auto& one) { return one.second == patient; });
    return others;
}

std::vector<std::string> others_named(const Record& record, std::string_view type,
                                      std::string_view id) {
    std::vector<std::string> others;
    if (!record.is_shared()) return others;
    std::uint32_t newest = 0;
    for (const Piece& piece : record.pieces()) {
        const auto found = piece.segment->find(type, id);
        if (!found || piece.segment->entry(*found).version < newest) continue;
        newest = piece.segment->entry(*found).version;
        others.clear();
        if (!piece.shared) continue;
        for (const auto& [entry, patient] : others_named(*piece.segment, record.patient()))
            if (entry == *found) others.emplace_back(patient);
    }
    return others;
}

std::vector<fhir::ResourceEntry> entries_naming(const Record& record, std::string_view patient) {
    std::vector<fhir::ResourceEntry> entries;
    for (const fhir::Compartment::Piece& piece : record.index().pieces()) {
        std::optional<std::size_t> last;
        for (const auto& [entry, whom] : named(*piece.segment)) {
            if (whom != patient || entry == last || !piece.is_live(entry)) continue;
            entries.push_back(piece.segment->entry(entry));
            last = entry;
        }
    }
    return entries;
}

std::vector<std::string> others_named(fhir::Json resource, std::string_view patient) {
    std::vector<std::string> others;
    if (resource["resourceType"].text() == kPatient) return others;
    for (const fhir::IndexRow& row : fhir::extract(resource))
        if (const auto* to = std::get_if<fhir::Reference>(&row.value))
            if (to->type == kPatient && to->id != patient) others.emplace_back(to->id);
    std::ranges::sort(others);
    const auto repeated = std::ranges::unique(others);
    others.erase(repeated.begin(), repeated.end());
    return others;
}

}  // namespace hygie::vault
