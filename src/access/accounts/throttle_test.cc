#include "access/accounts/throttle.h"

#include <gtest/gtest.h>

namespace hygie::access {
namespace {

TEST(Throttle, ForgivesAFewFailuresThenDoublesTheWait) {
    Throttle throttle;
    SteadyTime now{};
    for (unsigned i = 0; i < Throttle::kFreeTries; ++i)
        EXPECT_EQ(throttle.failed("anne", now), Micros::zero());
    Micros expected = Throttle::kWaitFirst;
    for (int i = 0; i < 40; ++i) {
        EXPECT_EQ(throttle.failed("anne", now), expected);
        EXPECT_EQ(throttle.wait("anne", now), expected);
        now += expected;
        EXPECT_EQ(throttle.wait("anne", now), Micros::zero());
        expected = std::min<Micros>(expected * 2, Throttle::kWaitMax);
    }
    EXPECT_EQ(throttle.wait("paul", now), Micros::zero()) << "others are not slowed";
    throttle.succeeded("anne");
    EXPECT_EQ(throttle.failed("anne", now), Micros::zero());
}

TEST(Throttle, AYearOfGuessingIsFewGuesses) {
    Throttle throttle;
    SteadyTime now{};
    const SteadyTime end = now + std::chrono::days(365);
    std::size_t guesses = 0;
    for (; now < end; ++guesses) now += throttle.failed("anne", now);
    EXPECT_LT(guesses, 35'100U);
}

TEST(Throttle, ForgetsAfterADayOfQuiet) {
    Throttle throttle;
    SteadyTime now{};
    for (int i = 0; i < 10; ++i) throttle.failed("anne", now);
    now += Throttle::kForgetAfter;
    EXPECT_EQ(throttle.failed("anne", now), Micros::zero());
}

TEST(Throttle, AFloodOfNamesDoesNotPushOutTheNameUnderAttack) {
    Throttle throttle;
    const SteadyTime now{};
    for (unsigned i = 0; i < 2 * Throttle::kFreeTries; ++i) throttle.failed("anne", now);
    const Micros wait = throttle.wait("anne", now);
    ASSERT_GT(wait, Micros::zero());
    for (std::size_t i = 0; i < Throttle::kNamesMax + 500; ++i)
        throttle.failed("flood" + std::to_string(i), now);
    EXPECT_EQ(throttle.size(), Throttle::kNamesMax);
    EXPECT_EQ(throttle.wait("anne", now), wait);
}

}  // namespace
}  // namespace hygie::access
