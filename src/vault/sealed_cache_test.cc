#include "vault/sealed_cache.h"

#include <gtest/gtest.h>

#include <array>

namespace hygie::vault {
namespace {

/// Another for each row, so that one taken for another is seen.
Bytes version(std::uint64_t row, std::size_t bytes) {
    Bytes made(bytes);
    for (std::size_t i = 0; i < bytes; ++i) made[i] = static_cast<std::uint8_t>(row * 131 + i);
    return made;
}

void keep(SealedCache& cache, std::uint64_t row, std::size_t bytes) {
    cache.keep(row, cache.find(row).as_of, version(row, bytes));
}

TEST(SealedCache, GivesWhatWasKeptOrNothing) {
    SealedCache cache(16 << 10);
    std::size_t found = 0;
    for (std::uint64_t row = 1; row <= 2000; ++row) {
        const std::size_t bytes = 50 + row % 200;
        keep(cache, row, bytes);
        EXPECT_EQ(cache.find(row).stored, version(row, bytes));
        for (std::uint64_t older = row - std::min<std::uint64_t>(row, 300); older < row; ++older) {
            const Bytes stored = cache.find(older).stored;
            if (stored.empty()) continue;
            ++found;
            EXPECT_EQ(stored, version(older, 50 + older % 200)) << older;
        }
    }
    EXPECT_GT(found, 50'000u);
}

TEST(SealedCache, WritesOverWhatWasReadFirst) {
    SealedCache cache(16 * 1000);
    // Rows of one shard, three of which fit.
    for (const std::uint64_t row : {16U, 32U, 48U, 64U}) keep(cache, row, 300);
    EXPECT_TRUE(cache.find(16).stored.empty());
    for (const std::uint64_t row : {32U, 48U, 64U})
        EXPECT_EQ(cache.find(row).stored, version(row, 300)) << row;
}

TEST(SealedCache, KeepsNothingLarge) {
    SealedCache cache(16 << 20);
    keep(cache, 1, SealedCache::kKeptBytesMax);
    keep(cache, 2, SealedCache::kKeptBytesMax + 1);
    EXPECT_FALSE(cache.find(1).stored.empty());
    EXPECT_TRUE(cache.find(2).stored.empty());
}

TEST(SealedCache, ForgetsWhatIsErasedWhileItIsRead) {
    SealedCache cache(16 << 20);
    keep(cache, 5, 100);
    const SealedCache::Kept before = cache.find(7);
    cache.forget(std::array<std::uint64_t, 2>{5, 7});
    cache.keep(7, before.as_of, version(7, 100));
    EXPECT_TRUE(cache.find(5).stored.empty());
    EXPECT_TRUE(cache.find(7).stored.empty());
    keep(cache, 7, 100);
    EXPECT_FALSE(cache.find(7).stored.empty());
}

}  // namespace
}  // namespace hygie::vault
