#include "ledger/completeness_tree.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace hygie::ledger {
namespace {

using crypto::Hash;

/// The subtree over leaves [begin, end) splits here: the largest power of two smaller than its
/// size.
std::uint64_t middle_of(std::uint64_t begin, std::uint64_t end) {
    return begin + std::bit_floor(end - begin - 1);
}

Result<Hash> subtree_root(HashReader& hashes, std::uint64_t begin, std::uint64_t end) {
    const std::uint64_t size = end - begin;
    if (std::has_single_bit(size)) {
        const auto height = static_cast<unsigned>(std::countr_zero(size));
        return hashes.node(height, begin >> height);
    }
    const std::uint64_t middle = middle_of(begin, end);
    const Hash left = TRY(subtree_root(hashes, begin, middle));
    const Hash right = TRY(subtree_root(hashes, middle, end));
    return crypto::node_hash(left, right);
}

Status prove_subtree(HashReader& hashes, std::uint64_t begin, std::uint64_t end,
                     std::span<const std::uint64_t> indexes, std::vector<Hash>& proof) {
    if (indexes.empty()) {
        proof.push_back(TRY(subtree_root(hashes, begin, end)));
        return {};
    }
    if (end - begin == 1) return {};
    const std::uint64_t middle = middle_of(begin, end);
    const auto split = static_cast<std::size_t>(
        std::lower_bound(indexes.begin(), indexes.end(), middle) - indexes.begin());
    TRY_STATUS(prove_subtree(hashes, begin, middle, indexes.first(split), proof));
    return prove_subtree(hashes, middle, end, indexes.subspan(split), proof);
}

std::unexpected<Error> does_not_fit() {
    return fail(Code::Forged,
                {"la preuve d'inclusion ne correspond pas aux entrées qu'elle porte",
                 "the inclusion proof does not match the entries it carries"},
                {"refusez la preuve ; demandez-en une nouvelle à une autre source",
                 "refuse the proof; ask another source for a new one"});
}

/// Consumes `proof` from its front.
Result<Hash> root_of_subtree(std::uint64_t begin, std::uint64_t end,
                             std::span<const IndexedLeaf> leaves, std::span<const Hash>& proof) {
    if (leaves.empty()) {
        if (proof.empty()) return does_not_fit();
        const Hash hash = proof.front();
        proof = proof.subspan(1);
        return hash;
    }
    if (end - begin == 1) return leaves.front().hash;
    const std::uint64_t middle = middle_of(begin, end);
    const auto split =
        static_cast<std::size_t>(std::lower_bound(leaves.begin(), leaves.end(), middle,
                                                  [](const IndexedLeaf& leaf, std::uint64_t at) {
                                                      return leaf.index < at;
                                                  }) -
                                 leaves.begin());
    const Hash left = TRY(root_of_subtree(begin, middle, leaves.first(split), proof));
    const Hash right = TRY(root_of_subtree(middle, end, leaves.subspan(split), proof));
    return crypto::node_hash(left, right);
}

}  // namespace

Result<std::vector<Hash>> prove_leaves(HashReader& hashes, std::uint64_t size,
                                       std::span<const std::uint64_t> indexes) {
    const bool ascend =
        std::adjacent_find(indexes.begin(), indexes.end(), std::greater_equal<>()) == indexes.end();
    if (!ascend || (!indexes.empty() && indexes.back() >= size))
        return fail(Code::BadInput,
                    {"ces entrées ne sont pas toutes dans l'arbre",
                     "these entries are not all in the tree"},
                    {"donnez des index croissants, plus petits que la taille du point de contrôle",
                     "give ascending indexes, smaller than the size in the checkpoint"});
    std::vector<Hash> proof;
    if (size > 0) TRY_STATUS(prove_subtree(hashes, 0, size, indexes, proof));
    return proof;
}

Result<Hash> root_from_leaves(std::uint64_t size, std::span<const IndexedLeaf> leaves,
                              std::span<const Hash> proof) {
    const bool ascend =
        std::adjacent_find(leaves.begin(), leaves.end(), [](const auto& a, const auto& b) {
            return a.index >= b.index;
        }) == leaves.end();
    if (!ascend || (!leaves.empty() && leaves.back().index >= size)) return does_not_fit();
    if (size == 0) return proof.empty() ? Result<Hash>(empty_root()) : does_not_fit();
    const Hash root = TRY(root_of_subtree(0, size, leaves, proof));
    if (!proof.empty()) return does_not_fit();
    return root;
}

Result<Hash> LeafReader::node(unsigned height, std::uint64_t index) {
    if (height == 0) return leaves_[index];
    const Hash left = TRY(node(height - 1, 2 * index));
    const Hash right = TRY(node(height - 1, 2 * index + 1));
    return crypto::node_hash(left, right);
}

}  // namespace hygie::ledger
