#include "ledger/log/key_cache.h"

#include <gtest/gtest.h>

#include <string>

#include "sim/sim_random.h"

namespace hygie::ledger {
namespace {

TEST(KeyCache, FindsWhatWasPutAndNothingElse) {
    sim::SimRandom random(1);
    KeyCache<int> cache(random, 1 << 12);
    EXPECT_EQ(cache.find(cache.name(as_bytes("a"))), nullptr);
    for (int i = 0; i < 3000; ++i) cache.insert(cache.name(as_bytes(std::to_string(i))), i);
    for (int i = 0; i < 3000; ++i) {
        const int* found = cache.find(cache.name(as_bytes(std::to_string(i))));
        ASSERT_NE(found, nullptr) << i;
        EXPECT_EQ(*found, i);
    }
    EXPECT_EQ(cache.find(cache.name(as_bytes("3000"))), nullptr);
}

TEST(KeyCache, DropsAllWhenFullAndWhenTold) {
    sim::SimRandom random(2);
    KeyCache<int> cache(random, 64);
    for (int i = 0; i < 65; ++i) cache.insert(cache.name(as_bytes(std::to_string(i))), i);
    EXPECT_EQ(cache.find(cache.name(as_bytes("0"))), nullptr);
    ASSERT_NE(cache.find(cache.name(as_bytes("64"))), nullptr);
    cache.clear();
    EXPECT_EQ(cache.find(cache.name(as_bytes("64"))), nullptr);
}

}  // namespace
}  // namespace hygie::ledger
