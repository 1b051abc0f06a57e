#include "ledger/index/completeness_tree.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "base/check.h"

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

/// Writes a proof from left to right.
class Prover {
  public:
    Prover(HashReader& hashes, std::span<const StretchProof> stretches,
           std::uint64_t stretch_leaves)
        : hashes_(hashes), stretches_(stretches), stretch_leaves_(stretch_leaves) {}

    Status prove(std::uint64_t begin, std::uint64_t end, std::span<const std::uint64_t> indexes) {
        if (indexes.empty()) {
            proof_.push_back(TRY(subtree_root(hashes_, begin, end)));
            return {};
        }
        if (!stretches_.empty() && end - begin <= stretch_leaves_) {
            HYGIE_CHECK(stretches_.front().begin == begin, "a stretch of the proof is missing");
            proof_.insert(proof_.end(), stretches_.front().hashes.begin(),
                          stretches_.front().hashes.end());
            stretches_ = stretches_.subspan(1);
            return {};
        }
        if (end - begin == 1) return {};
        const std::uint64_t middle = middle_of(begin, end);
        const auto split = static_cast<std::size_t>(
            std::lower_bound(indexes.begin(), indexes.end(), middle) - indexes.begin());
        TRY_STATUS(prove(begin, middle, indexes.first(split)));
        return prove(middle, end, indexes.subspan(split));
    }

    std::vector<Hash> take() { return std::move(proof_); }

  private:
    HashReader& hashes_;
    std::span<const StretchProof> stretches_;
    std::uint64_t stretch_leaves_;
    std::vector<Hash> proof_;
};

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
    return prove_leaves(hashes, size, indexes, {}, 0);
}

Result<std::vector<Hash>> prove_leaves(HashReader& hashes, std::uint64_t size,
                                       std::span<const std::uint64_t> indexes,
                                       std::span<const StretchProof> stretches,
                                       std::uint64_t stretch_leaves) {
    const bool ascend =
        std::adjacent_find(indexes.begin(), indexes.end(), std::greater_equal<>()) == indexes.end();
    if (!ascend || (!indexes.empty() && indexes.back() >= size))
        return fail(Code::BadInput,
                    {"ces entrées ne sont pas toutes dans l'arbre",
                     "these entries are not all in the tree"},
                    {"donnez des index croissants, plus petits que la taille du point de contrôle",
                     "give ascending indexes, smaller than the size in the checkpoint"});
    Prover prover(hashes, stretches, stretch_leaves);
    if (size > 0) TRY_STATUS(prover.prove(0, size, indexes));
    return prover.take();
}

Result<StretchProof> prove_stretch(HashReader& hashes, std::uint64_t size,
                                   std::span<const std::uint64_t> indexes,
                                   std::uint64_t stretch_leaves) {
    const std::uint64_t begin = indexes.front() / stretch_leaves * stretch_leaves;
    Prover prover(hashes, {}, 0);
    TRY_STATUS(prover.prove(begin, std::min(size, begin + stretch_leaves), indexes));
    return StretchProof{begin, prover.take()};
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
