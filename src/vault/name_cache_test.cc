#include "vault/name_cache.h"

#include <gtest/gtest.h>

namespace hygie::vault {
namespace {

using Numbers = NameCache::Numbers;

TEST(NameCache, KeepsUntilACommitTouchesTheName) {
    NameCache cache;
    const auto first = cache.find(7);
    EXPECT_FALSE(first.numbers);
    cache.keep(7, first.as_of, {1, 2});
    cache.keep(8, first.as_of, {3});
    EXPECT_EQ(cache.find(7).numbers, (Numbers{1, 2}));
    cache.forget({7});
    EXPECT_FALSE(cache.find(7).numbers);
    EXPECT_EQ(cache.find(8).numbers, Numbers{3}) << "nothing happened to this one";
}

TEST(NameCache, WhatWasReadBeforeACommitIsNotKeptAfterIt) {
    NameCache cache;
    const auto before = cache.find(7);
    cache.forget({7});  // while the rows were being read
    cache.keep(7, before.as_of, {1});
    EXPECT_FALSE(cache.find(7).numbers);
    cache.keep(7, cache.find(7).as_of, {1, 2});
    EXPECT_EQ(cache.find(7).numbers, (Numbers{1, 2}));
}

TEST(NameCache, ForgetsAllBeyondItsLimit) {
    NameCache cache;
    const Numbers many(kNamedKept / 4, 1);
    for (std::int64_t name = 0; name < 4; ++name) cache.keep(name, 0, many);
    EXPECT_FALSE(cache.find(0).numbers);
    EXPECT_TRUE(cache.find(3).numbers);
    cache.keep(9, 0, Numbers(kNamedKept, 1));
    EXPECT_FALSE(cache.find(9).numbers) << "one that would fill it alone";
}

}  // namespace
}  // namespace hygie::vault
