#include "ledger/proofs/tile_hashes.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "ledger/proofs/memory_log.h"

namespace hygie::ledger {
namespace {

using namespace memory;

std::vector<crypto::Hash> many_leaves(std::size_t count) {
    std::vector<crypto::Hash> leaves(count);
    for (std::size_t i = 0; i < count; ++i)
        store_be(leaves[i].data(), static_cast<std::uint64_t>(i));
    return leaves;
}

TEST(TileHashes, ProofsFromTilesVerify) {
    const auto leaves = many_leaves(70'000);
    Files files;
    write_tiles(leaves, files);
    const auto root = merkle_tree_hash(leaves);
    FilesReader reader(files);
    TileCache cache(reader, 8);
    TileHashes all(cache, leaves.size());
    EXPECT_EQ(root_of(all, 69'999).value(), merkle_tree_hash(std::span(leaves).first(69'999)));
    EXPECT_EQ(all.node(16, 0).value(), merkle_tree_hash(std::span(leaves).first(65'536)));
    EXPECT_TRUE(rc::check([&] {
        TileHashes hashes(cache, leaves.size());
        const auto index = *rc::gen::inRange<std::uint64_t>(0, leaves.size());
        const auto proof = prove_inclusion(hashes, index, leaves.size()).value();
        RC_ASSERT(verify_inclusion(leaves[index], index, leaves.size(), root, proof));
        const auto old_root = root_of(hashes, index).value();
        const auto growth = prove_consistency(hashes, index, leaves.size()).value();
        RC_ASSERT(verify_consistency(index, old_root, leaves.size(), root, growth));
    }));
}

TEST(TileHashes, AnOldSizeIsProvenFromTheTilesOfANewOne) {
    const auto leaves = many_leaves(1000);
    Files files;
    write_tiles(leaves, files);
    FilesReader reader(files);
    TileCache cache(reader);
    TileHashes hashes(cache, 1000);
    const auto proof = prove_inclusion(hashes, 299, 300).value();
    EXPECT_TRUE(verify_inclusion(leaves[299], 299, 300,
                                 merkle_tree_hash(std::span(leaves).first(300)), proof));
}

TEST(TileHashes, AMissingOrWrongTileIsAnError) {
    const auto leaves = many_leaves(1000);
    Files files;
    write_tiles(leaves, files);
    files.erase("tile/0/002");
    files["tile/0/001"].pop_back();
    FilesReader reader(files);
    TileCache cache(reader);
    TileHashes hashes(cache, 1000);
    EXPECT_EQ(prove_inclusion(hashes, 600, 1000).error().code, Code::NotFound);
    EXPECT_EQ(prove_inclusion(hashes, 300, 1000).error().code, Code::Corrupt);
    EXPECT_TRUE(prove_inclusion(hashes, 900, 1000));
    EXPECT_EQ(prove_inclusion(hashes, 1000, 1000).error().code, Code::BadInput);
    EXPECT_EQ(prove_consistency(hashes, 1001, 1000).error().code, Code::BadInput);
}

}  // namespace
}  // namespace hygie::ledger
