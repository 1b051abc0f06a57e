#include "vault/place_cache.h"

#include <gtest/gtest.h>

namespace hygie::vault {
namespace {

TEST(PlaceCache, KeepsUntilACommitTouchesThePlace) {
    PlaceCache cache;
    const Key here{7}, there{-9};
    EXPECT_FALSE(cache.find(here).place);
    cache.keep(here, cache.find(here).as_of, Place{3, 9});
    cache.keep(there, cache.find(there).as_of, Place{4, 9});
    EXPECT_EQ(cache.find(here).place, (Place{3, 9}));
    cache.forget({here});
    EXPECT_FALSE(cache.find(here).place);
    EXPECT_EQ(cache.find(there).place, (Place{4, 9})) << "nothing happened to this one";
}

TEST(PlaceCache, KeepsThatThereIsNoneUntilACommitMakesOne) {
    PlaceCache cache;
    const Key place{7};
    EXPECT_FALSE(cache.find(place).is_here);
    cache.keep(place, cache.find(place).as_of, std::nullopt);
    EXPECT_TRUE(cache.find(place).is_here);
    EXPECT_FALSE(cache.find(place).place);
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
    cache.keep(moved, before.as_of, Place{3, 9});
    EXPECT_FALSE(cache.find(moved).place);
    cache.keep(moved, cache.find(moved).as_of, Place{4, 9});
    EXPECT_EQ(cache.find(moved).place, (Place{4, 9}));
}

TEST(PlaceCache, NeverTakesOnePlaceForAnother) {
    PlaceCache cache;
    constexpr std::int64_t kMany = 1 << 20;
    for (std::int64_t i = 1; i <= kMany; ++i)
        cache.keep({i}, cache.find({i}).as_of, Place{static_cast<CompartmentNumber>(i), 9});
    std::int64_t kept = 0;
    for (std::int64_t i = 1; i <= kMany; ++i) {
        const auto found = cache.find({i}).place;
        kept += found.has_value();
        ASSERT_EQ(found.value_or(Place{static_cast<CompartmentNumber>(i), 9}),
                  (Place{static_cast<CompartmentNumber>(i), 9}));
    }
    EXPECT_GT(kept, 0);
    EXPECT_LT(kept, kMany) << "it is bounded";
}

}  // namespace
}  // namespace hygie::vault
