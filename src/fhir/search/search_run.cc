#include "fhir/search/search_run.h"

#include <algorithm>
#include <tuple>

#include "fhir/search/search_scan.h"

namespace hygie::fhir {
namespace {

/// A position: the length of the key in four bytes, the key, the id; of the last resource shown.
constexpr std::size_t kPositionHead = 4;

std::string position_after(const Candidate& last) {
    std::string position(kPositionHead, '\0');
    store_be(reinterpret_cast<std::uint8_t*>(position.data()),
             static_cast<std::uint32_t>(last.key.size()));
    position += last.key;
    position += last.id;
    return position;
}

auto order_of(const Candidate& candidate) {
    return std::tuple{std::string_view(candidate.key), candidate.id};
}

/// Leaves out what was shown up to a position.
Status skip_to(std::string_view position, std::vector<Candidate>& all) {
    if (position.empty()) return {};
    const auto size =
        position.size() < kPositionHead
            ? SIZE_MAX
            : load_be<std::uint32_t>(reinterpret_cast<const std::uint8_t*>(position.data()));
    if (size > position.size() - std::min(position.size(), kPositionHead)) {
        return fail(
            Code::BadInput,
            {"La suite demandée n'est pas lisible.", "The continuation asked for cannot be read."},
            {"Recommencer la recherche.", "Start the search again."});
    }
    const std::tuple after{position.substr(kPositionHead, size),
                           position.substr(kPositionHead + size)};
    std::erase_if(all, [&](const Candidate& candidate) { return order_of(candidate) <= after; });
    return {};
}

}  // namespace

Result<Hits> run(const Query& query, const Space& space) {
    const Places places = places_of(space);
    const Selection selection = select(places, query.type, query.all, space.hits_from);
    Hits hits;
    for (const auto& bits : selection) hits.total += bits.count();
    if (query.summary == Query::Summary::Count) return hits;
    auto all = candidates(places, selection, query);
    TRY_STATUS(skip_to(query.position, all));
    const auto shown = std::min(query.count, all.size());
    std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(shown), {}, order_of);
    hits.page.reserve(shown);
    for (const auto& candidate : std::span(all).first(shown)) {
        const auto& place = places[candidate.place];
        hits.page.push_back({place.compartment, place.piece->segment->entry(candidate.index)});
    }
    if (shown < all.size() && shown > 0) hits.next = position_after(all[shown - 1]);
    hits.included = TRY(included(places, space, hits.page, query));
    return hits;
}

}  // namespace hygie::fhir
