#include "ledger/tree/tile_path.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>

namespace hygie::ledger {
namespace {

TEST(TilePath, WritesTheExamplesOfTheSpecification) {
    EXPECT_EQ(path_of(TileId{0, 1'234'067, 256}), "tile/0/x001/x234/067");
    EXPECT_EQ(path_of(TileId{0, 1'234'067, 112}), "tile/0/x001/x234/067.p/112");
    EXPECT_EQ(path_of(TileId{63, 0, 1}), "tile/63/000.p/1");
    EXPECT_EQ(path_of(BundleId{273, 112}), "tile/entries/273.p/112");
    EXPECT_EQ(path_of(BundleId{1000, 256}), "tile/entries/x001/000");
}

TEST(TilePath, RefusesEveryOtherSpelling) {
    for (const char* path : {"",
                             "tile",
                             "tile/",
                             "tile/0",
                             "tile/0/",
                             "tile/0/00",
                             "tile/0/0000",
                             "tile/0/x000/001",
                             "tile/0/x001",
                             "tile/0/x001/",
                             "tile/0/x001/x002",
                             "tile/0/001/002",
                             "tile/0/001.p/0",
                             "tile/0/001.p/256",
                             "tile/0/001.p/01",
                             "tile/0/001.p/",
                             "tile/0/001.p/1/",
                             "tile/0/001.p",
                             "tile/00/001",
                             "tile/64/001",
                             "tile/-1/001",
                             "tile/0/-01",
                             "tile/0/+01",
                             "/tile/0/001",
                             "tile//001",
                             "tile/0/001 ",
                             "tile/0/x1/001",
                             "tile/0/../001",
                             "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                             "tile/entries/001"})
        EXPECT_FALSE(parse_tile_path(path)) << path;
    for (const char* path :
         {"tile/entries/", "tile/entries/1", "tile/entries/001.p/256", "tile/0/001"})
        EXPECT_FALSE(parse_bundle_path(path)) << path;
}

TEST(TilePath, ReadsBackWhatItWrote) {
    EXPECT_TRUE(rc::check([] {
        const TileId tile{*rc::gen::inRange(0u, 64u),
                          *rc::gen::inRange<std::uint64_t>(0, kTileIndexMax),
                          *rc::gen::inRange<std::size_t>(1, 257)};
        RC_ASSERT(parse_tile_path(path_of(tile)).value() == tile);
        const BundleId bundle{tile.index, tile.width};
        RC_ASSERT(parse_bundle_path(path_of(bundle)).value() == bundle);
    }));
}

TEST(TilePath, ShapesOfTheSpecification) {
    std::map<unsigned, std::vector<std::size_t>> partial;
    std::map<unsigned, int> full;
    for (const TileId& tile : tiles_between(0, 70'000))
        tile.width == kTileHashes ? void(++full[tile.level])
                                  : partial[tile.level].push_back(tile.width);
    EXPECT_EQ(full, (std::map<unsigned, int>{{0, 273}, {1, 1}}));
    EXPECT_EQ(partial,
              (std::map<unsigned, std::vector<std::size_t>>{{0, {112}}, {1, {17}}, {2, {1}}}));
    EXPECT_EQ(tiles_between(0, 256), (std::vector<TileId>{{0, 0, 256}, {1, 0, 1}}));
    EXPECT_TRUE(tiles_between(0, 0).empty());
    EXPECT_EQ(bundles_between(0, 257), (std::vector<BundleId>{{0, 256}, {1, 1}}));
    EXPECT_EQ(width_of(70'000, 0, 273), 112u);
    EXPECT_EQ(width_of(70'000, 0, 274), 0u);
    EXPECT_EQ(width_of(70'000, 7, 0), 0u);
}

TEST(TilePath, GrowthInStepsMakesTheTilesOfOneStride) {
    EXPECT_TRUE(rc::check([] {
        const auto middle = *rc::gen::inRange<std::uint64_t>(0, 200'000);
        const auto size = middle + *rc::gen::inRange<std::uint64_t>(0, 200'000);
        std::map<std::pair<unsigned, std::uint64_t>, std::size_t> grown;
        for (const TileId& tile : tiles_between(0, middle))
            grown[{tile.level, tile.index}] = tile.width;
        for (const TileId& tile : tiles_between(middle, size))
            grown[{tile.level, tile.index}] = tile.width;
        std::map<std::pair<unsigned, std::uint64_t>, std::size_t> whole;
        for (const TileId& tile : tiles_between(0, size))
            whole[{tile.level, tile.index}] = tile.width;
        RC_ASSERT(grown == whole);
    }));
}

}  // namespace
}  // namespace hygie::ledger
