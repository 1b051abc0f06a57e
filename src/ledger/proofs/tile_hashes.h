#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "ledger/tree/log_reader.h"
#include "ledger/tree/merkle.h"

namespace hygie::ledger {

/// A tile with every hash between its own and the level above, computed once.
class ExpandedTile {
  public:
    explicit ExpandedTile(std::vector<crypto::Hash> hashes);
    /// Node `i` at `height` 0–8 above the tile's hashes; it must be complete.
    const crypto::Hash& at(unsigned height, std::size_t i) const;

  private:
    std::array<std::size_t, 10> starts_{};  ///< where each height begins, and the end
    std::vector<crypto::Hash> nodes_;
};

/// The tiles that proofs were made from lately, expanded. Thread-safe.
class TileCache {
  public:
    /// 1,024 tiles are 16 MiB.
    explicit TileCache(LogReader& log, std::size_t tiles_max = 1024)
        : log_(log), tiles_max_(tiles_max) {}
    Result<std::shared_ptr<const ExpandedTile>> get(TileId tile);

  private:
    struct Key {
        std::size_t operator()(const TileId& tile) const;
    };
    using Tiles = std::unordered_map<TileId, std::shared_ptr<const ExpandedTile>, Key>;

    LogReader& log_;
    const std::size_t tiles_max_;
    std::mutex mutex_;
    // Two generations: when the young one is half of the room, it becomes the old one and the old
    // one goes.
    Tiles young_;
    Tiles old_;
};

/// The hashes of a log that serves the tiles of a tree of `size` entries; proofs may be made for
/// that size and any smaller one. They are as true as the tiles: check them against a signed root.
/// One thread; cheap to make.
class TileHashes final : public HashReader {
  public:
    TileHashes(TileCache& cache, std::uint64_t size) : cache_(cache), size_(size) {}
    Result<crypto::Hash> node(unsigned height, std::uint64_t index) override;

  private:
    TileCache& cache_;
    std::uint64_t size_;
    TileId last_id_{kTileLevelMax + 1, 0, 0};
    std::shared_ptr<const ExpandedTile> last_;  ///< a proof takes several hashes from one tile
};

}  // namespace hygie::ledger
