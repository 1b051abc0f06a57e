#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "crypto/sha256.h"

/// Proofs in the Merkle tree of RFC 6962 §2.1. Pure, but for the reader that proofs are made from.
namespace hygie::ledger {

/// A tree of 2^63 leaves has 63 levels above its leaves; no honest proof is longer.
inline constexpr std::size_t kProofHashesMax = 63;

using Proof = std::vector<crypto::Hash>;

/// SHA-256(""): the root of the tree without leaves.
const crypto::Hash& empty_root();

/// Whether the leaf is entry `index` of the tree (RFC 9162 §2.1.3.2). Code::Forged when the proof
/// does not show it.
Status verify_inclusion(const crypto::Hash& leaf, std::uint64_t index, std::uint64_t size,
                        const crypto::Hash& root, std::span<const crypto::Hash> proof);

/// Whether the second tree begins with the first (RFC 9162 §2.1.4.2). The empty tree begins every
/// tree and needs an empty proof, as do equal trees. Code::Forged when the proof does not show it.
Status verify_consistency(std::uint64_t old_size, const crypto::Hash& old_root,
                          std::uint64_t new_size, const crypto::Hash& new_root,
                          std::span<const crypto::Hash> proof);

/// Where proofs find the hashes of complete subtrees.
class HashReader {
  public:
    virtual ~HashReader() = default;
    /// The root of the complete subtree of 2^height leaves that starts at leaf index × 2^height.
    virtual Result<crypto::Hash> node(unsigned height, std::uint64_t index) = 0;
};

/// The root of the first `size` leaves.
Result<crypto::Hash> root_of(HashReader& hashes, std::uint64_t size);

/// Code::BadInput unless index < size.
Result<Proof> prove_inclusion(HashReader& hashes, std::uint64_t index, std::uint64_t size);
/// Code::BadInput unless old_size ≤ new_size. Empty for an old size of zero.
Result<Proof> prove_consistency(HashReader& hashes, std::uint64_t old_size, std::uint64_t new_size);

}  // namespace hygie::ledger
