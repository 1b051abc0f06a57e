#include "guards/files/pulse.h"

#include <gtest/gtest.h>

namespace hygie::files {
namespace {

using Says = Pulse::Says;
constexpr Micros kLook = std::chrono::milliseconds(250);

TEST(FilesPulse, WhoStandsStillIsRousedOnceAndThenEnded) {
    Pulse pulse;
    SteadyTime now = SteadyTime{} + std::chrono::hours(1);
    EXPECT_EQ(pulse.take(7, now), Says::Beating);
    int roused = 0;
    Says says = Says::Beating;
    SteadyTime until = now;
    while (says != Says::Stalled && until - now < std::chrono::minutes(1)) {
        says = pulse.take(7, until += kLook);
        roused += says == Says::Still;
    }
    EXPECT_EQ(roused, 1);
    EXPECT_EQ(until - now, Pulse::kStalled + kLook);
}

TEST(FilesPulse, WhoGoesOnIsRousedAgainTheNextTime) {
    Pulse pulse;
    SteadyTime now{};
    for (std::uint64_t beats = 1; beats <= 3; ++beats) {
        int roused = 0;
        for (Micros still{}; still < Pulse::kStalled; still += kLook)
            roused += pulse.take(beats, now += kLook) == Says::Still;
        EXPECT_EQ(roused, 1);
    }
}

/// A machine that was suspended, or both that were stopped: the clock went on alone.
TEST(FilesPulse, WhatTheWatcherSleptThroughEndsNobody) {
    Pulse pulse;
    SteadyTime now{};
    EXPECT_EQ(pulse.take(7, now), Says::Beating);
    EXPECT_EQ(pulse.take(7, now += std::chrono::hours(8)), Says::Beating);
    EXPECT_EQ(pulse.take(7, now += std::chrono::hours(8)), Says::Beating);
    EXPECT_EQ(pulse.take(8, now += kLook), Says::Beating);
}

TEST(FilesPulse, WhoGetsReadyHasTime) {
    Pulse pulse;
    SteadyTime now{};
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(pulse.take(0, now += kLook), Says::Beating);
}

}  // namespace
}  // namespace hygie::files
