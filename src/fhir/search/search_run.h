#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fhir/search/search_query.h"
#include "fhir/search/segment.h"

namespace hygie::fhir {

inline constexpr std::size_t kIncludedMax = 5'000;  ///< resources included in one page

/// Where a search looks: what the asker may see, and nothing else. Chains, _has and includes see
/// all of it; hits come from the first `hits_from` compartments (all by default), so that a search
/// in one patient's compartment can follow references to the house.
struct Space {
    std::span<const Compartment* const> compartments;
    std::size_t hits_from = SIZE_MAX;
    /// Whether resources of a type may be included from a compartment: what may not be leads
    /// nowhere either. Empty: all may.
    std::function<bool(std::size_t compartment, std::string_view type)> includes{};
};

/// A resource found; `entry` lives as long as the Space.
struct Hit {
    std::size_t compartment = 0;  ///< in Space::compartments
    ResourceEntry entry;
};

struct Hits {
    std::vector<Hit> page;      ///< in order
    std::vector<Hit> included;  ///< each once, none that is in the page
    std::size_t total = 0;      ///< over all pages; exact within the Space
    /// Position of the next page; empty on the last one. It holds values of the record: seal it
    /// before it leaves. Stays right when resources come and go: it says after whom to go on.
    std::string next;
};

/// Runs a query. Code::BadInput for a position that is not one of ours; Code::Full when more than
/// kIncludedMax would be included.
Result<Hits> run(const Query& query, const Space& space);

}  // namespace hygie::fhir
