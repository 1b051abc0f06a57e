#include "ledger/tree/tree.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>

namespace hygie::ledger {
namespace {

using Leaves = std::vector<crypto::Hash>;

Leaves some_leaves(std::size_t count) {
    Leaves leaves(count);
    for (std::size_t i = 0; i < count; ++i)
        leaves[i] = crypto::leaf_hash(as_bytes(std::to_string(i)));
    return leaves;
}

/// MTH as RFC 6962 §2.1 writes it.
crypto::Hash naive_root(std::span<const crypto::Hash> leaves) {
    if (leaves.empty()) return crypto::sha256({});
    if (leaves.size() == 1) return leaves[0];
    std::size_t split = 1;
    while (split * 2 < leaves.size()) split *= 2;
    return crypto::node_hash(naive_root(leaves.first(split)), naive_root(leaves.subspan(split)));
}

TEST(Tree, RootIsThatOfRfc6962AtEverySize) {
    const Leaves leaves = some_leaves(1100);
    Tree tree;
    EXPECT_EQ(tree.root(), crypto::sha256({}));
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        tree.append({&leaves[i], 1}, [](auto, auto, auto) {});
        if (i % 7 == 0 || (i + 1) % 256 < 3) {
            ASSERT_EQ(tree.root(), naive_root(std::span(leaves).first(i + 1))) << i;
        }
    }
}

struct Tiles {
    std::map<std::pair<std::size_t, std::uint64_t>, Leaves> full;
    Tree::FullTile sink() {
        return
            [this](std::size_t level, std::uint64_t index, std::span<const crypto::Hash> hashes) {
                const bool fresh =
                    full.try_emplace({level, index}, Leaves(hashes.begin(), hashes.end())).second;
                EXPECT_TRUE(fresh) << "tile " << level << '/' << index << " came twice";
            };
    }
};

TEST(Tree, BatchesDoNotMatter) {
    constexpr std::size_t kLeaves = 2 * 65'536 + 300;
    const Leaves leaves = some_leaves(kLeaves);
    Tree at_once;
    Tiles tiles;
    at_once.append(leaves, tiles.sink());
    EXPECT_EQ(at_once.root(), naive_root(leaves));
    EXPECT_EQ(tiles.full.size(), kLeaves / 256 + 2);
    for (std::uint64_t i = 0; i < kLeaves / 256; ++i)
        ASSERT_TRUE(
            std::ranges::equal(tiles.full.at({0, i}), std::span(leaves).subspan(i * 256, 256)));
    for (std::uint64_t i = 0; i < 2; ++i)
        for (std::uint64_t j = 0; j < 256; ++j)
            ASSERT_EQ(tiles.full.at({1, i})[j], naive_root(tiles.full.at({0, i * 256 + j})));

    EXPECT_TRUE(rc::check([&] {
        Tree tree;
        Tiles again;
        std::span<const crypto::Hash> rest(leaves);
        while (!rest.empty()) {
            const auto count =
                std::min<std::size_t>(rest.size(), *rc::gen::inRange<std::size_t>(1, 70'000));
            tree.append(rest.first(count), again.sink());
            rest = rest.subspan(count);
        }
        RC_ASSERT(tree.root() == at_once.root());
        RC_ASSERT(again.full == tiles.full);
    }));
}

TEST(Tree, ResumesFromItsPartialTiles) {
    EXPECT_TRUE(rc::check([] {
        const auto before = *rc::gen::inRange<std::size_t>(0, 70'000);
        const auto after = *rc::gen::inRange<std::size_t>(0, 700);
        const Leaves leaves = some_leaves(before + after);
        Tree tree;
        tree.append(std::span(leaves).first(before), [](auto, auto, auto) {});
        auto resumed = Tree::resume(before, [&](std::size_t level, std::uint64_t index,
                                                std::size_t width) {
            EXPECT_EQ(index, tree.full_tiles(level));
            EXPECT_EQ(width, tree.partial(level).size());
            return Result<Leaves>(Leaves(tree.partial(level).begin(), tree.partial(level).end()));
        });
        RC_ASSERT(resumed.has_value());
        resumed->append(std::span(leaves).subspan(before), [](auto, auto, auto) {});
        RC_ASSERT(resumed->size() == leaves.size());
        RC_ASSERT(resumed->root() == naive_root(leaves));
    }));
}

}  // namespace
}  // namespace hygie::ledger
