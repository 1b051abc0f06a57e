#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "crypto/sha256.h"
#include "ledger/tree/merkle.h"

/// One inclusion proof for many leaves of an RFC 6962 tree. Pure, but for the reader that proofs
/// are made from.
namespace hygie::ledger {

struct IndexedLeaf {
    std::uint64_t index = 0;
    crypto::Hash hash{};
};

/// The hashes of a proof that lie within one stretch of the tree, made apart from the others.
struct StretchProof {
    std::uint64_t begin = 0;  ///< its first leaf
    std::vector<crypto::Hash> hashes;
};

/// The roots of the largest subtrees that hold none of the leaves, from left to right. For one leaf
/// these are the hashes of its inclusion proof; k leaves share what they have in common, which
/// leaves about k·log2(size/k) hashes. `indexes` ascend. Code::BadInput unless all are below
/// `size`. Reads nodes from left to right, so a cache of one tile per level is enough.
Result<std::vector<crypto::Hash>> prove_leaves(HashReader& hashes, std::uint64_t size,
                                               std::span<const std::uint64_t> indexes);

/// The same, of which the part within each stretch of `stretch_leaves` (a power of two) leaves that
/// holds some of `indexes` was made before, in order. Reads nothing below those stretches.
Result<std::vector<crypto::Hash>> prove_leaves(HashReader& hashes, std::uint64_t size,
                                               std::span<const std::uint64_t> indexes,
                                               std::span<const StretchProof> stretches,
                                               std::uint64_t stretch_leaves);

/// The part of that proof within the stretch that `indexes`, at least one, lie in.
Result<StretchProof> prove_stretch(HashReader& hashes, std::uint64_t size,
                                   std::span<const std::uint64_t> indexes,
                                   std::uint64_t stretch_leaves);

/// The root that leaves and proof lead to. Code::Forged when the leaves do not ascend below `size`
/// or the number of hashes is not exactly what they need.
Result<crypto::Hash> root_from_leaves(std::uint64_t size, std::span<const IndexedLeaf> leaves,
                                      std::span<const crypto::Hash> proof);

/// Reads the nodes of a small tree out of its leaf hashes.
class LeafReader final : public HashReader {
  public:
    explicit LeafReader(std::span<const crypto::Hash> leaves) : leaves_(leaves) {}
    Result<crypto::Hash> node(unsigned height, std::uint64_t index) override;

  private:
    std::span<const crypto::Hash> leaves_;
};

}  // namespace hygie::ledger
