#include <gtest/gtest.h>

#include <algorithm>

#include "host/clock.h"
#include "host/random.h"

namespace hygie {
namespace {

TEST(RealClock, GoesForwardAndSleepsAtLeastAsLongAsAsked) {
    Clock& clock = real_clock();
    const SteadyTime before = clock.steady();
    clock.sleep_for(Micros(2'000));
    EXPECT_GE(clock.steady() - before, Micros(2'000));
    EXPECT_GT(clock.now(), WallTime(std::chrono::sys_days(std::chrono::year(2025) / 1 / 1)));
}

TEST(RealRandom, FillsAllOfALargeBufferAndNeverTwiceAlike) {
    // Larger than the 256 bytes that the kernel gives in one piece.
    std::array<std::uint8_t, 100'000> bytes{};
    real_random().fill(bytes);
    for (std::size_t at = 0; at < bytes.size(); at += 32)
        EXPECT_FALSE(std::all_of(bytes.begin() + static_cast<long>(at),
                                 bytes.begin() + static_cast<long>(std::min(at + 32, bytes.size())),
                                 [](auto byte) { return byte == 0; }))
            << "untouched at " << at;
    EXPECT_NE(real_random().bytes<32>(), real_random().bytes<32>());
}

}  // namespace
}  // namespace hygie
