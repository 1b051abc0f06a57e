#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "crypto/sha256.h"

namespace hygie::ledger {

/// Hashes in one full tile of a tiled log (C2SP tlog-tiles): eight levels of the tree.
inline constexpr std::size_t kTileHashes = 256;
/// 256^8 leaves: no log of ours outgrows eight levels of tiles.
inline constexpr std::size_t kTileLevelsMax = 8;

/// The growing Merkle tree of RFC 6962, kept as the right-most tile of each level and nothing else.
class Tree {
  public:
    /// Called with each tile as it fills: its level, its index in that level and its 256 hashes.
    using FullTile =
        std::function<void(std::size_t level, std::uint64_t index, std::span<const crypto::Hash>)>;
    /// Fetches the hashes of the right-most, partial tile of a level when a tree is resumed.
    using PartialTile = std::function<Result<std::vector<crypto::Hash>>(
        std::size_t level, std::uint64_t index, std::size_t width)>;

    Tree();
    /// A tree of `size` leaves, from its stored partial tiles.
    static Result<Tree> resume(std::uint64_t size, const PartialTile& read);

    void append(std::span<const crypto::Hash> leaves, const FullTile& full);
    /// Appends full level-0 tiles of which only the roots are known; the tree must end on a full
    /// tile.
    void append_tiles(std::span<const crypto::Hash> roots, const FullTile& full);

    std::uint64_t size() const { return size_; }
    /// RFC 6962 Merkle tree hash; SHA-256("") for the empty tree.
    crypto::Hash root() const;
    /// The hashes of the partial tile of a level; empty when the level ends on a full tile.
    std::span<const crypto::Hash> partial(std::size_t level) const { return levels_[level]; }
    /// How many full tiles precede the partial one of a level.
    std::uint64_t full_tiles(std::size_t level) const { return size_ >> (8 * (level + 1)); }

  private:
    void add(std::size_t level, std::span<const crypto::Hash> hashes, const FullTile& full);

    std::uint64_t size_ = 0;
    std::vector<std::vector<crypto::Hash>> levels_;  ///< [level] holds 0–255 hashes
};

}  // namespace hygie::ledger
