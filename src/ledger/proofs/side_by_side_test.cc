#include "ledger/proofs/side_by_side.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <vector>

namespace hygie::ledger {
namespace {

TEST(SideBySide, DoesEachOnce) {
    for (const std::size_t threads : {1U, 3U, 16U}) {
        std::vector<std::atomic<int>> done(100);
        const Status all = side_by_side(done.size(), threads, [&](std::size_t i) -> Status {
            ++done[i];
            return {};
        });
        EXPECT_TRUE(all.has_value());
        for (const auto& times : done) EXPECT_EQ(times, 1);
    }
}

TEST(SideBySide, RunsAsManyAtOnceAsAsked) {
    // Nobody passes before all four have come.
    std::barrier gate(4);
    EXPECT_TRUE(side_by_side(8, 4, [&](std::size_t) -> Status {
                    gate.arrive_and_wait();
                    return {};
                }).has_value());
}

TEST(SideBySide, TellsTheFirstFailureAndBeginsNoMore) {
    for (const std::size_t threads : {1U, 4U}) {
        std::atomic<std::size_t> begun{0};
        const Status all = side_by_side(1000, threads, [&](std::size_t i) -> Status {
            ++begun;
            if (i < 5) return {};
            return fail(Code::Io, {std::to_string(i), std::to_string(i)});
        });
        ASSERT_FALSE(all.has_value());
        EXPECT_EQ(all.error().what.en, "5");
        EXPECT_LE(begun, 5 + threads);
    }
}

}  // namespace
}  // namespace hygie::ledger
