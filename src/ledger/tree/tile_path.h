#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/tree/tree.h"

/// Names and shapes of the files of a tiled log (C2SP tlog-tiles). Pure.
namespace hygie::ledger {

/// tlog-tiles allows levels 0–63 in a path; a tree of 2^63 leaves needs eight.
inline constexpr unsigned kTileLevelMax = 63;
/// A larger index names no tile of a tree that fits in 63 bits.
inline constexpr std::uint64_t kTileIndexMax = INT64_MAX / kTileHashes;

/// A hash tile: `width` hashes (256 when full), the first being node `index` × 256 of its level.
struct TileId {
    unsigned level = 0;
    std::uint64_t index = 0;
    std::size_t width = kTileHashes;
    auto operator<=>(const TileId&) const = default;
};

/// A bundle of `width` entries, the first being entry `index` × 256.
struct BundleId {
    std::uint64_t index = 0;
    std::size_t width = kTileHashes;
    auto operator<=>(const BundleId&) const = default;
};

/// "tile/0/x001/x234/067.p/112"
std::string path_of(TileId tile);
/// "tile/entries/x001/x234/067.p/112"
std::string path_of(BundleId bundle);

/// Strict: accepts exactly what path_of writes, Code::BadInput otherwise.
Result<TileId> parse_tile_path(std::string_view path);
Result<BundleId> parse_bundle_path(std::string_view path);

/// Complete nodes of a tile level in a tree of `size` leaves: floor(size / 256^level).
constexpr std::uint64_t nodes_at(std::uint64_t size, unsigned level) {
    return level < kTileLevelsMax ? size >> (8 * level) : 0;
}

/// How many hashes tile (level, index) has in a tree of `size` leaves; 0 when the tree does not
/// reach it.
std::size_t width_of(std::uint64_t size, unsigned level, std::uint64_t index);

/// Every hash tile a log must have gained between two sizes: those filled since `old_size`, and the
/// partial ones of `new_size`, level by level. From 0 it is every tile of the tree.
std::vector<TileId> tiles_between(std::uint64_t old_size, std::uint64_t new_size);
/// The same for entry bundles.
std::vector<BundleId> bundles_between(std::uint64_t old_size, std::uint64_t new_size);

}  // namespace hygie::ledger
