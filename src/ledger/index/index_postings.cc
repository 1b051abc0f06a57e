#include "ledger/index/index_postings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace hygie::ledger {
namespace {

constexpr unsigned kPassBits = 11;
constexpr std::size_t kBuckets = std::size_t{1} << kPassBits;
constexpr std::size_t kSmall = 256;  ///< below this the histograms cost more than they save

bool by_key(const Posting& left, const Posting& right) {
    return left.key < right.key;
}

/// One stable counting pass over kPassBits bits of key − least, from bit `shift` on.
void radix_pass(const std::vector<Posting>& from, std::vector<Posting>& to, std::uint64_t least,
                unsigned shift) {
    const auto bucket = [&](const Posting& posting) {
        return static_cast<std::size_t>((posting.key - least) >> shift) & (kBuckets - 1);
    };
    std::array<std::uint32_t, kBuckets> starts{};
    for (const Posting& posting : from) ++starts[bucket(posting)];
    std::uint32_t next = 0;
    for (std::uint32_t& start : starts) next += std::exchange(start, next);
    for (const Posting& posting : from) to[starts[bucket(posting)]++] = posting;
}

/// Sorts each group of postings whose keys agree in the bits that the passes looked at.
void settle(std::vector<Posting>& postings, std::uint64_t least, unsigned shift) {
    for (auto group = postings.begin(); group != postings.end();) {
        const std::uint64_t high = (group->key - least) >> shift;
        const auto end = std::find_if(group, postings.end(), [&](const Posting& posting) {
            return (posting.key - least) >> shift != high;
        });
        if (!std::is_sorted(group, end, by_key)) std::stable_sort(group, end, by_key);
        group = end;
    }
}

}  // namespace

void sort_by_key(std::vector<Posting>& postings, std::vector<Posting>& scratch) {
    if (postings.size() < kSmall) {
        std::stable_sort(postings.begin(), postings.end(), by_key);
        return;
    }
    std::uint64_t least = UINT64_MAX;
    std::uint64_t most = 0;
    for (const Posting& posting : postings) {
        least = std::min(least, posting.key);
        most = std::max(most, posting.key);
    }
    const auto width = static_cast<unsigned>(std::bit_width(most - least));
    const unsigned shift = width > 2 * kPassBits ? width - 2 * kPassBits : 0;
    scratch.resize(postings.size());
    radix_pass(postings, scratch, least, shift);
    radix_pass(scratch, postings, least, shift + kPassBits);
    if (shift > 0) settle(postings, least, shift);
}

}  // namespace hygie::ledger
