#pragma once

#include <cstdint>
#include <vector>

/// Sorting for the query index. Pure.
namespace hygie::ledger {

/// Something under a key: an offset, or the number of a list.
struct Posting {
    std::uint64_t key = 0;
    std::uint32_t value = 0;
    bool operator==(const Posting&) const = default;
};

/// Stable sort by key. Keys are keyed hashes: two radix passes over their highest 22 differing bits
/// leave next to nothing to do, so this costs a few nanoseconds per posting. `scratch` is reused
/// between calls.
void sort_by_key(std::vector<Posting>& postings, std::vector<Posting>& scratch);

/// Calls `visit(key, values)` for each key of sorted postings with its values in their order.
template <typename Visit>
void for_each_key(const std::vector<Posting>& sorted, Visit&& visit) {
    std::vector<std::uint32_t> values;
    for (std::size_t i = 0; i < sorted.size();) {
        const std::uint64_t key = sorted[i].key;
        values.clear();
        for (; i < sorted.size() && sorted[i].key == key; ++i) values.push_back(sorted[i].value);
        visit(key, values);
    }
}

}  // namespace hygie::ledger
