#pragma once

#include <string_view>
#include <vector>

#include "fhir/search/search_query.h"
#include "guards/records/sight/sight.h"

/// Searching what one asker may see, and nothing else.
namespace hygie::records {

/// A search that ran, and how it went with access.
struct Searched {
    vault::Page page{};
    std::vector<std::string>
        closed{};                  ///< patients whose record could have held a hit and is closed
    std::size_t closed_count = 0;  ///< of all those; `closed` keeps kClosedKept of them
};
inline constexpr std::size_t kClosedKept = 8;

/// Where a search by this actor looks when nothing narrows it; who may see what is not judged yet.
vault::Scope circle_of(const Call& call);

/// `patient`: hits in that patient's record only; empty: wherever the query may look.
Answer<Searched> run_search(Sight& sight, const fhir::Query& query, std::string_view patient);

/// The resources that a condition means, `most` at most: more than one are as bad as two.
Answer<std::vector<vault::Found>> find_matches(Sight& sight, std::string_view type,
                                               const Parameters& criteria, std::size_t most = 2);

/// The entries of a search: one for each patient of whom something is shown, one for each closed
/// record that it touched (as long as they are few), and one at least.
std::vector<event::Event> search_events(Sight& sight, const std::vector<vault::Found>& shown,
                                        const Searched& searched, std::string_view patient);

}  // namespace hygie::records
