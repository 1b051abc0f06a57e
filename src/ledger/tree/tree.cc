#include "ledger/tree/tree.h"

#include <algorithm>
#include <optional>

#include "base/check.h"

namespace hygie::ledger {
namespace {

/// The root of a perfect subtree; the number of hashes is a power of two.
crypto::Hash fold_perfect(std::span<const crypto::Hash> hashes) {
    std::array<crypto::Hash, kTileHashes> scratch;
    std::copy(hashes.begin(), hashes.end(), scratch.begin());
    for (std::size_t width = hashes.size(); width > 1; width /= 2)
        crypto::node_hashes(std::span(scratch).first(width), std::span(scratch).first(width / 2));
    return scratch[0];
}

}  // namespace

Tree::Tree() : levels_(kTileLevelsMax) {
    for (auto& level : levels_) level.reserve(kTileHashes);
}

Result<Tree> Tree::resume(std::uint64_t size, const PartialTile& read) {
    Tree tree;
    tree.size_ = size;
    for (std::size_t level = 0; level < kTileLevelsMax; ++level) {
        const std::uint64_t hashes = size >> (8 * level);
        const auto width = static_cast<std::size_t>(hashes % kTileHashes);
        if (width == 0) continue;
        tree.levels_[level] = TRY(read(level, hashes / kTileHashes, width));
        HYGIE_CHECK(tree.levels_[level].size() == width,
                    "a partial tile came back with another width");
        tree.levels_[level].reserve(kTileHashes);
    }
    return tree;
}

void Tree::append(std::span<const crypto::Hash> leaves, const FullTile& full) {
    add(0, leaves, full);
}

void Tree::append_tiles(std::span<const crypto::Hash> roots, const FullTile& full) {
    HYGIE_CHECK(levels_[0].empty(), "full tiles cannot follow a partial one");
    for (const crypto::Hash& root : roots) {
        size_ += kTileHashes;
        add(1, {&root, 1}, full);
    }
}

void Tree::add(std::size_t level, std::span<const crypto::Hash> hashes, const FullTile& full) {
    HYGIE_CHECK(level < kTileLevelsMax, "the log outgrew its tile levels");
    auto& tile = levels_[level];
    while (!hashes.empty()) {
        const std::size_t taken = std::min(kTileHashes - tile.size(), hashes.size());
        tile.insert(tile.end(), hashes.begin(),
                    hashes.begin() + static_cast<std::ptrdiff_t>(taken));
        hashes = hashes.subspan(taken);
        if (level == 0) size_ += taken;
        if (tile.size() < kTileHashes) return;
        full(level, full_tiles(level) - 1, tile);
        const crypto::Hash root = fold_perfect(tile);
        tile.clear();
        add(level + 1, {&root, 1}, full);
    }
}

crypto::Hash Tree::root() const {
    std::optional<crypto::Hash> right;  // everything to the right of what is still to be folded
    for (const auto& tile : levels_) {
        std::size_t end = tile.size();
        while (end > 0) {
            const std::size_t width = end & (~end + 1);  // the right-most perfect subtree
            const crypto::Hash left = fold_perfect(std::span(tile).subspan(end - width, width));
            right = right ? crypto::node_hash(left, *right) : left;
            end -= width;
        }
    }
    return right ? *right : crypto::sha256({});
}

}  // namespace hygie::ledger
