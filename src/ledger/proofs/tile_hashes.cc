#include "ledger/proofs/tile_hashes.h"

#include "base/check.h"

namespace hygie::ledger {
namespace {

constexpr unsigned kTileHeight = 8;

}  // namespace

ExpandedTile::ExpandedTile(std::vector<crypto::Hash> hashes) : nodes_(std::move(hashes)) {
    const std::size_t width = nodes_.size();
    for (unsigned height = 0; height <= kTileHeight; ++height)
        starts_[height + 1] = starts_[height] + (width >> height);
    nodes_.resize(starts_.back());
    const std::span<crypto::Hash> nodes(nodes_);
    for (unsigned height = 1; height <= kTileHeight; ++height) {
        const std::size_t parents = width >> height;
        crypto::node_hashes(nodes.subspan(starts_[height - 1], 2 * parents),
                            nodes.subspan(starts_[height], parents));
    }
}

const crypto::Hash& ExpandedTile::at(unsigned height, std::size_t i) const {
    HYGIE_CHECK(height <= kTileHeight && i < starts_[height + 1] - starts_[height],
                "that node is not complete");
    return nodes_[starts_[height] + i];
}

std::size_t TileCache::Key::operator()(const TileId& tile) const {
    return std::hash<std::uint64_t>{}(
        (tile.index * (kTileLevelMax + 1) + tile.level) * (kTileHashes + 1) + tile.width);
}

Result<std::shared_ptr<const ExpandedTile>> TileCache::get(TileId tile) {
    std::unique_lock lock(mutex_);
    if (const auto found = young_.find(tile); found != young_.end()) return found->second;
    std::shared_ptr<const ExpandedTile> expanded;
    if (const auto found = old_.find(tile); found != old_.end()) {
        expanded = found->second;
    } else {
        lock.unlock();
        expanded = std::make_shared<const ExpandedTile>(TRY(read_tile(log_, tile)));
        lock.lock();
    }
    if (young_.size() >= tiles_max_ / 2) old_ = std::exchange(young_, {});
    young_.emplace(tile, expanded);
    return expanded;
}

Result<crypto::Hash> TileHashes::node(unsigned height, std::uint64_t index) {
    HYGIE_CHECK(height < 64 && index < size_ >> height, "a proof asked for a node beyond its tree");
    const unsigned level = height / kTileHeight;
    const unsigned above = kTileHeight - height % kTileHeight;
    const std::uint64_t tile_index = index >> above;
    const TileId tile{level, tile_index, width_of(size_, level, tile_index)};
    if (tile != last_id_) {
        last_ = TRY(cache_.get(tile));
        last_id_ = tile;
    }
    return last_->at(height % kTileHeight, index & ((std::uint64_t{1} << above) - 1));
}

}  // namespace hygie::ledger
