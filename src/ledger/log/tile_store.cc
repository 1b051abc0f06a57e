#include "ledger/log/tile_store.h"

#include <algorithm>

#include "base/check.h"
#include "ledger/tree/log_reader.h"

namespace hygie::ledger {
namespace {

constexpr std::uint64_t kNoTile = UINT64_MAX;

ByteView bytes_of(std::span<const crypto::Hash> hashes) {
    return {reinterpret_cast<const std::uint8_t*>(hashes.data()), hashes.size_bytes()};
}

std::unexpected<Error> wrong_size(const std::string& path) {
    return fail(Code::Corrupt, {"tuile incomplète : " + path, "incomplete tile: " + path},
                {"restaurez ce fichier depuis une copie du journal, puis vérifiez",
                 "restore this file from a copy of the log, then verify"});
}

/// The bytes of the first `count` framed entries.
std::size_t framed_size(ByteView framed, std::size_t count) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < count; ++i) at += 2 + load_be<std::uint16_t>(framed.data() + at);
    return at;
}

}  // namespace

TileStore::TileStore(Disk& disk, std::string dir, Tree tree, Bytes tail)
    : disk_(&disk), dir_(std::move(dir)), tree_(std::move(tree)), tail_(std::move(tail)) {
    for (unsigned level = 0; level < kTileLevelsMax; ++level)
        written_[level] = nodes_at(tree_.size(), level);
}

Result<TileStore> TileStore::resume(Disk& disk, const std::string& dir, std::uint64_t size) {
    const auto read = [&](std::size_t level, std::uint64_t index,
                          std::size_t width) -> Result<std::vector<crypto::Hash>> {
        const auto tile_level = static_cast<unsigned>(level);
        const std::string path = join(dir, path_of(TileId{tile_level, index, width}));
        const Bytes bytes = TRY(disk.read_file(path, kTileHashes * sizeof(crypto::Hash)));
        if (bytes.size() != width * sizeof(crypto::Hash)) return wrong_size(path);
        std::vector<crypto::Hash> hashes(width);
        for (std::size_t i = 0; i < width; ++i)
            std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(i * sizeof(crypto::Hash)),
                        sizeof(crypto::Hash), hashes[i].begin());
        return hashes;
    };
    Tree tree = TRY(Tree::resume(size, read));
    Bytes tail;
    if (const std::size_t width = size % kTileHashes; width != 0) {
        const BundleId bundle{size / kTileHashes, width};
        tail = TRY(disk.read_file(join(dir, path_of(bundle)), kBundleBytesMax));
    }
    return TileStore(disk, dir, std::move(tree), std::move(tail));
}

Status TileStore::append(ByteView framed, std::span<const crypto::Hash> leaves) {
    Status failed;
    std::uint64_t size = tree_.size();
    while (!leaves.empty()) {
        const std::size_t count = std::min(kTileHashes - size % kTileHashes, leaves.size());
        const std::size_t bytes = framed_size(framed, count);
        TRY_STATUS(append_to_bundle(size / kTileHashes, count, framed.first(bytes)));
        framed = framed.subspan(bytes);
        size += count;
        tree_.append(leaves.first(count), [&](std::size_t level, std::uint64_t index, auto hashes) {
            const TileId tile{static_cast<unsigned>(level), index};
            const Status written = write_tile(tile, hashes);
            if (!written && failed) failed = written;
            supersede(tile.level, tile);
        });
        TRY_STATUS(failed);
        leaves = leaves.subspan(count);
    }
    HYGIE_CHECK(framed.empty(), "more entries than leaf hashes");
    return {};
}

Status TileStore::append_to_bundle(std::uint64_t index, std::size_t count, ByteView framed) {
    const bool is_whole = count == kTileHashes;  // most are, and need not be gathered first
    if (!is_whole) hygie::append(tail_, framed);
    const bool is_full = is_whole || (tree_.size() + count) % kTileHashes == 0;
    if (!is_full) return {};
    const BundleId bundle{index};
    TRY_STATUS(write(path_of(bundle), is_whole ? framed : tail_));
    supersede(0, bundle);
    tail_.clear();
    return {};
}

Status TileStore::write_partials() {
    for (unsigned level = 0; level < kTileLevelsMax; ++level) {
        const std::uint64_t nodes = nodes_at(tree_.size(), level);
        partial_[level] = nodes % kTileHashes == 0 ? kNoTile : nodes / kTileHashes;
        // A partial tile that is there already may be the one a restart needs: it is never written
        // over.
        if (std::exchange(written_[level], nodes) == nodes) continue;
        const auto hashes = tree_.partial(level);
        if (hashes.empty()) continue;
        TRY_STATUS(write_tile({level, tree_.full_tiles(level), hashes.size()}, hashes));
        if (level == 0)
            TRY_STATUS(write(path_of(BundleId{nodes / kTileHashes, hashes.size()}), tail_));
    }
    knows_partials_ = true;
    return {};
}

Status TileStore::write_tile(TileId tile, std::span<const crypto::Hash> hashes) {
    return write(path_of(tile), bytes_of(hashes));
}

Status TileStore::write(const std::string& path, ByteView bytes) {
    const std::string full = join(dir_, path);
    std::string dir = parent(full);
    if (std::ranges::find(made_dirs_, dir) == made_dirs_.end()) {
        if (!disk_->exists(dir)) TRY_STATUS(disk_->make_dirs(dir, Access::Served));
        made_dirs_[made_at_++ % made_dirs_.size()] = std::move(dir);
    }
    return disk_->write_file(full, bytes, Access::Served);
}

template <typename Id>
void TileStore::supersede(unsigned level, Id full) {
    if (knows_partials_ && partial_[level] != full.index) return;
    std::string partials = join(dir_, path_of(full) + ".p");
    if (knows_partials_ || disk_->exists(partials)) superseded_.push_back(std::move(partials));
}

Status remove_superseded(Disk& disk, std::span<const std::string> dirs) {
    for (const std::string& dir : dirs) {
        const auto files = disk.list(dir);
        if (!files) continue;  // removed before a crash, listed again by recovery
        for (const DirEntry& file : *files) TRY_STATUS(disk.remove(join(dir, file.name)));
        TRY_STATUS(disk.remove(dir));
    }
    return {};
}

}  // namespace hygie::ledger
