#include "vault/place_cache.h"

#include <gtest/gtest.h>

namespace hygie::vault {
namespace {

TEST(PlaceCache, KeepsUntilACommitTouchesThePlace) {
    PlaceCache cache;
    const Key here{7}, there{-9};
    EXPECT_FALSE(cache.find(here).number);
    cache.keep(here, cache.find(here).as_of, 3);
    cache.keep(there, cache.find(there).as_of, 4);
    EXPECT_EQ(cache.find(here).number, 3U);
    cache.forget({here});
    EXPECT_FALSE(cache.find(here).number);
    EXPECT_EQ(cache.find(there).number, 4U) << "nothing happened to this one";
}

TEST(PlaceCache, KeepsThatThereIsNoneUntilACommitMakesOne) {
    PlaceCache cache;
    const Key place{7};
    EXPECT_FALSE(cache.find(place).is_here);
    cache.keep(place, cache.find(place).as_of, std::nullopt);
    EXPECT_TRUE(cache.find(place).is_here);
    EXPECT_FALSE(cache.find(place).number);
    const auto before = cache.find(place);
    cache.forget({place});
    EXPECT_FALSE(cache.find(place).is_here);
    cache.keep(place, before.as_of, std::nullopt);  // by who read before the commit
    EXPECT_FALSE(cache.find(place).is_here);
}

TEST(PlaceCache, WhatWasReadBeforeACommitIsNotKeptAfterIt) {
    PlaceCache cache;
    const Key moved{7};
    const auto before = cache.find(moved);
    cache.forget({moved});  // while the row was being read
    cache.keep(moved, before.as_of, 3);
    EXPECT_FALSE(cache.find(moved).number);
    cache.keep(moved, cache.find(moved).as_of, 4);
    EXPECT_EQ(cache.find(moved).number, 4U);
}

TEST(PlaceCache, NeverTakesOnePlaceForAnother) {
    PlaceCache cache;
    constexpr std::int64_t kMany = 1 << 20;
    for (std::int64_t i = 1; i <= kMany; ++i)
        cache.keep({i}, cache.find({i}).as_of, static_cast<CompartmentNumber>(i));
    std::int64_t kept = 0;
    for (std::int64_t i = 1; i <= kMany; ++i) {
        const auto found = cache.find({i}).number;
        kept += found.has_value();
        ASSERT_EQ(found.value_or(static_cast<CompartmentNumber>(i)),
                  static_cast<CompartmentNumber>(i));
    }
    EXPECT_GT(kept, 0);
    EXPECT_LT(kept, kMany) << "it is bounded";
}

}  // namespace
}  // namespace hygie::vault
