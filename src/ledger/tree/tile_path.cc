#include "ledger/tree/tile_path.h"

#include <algorithm>

#include "ledger/tree/canonical.h"

namespace hygie::ledger {
namespace {

constexpr std::string_view kTiles = "tile/";
constexpr std::string_view kBundles = "tile/entries/";

std::unexpected<Error> bad_path() {
    return fail(Code::BadInput,
                {"ce n'est pas le chemin d'une tuile", "this is not the path of a tile"},
                {"écrivez-le comme tile/0/x001/234 ou tile/entries/x001/234.p/17 (C2SP tlog-tiles)",
                 "write it as tile/0/x001/234 or tile/entries/x001/234.p/17 (C2SP tlog-tiles)"});
}

std::string three_digits(std::uint64_t value) {
    const std::string digits = std::to_string(value);
    return std::string(3 - digits.size(), '0') + digits;
}

std::string position(std::uint64_t index, std::size_t width) {
    std::string path = three_digits(index % 1000);
    for (index /= 1000; index > 0; index /= 1000)
        path = 'x' + three_digits(index % 1000) + '/' + path;
    if (width < kTileHashes) path += ".p/" + std::to_string(width);
    return path;
}

/// Reads the index out of "x001/x234/067".
std::optional<std::uint64_t> parse_index(std::string_view text) {
    std::uint64_t index = 0;
    for (bool first = true;; first = false) {
        const bool more = text.starts_with('x');
        if (more) text.remove_prefix(1);
        if (text.size() < 3 || index > kTileIndexMax / 1000) return std::nullopt;
        for (char c : text.substr(0, 3)) {
            if (c < '0' || c > '9') return std::nullopt;
            index = index * 10 + static_cast<std::uint64_t>(c - '0');
        }
        if (index > kTileIndexMax || (first && more && index == 0)) return std::nullopt;
        text.remove_prefix(3);
        if (!more) return text.empty() ? std::optional(index) : std::nullopt;
        if (!text.starts_with('/')) return std::nullopt;
        text.remove_prefix(1);
    }
}

Result<BundleId> parse_position(std::string_view text) {
    BundleId id;
    if (const std::size_t dot = text.find(".p/"); dot != std::string_view::npos) {
        const auto width = parse_decimal(text.substr(dot + 3));
        if (!width || *width == 0 || *width >= kTileHashes) return bad_path();
        id.width = static_cast<std::size_t>(*width);
        text = text.substr(0, dot);
    }
    const auto index = parse_index(text);
    if (!index) return bad_path();
    id.index = *index;
    return id;
}

}  // namespace

std::string path_of(TileId tile) {
    return std::string(kTiles) + std::to_string(tile.level) + '/' +
           position(tile.index, tile.width);
}

std::string path_of(BundleId bundle) {
    return std::string(kBundles) + position(bundle.index, bundle.width);
}

Result<TileId> parse_tile_path(std::string_view path) {
    if (!path.starts_with(kTiles)) return bad_path();
    path.remove_prefix(kTiles.size());
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return bad_path();
    const auto level = parse_decimal(path.substr(0, slash));
    if (!level || *level > kTileLevelMax) return bad_path();
    const BundleId at = TRY(parse_position(path.substr(slash + 1)));
    return TileId{static_cast<unsigned>(*level), at.index, at.width};
}

Result<BundleId> parse_bundle_path(std::string_view path) {
    if (!path.starts_with(kBundles)) return bad_path();
    return parse_position(path.substr(kBundles.size()));
}

std::size_t width_of(std::uint64_t size, unsigned level, std::uint64_t index) {
    const std::uint64_t nodes = nodes_at(size, level);
    if (index > nodes / kTileHashes) return 0;
    return static_cast<std::size_t>(
        std::min<std::uint64_t>(nodes - index * kTileHashes, kTileHashes));
}

std::vector<TileId> tiles_between(std::uint64_t old_size, std::uint64_t new_size) {
    std::vector<TileId> tiles;
    for (unsigned level = 0; nodes_at(new_size, level) > 0; ++level) {
        if (nodes_at(new_size, level) == nodes_at(old_size, level)) continue;
        std::uint64_t index = nodes_at(old_size, level) / kTileHashes;
        for (; index * kTileHashes < nodes_at(new_size, level); ++index)
            tiles.push_back({level, index, width_of(new_size, level, index)});
    }
    return tiles;
}

std::vector<BundleId> bundles_between(std::uint64_t old_size, std::uint64_t new_size) {
    std::vector<BundleId> bundles;
    if (new_size == old_size) return bundles;
    for (std::uint64_t index = old_size / kTileHashes; index * kTileHashes < new_size; ++index)
        bundles.push_back({index, width_of(new_size, 0, index)});
    return bundles;
}

}  // namespace hygie::ledger
