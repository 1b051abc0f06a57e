#include "ledger/index/index_commitment.h"

#include <optional>

#include "base/bytes.h"
#include "ledger/index/index_postings.h"
#include "ledger/tree/canonical.h"
#include "ledger/tree/tree.h"

namespace hygie::ledger {
namespace {

constexpr std::array kRootNames{"actor", "patient", "object"};
/// actor_root sorts one slice of the tokens at a time, which bounds its memory.
constexpr unsigned kSliceBits = 4;

std::optional<std::string> text_of(const std::map<std::string, std::string>& detail,
                                   const char* name) {
    const auto found = detail.find(name);
    return found == detail.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint64_t> number_of(const std::map<std::string, std::string>& detail,
                                       const char* name) {
    const auto text = text_of(detail, name);
    return text ? parse_decimal(*text) : std::nullopt;
}

std::optional<crypto::Hash> hash_of(const std::map<std::string, std::string>& detail,
                                    const char* name) {
    const auto text = text_of(detail, name);
    crypto::Hash hash;
    if (!text || text->size() != 2 * hash.size()) return std::nullopt;
    const auto bytes = from_hex(*text);
    if (!bytes || to_hex(*bytes) != *text) return std::nullopt;
    std::copy(bytes->begin(), bytes->end(), hash.begin());
    return hash;
}

}  // namespace

IndexCommitment IndexCommitment::of(std::uint64_t run, const RunDirectory& directory) {
    IndexCommitment commitment{run, directory.range, {}};
    for (const Dimension dimension : kDimensions)
        commitment.roots[static_cast<std::size_t>(dimension)] =
            dimension_root(directory.of(dimension));
    return commitment;
}

std::map<std::string, std::string> IndexCommitment::detail() const {
    std::map<std::string, std::string> detail{{"run", std::to_string(run)},
                                              {"first", std::to_string(range.first)},
                                              {"end", std::to_string(range.end)}};
    for (std::size_t i = 0; i < roots.size(); ++i) detail[kRootNames[i]] = to_hex(roots[i]);
    return detail;
}

Result<IndexCommitment> IndexCommitment::parse(const std::map<std::string, std::string>& detail) {
    const auto run = number_of(detail, "run");
    const auto first = number_of(detail, "first");
    const auto end = number_of(detail, "end");
    if (detail.size() != 3 + kRootNames.size() || !run || !first || !end || *first >= *end ||
        *end - *first > UINT32_MAX)
        return index_corrupt();
    IndexCommitment commitment{*run, {*first, *end}, {}};
    for (std::size_t i = 0; i < kRootNames.size(); ++i) {
        const auto root = hash_of(detail, kRootNames[i]);
        if (!root) return index_corrupt();
        commitment.roots[i] = *root;
    }
    return commitment;
}

crypto::Hash actor_root(std::uint64_t first, std::span<const crypto::Token> actors) {
    BlockCutter cutter(Dimension::Actor, {first, first + actors.size()});
    Tree tree;
    const auto take = [&] {
        for (const BlockCutter::Cut& cut : cutter.take_full()) {
            const crypto::Hash leaf = crypto::leaf_hash(cut.plaintext);
            tree.append({&leaf, 1},
                        [](std::size_t, std::uint64_t, std::span<const crypto::Hash>) {});
        }
    };
    std::vector<Posting> postings;
    std::vector<Posting> scratch;
    for (std::uint64_t slice = 0; slice < (std::uint64_t{1} << kSliceBits); ++slice) {
        postings.clear();
        for (std::size_t i = 0; i < actors.size(); ++i) {
            const std::uint64_t key = key_of(Dimension::Actor, actors[i]);
            if (key != 0 && key >> (64 - kSliceBits) == slice)
                postings.push_back({key, static_cast<std::uint32_t>(i)});
        }
        sort_by_key(postings, scratch);
        for_each_key(postings, [&](std::uint64_t key, std::span<const std::uint32_t> offsets) {
            cutter.add(key, offsets);
            take();
        });
    }
    cutter.finish();
    take();
    return dimension_root(tree.size(), tree.root());
}

}  // namespace hygie::ledger
