#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "fhir/search/search_plan.h"
#include "fhir/search/search_query.h"
#include "fhir/search/search_run.h"
#include "fhir/search/segment_data.h"

/// How run() finds: sets of entries, one bit each, combined. Internal to search_*.cc.
namespace hygie::fhir {

/// A set of entries of one piece.
class Bits {
  public:
    explicit Bits(std::size_t size) : words_((size + kWord - 1) / kWord, 0) {}
    explicit Bits(std::vector<std::uint64_t> words) : words_(std::move(words)) {}

    void set(std::size_t i) { words_[i / kWord] |= std::uint64_t{1} << (i % kWord); }
    bool test(std::size_t i) const { return (words_[i / kWord] >> (i % kWord) & 1) != 0; }
    bool none() const;
    std::size_t count() const;
    void keep(const Bits& others);
    void drop(const Bits& others);
    /// Leaves out what is outside of [first, end).
    void keep_range(std::size_t first, std::size_t end);

    template <typename Use>
    void for_each(Use&& use) const {
        for (std::size_t word = 0; word < words_.size(); ++word) {
            for (auto rest = words_[word]; rest != 0; rest &= rest - 1) {
                use(word * kWord + static_cast<std::size_t>(__builtin_ctzll(rest)));
            }
        }
    }

  private:
    static constexpr std::size_t kWord = 64;
    std::vector<std::uint64_t> words_;
};

/// One piece of the space.
struct Place {
    std::size_t compartment;
    const Compartment::Piece* piece;
    const Segment::Data* data;
};
using Places = std::vector<Place>;
Places places_of(const Space& space);

/// A set of entries for each place.
using Selection = std::vector<Bits>;

/// A criterion with what it needs from elsewhere in the space already found.
struct Prepared {
    const Criterion* criterion = nullptr;
    const ParamPlan* plan = nullptr;
    /// Chain: by type, ids of what may be referred to. Has: ids of what is referred to (one type).
    /// Either: ids of what fulfils one (that of the search).
    std::vector<std::pair<std::string_view, std::unordered_set<std::string_view>>> ids;
};

/// All live entries of a type that fulfil all criteria. `limit`: places from this compartment on
/// give none.
Selection select(const Places& places, std::string_view type, std::span<const Criterion> all,
                 std::size_t hits_from = SIZE_MAX);

/// Calls `use(values, source)` for each column that holds values of a parameter.
template <typename Use>
void for_columns(const Segment::Data& data, std::size_t type, std::span<const Source> sources,
                 Use&& use) {
    const Section* section = data.section(type);
    if (section == nullptr) return;
    for (const auto& source : sources) {
        for (const auto& column : section->columns_of(source.param)) {
            Values values(*section, column);
            use(values, source);
        }
    }
}

/// An entry selected, with what puts it in order.
struct Candidate {
    std::string key;
    std::string_view id;
    std::uint32_t place;
    std::uint32_t index;
};
std::vector<Candidate> candidates(const Places& places, const Selection& selection,
                                  const Query& query);

/// What goes along with a page.
Result<std::vector<Hit>> included(const Places& places, const Space& space,
                                  const std::vector<Hit>& page, const Query& query);

}  // namespace hygie::fhir
