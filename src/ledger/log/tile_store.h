#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "host/disk.h"
#include "ledger/tree/tile_path.h"
#include "ledger/tree/tree.h"

namespace hygie::ledger {

/// The served files of a log as they grow: full tiles and bundles as they fill, partial ones when a
/// checkpoint needs them. Nothing here is synced: the write-ahead log holds every entry until its
/// owner has made the tree durable. One thread.
class TileStore {
  public:
    /// Resumes at a size whose partial tiles are on disk.
    static Result<TileStore> resume(Disk& disk, const std::string& dir, std::uint64_t size);

    /// Adds entries: their framed bytes and their leaf hashes.
    Status append(ByteView framed, std::span<const crypto::Hash> leaves);
    /// Writes the partial tiles and the partial bundle of the present size.
    Status write_partials();

    /// Directories of partial files that a full tile has replaced since the last call. They may
    /// only be removed once a settled size no longer needs them (C2SP tlog-tiles allows it once the
    /// full tile is there).
    std::vector<std::string> take_superseded() { return std::exchange(superseded_, {}); }

    std::uint64_t size() const { return tree_.size(); }
    crypto::Hash root() const { return tree_.root(); }

  private:
    TileStore(Disk& disk, std::string dir, Tree tree, Bytes tail);
    Status write(const std::string& path, ByteView bytes);
    Status write_tile(TileId tile, std::span<const crypto::Hash> hashes);
    Status append_to_bundle(std::uint64_t index, std::size_t count, ByteView framed);
    template <typename Id>
    void supersede(unsigned level, Id full);

    Disk* disk_;
    std::string dir_;
    Tree tree_;
    Bytes tail_;  ///< framed entries of the partial bundle
    std::array<std::uint64_t, kTileLevelsMax>
        written_{};  ///< nodes of each level when its partial was written
    /// The tile of each level that has partial files; before the first are written, nobody but the
    /// disk knows what an earlier run left.
    std::array<std::uint64_t, kTileLevelsMax> partial_{};
    bool knows_partials_ = false;
    std::vector<std::string>
        superseded_;  ///< directories of partial files whose full tile is written
    std::array<std::string, 4> made_dirs_{};  ///< the last ones known to be there
    std::size_t made_at_ = 0;                 ///< which of them is the oldest
};

Status remove_superseded(Disk& disk, std::span<const std::string> dirs);

}  // namespace hygie::ledger
