#include "vault/body_cache.h"

#include <gtest/gtest.h>

namespace hygie::vault {
namespace {

std::shared_ptr<const Body> body(std::size_t bytes) {
    auto made = std::make_shared<Body>();
    made->text.assign(bytes, 'x');
    return made;
}

TEST(BodyCache, GivesWhatWasPutUntilItsRecordIsDropped) {
    BodyCache cache(1 << 20);
    for (std::uint64_t row = 1; row <= 40; ++row) cache.put(row, row % 2, body(10));
    EXPECT_EQ(cache.find(7).compartment, 1u);
    EXPECT_EQ(cache.find(7).body->text.size(), 10u);
    EXPECT_EQ(cache.find(41).body, nullptr);
    cache.drop(1);
    for (std::uint64_t row = 1; row <= 40; ++row)
        EXPECT_EQ(cache.find(row).body == nullptr, row % 2 == 1) << row;
}

TEST(BodyCache, LetsGoOfWhatWasUsedLeast) {
    BodyCache cache(16 * 3000);
    // Rows of one shard.
    cache.put(16, 1, body(1000));
    cache.put(32, 1, body(1000));
    EXPECT_NE(cache.find(16).body, nullptr);
    cache.put(48, 1, body(1000));
    EXPECT_NE(cache.find(16).body, nullptr);
    EXPECT_EQ(cache.find(32).body, nullptr);
    EXPECT_NE(cache.find(48).body, nullptr);
}

TEST(BodyCache, TakesNewBodiesThoughAllThatAreThereWereAskedFor) {
    BodyCache cache(16 * 3000);
    for (std::uint64_t row = 16; row < 1600; row += 16) {
        cache.put(row, 1, body(1000));
        cache.put(row + 16, 1, body(1000));
        EXPECT_TRUE(cache.find(row).body || cache.find(row + 16).body) << row;
        for (const std::uint64_t one : {row, row + 16}) (void)cache.find(one);
    }
}

TEST(BodyCache, KeepsNoLargeBody) {
    BodyCache cache(64 << 20);
    cache.put(1, 1, body(kCachedBodyBytesMax));
    EXPECT_EQ(cache.find(1).body, nullptr);
}

}  // namespace
}  // namespace hygie::vault
