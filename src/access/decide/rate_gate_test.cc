#include "access/decide/rate_gate.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace hygie::access {
namespace {

const ActorId kNurse("nurse");
constexpr RatePolicy kPolicy{.window = 3600, .floor = 10, .slow = 2, .justify = 4, .cut = 8};

PatientId patient(int number) {
    return PatientId("p" + std::to_string(number));
}

TEST(RateGate, SlowsThenAsksThenCuts) {
    RateGate gate(kPolicy);
    for (int i = 1; i <= 100; ++i) {
        const Pressure pressure = gate.note(kNurse, patient(i), 1000);
        const Pressure wanted = i > 80   ? Pressure::Cut
                                : i > 40 ? Pressure::Justify
                                : i > 20 ? Pressure::Slow
                                         : Pressure::Calm;
        ASSERT_EQ(pressure, wanted) << i;
    }
    // Others are not touched, and the window passes.
    EXPECT_EQ(gate.pressure(ActorId("other"), 1000), Pressure::Calm);
    EXPECT_EQ(gate.pressure(kNurse, 1000 + 3599), Pressure::Cut);
    EXPECT_EQ(gate.pressure(kNurse, 1000 + 3600), Pressure::Calm);
}

TEST(RateGate, OnePatientCountsOnceHoweverOftenSeen) {
    RateGate gate(kPolicy);
    for (Second now = 1; now <= 3600; ++now)
        ASSERT_EQ(gate.note(kNurse, patient(static_cast<int>(now % 5)), now), Pressure::Calm);
    EXPECT_EQ(gate.patients_now(kNurse, 3600), 5U);
}

TEST(RateGate, CountsWhatTheWindowHoldsAtAnyMoment) {
    RateGate gate(kPolicy);
    std::mt19937 random(5);
    std::vector<std::pair<Second, int>> all;
    Second now = 10'000;
    for (int i = 0; i < 3'000; ++i) {
        now += static_cast<Second>(random() % 300);
        const int who = static_cast<int>(random() % 40);
        all.emplace_back(now, who);
        gate.note(kNurse, patient(who), now);
        std::set<int> within;
        for (const auto& [time, one] : all)
            if (time + kPolicy.window > now) within.insert(one);
        ASSERT_EQ(gate.patients_now(kNurse, now), within.size());
    }
}

TEST(RateGate, LearnsABusyHabitButNeverAnExtraction) {
    RateGate busy(kPolicy);
    Second now = 0;
    for (int day = 0; day < 60; ++day, now += 7200)
        for (int i = 0; i < 18; ++i) busy.note(kNurse, patient(i), now);
    EXPECT_GT(busy.baseline(kNurse), 16);

    RateGate greedy(kPolicy);
    now = 0;
    for (int day = 0; day < 60; ++day, now += 7200)
        for (int i = 0; i < 500; ++i) greedy.note(kNurse, patient(i), now);
    EXPECT_EQ(greedy.baseline(kNurse), 10);
}

TEST(RateGate, AClockThatStepsBackEmptiesNoWindow) {
    RateGate gate(kPolicy);
    for (int i = 0; i < 100; ++i) gate.note(kNurse, patient(i), 100'000);
    EXPECT_EQ(gate.pressure(kNurse, 5), Pressure::Cut);
    EXPECT_EQ(gate.note(kNurse, patient(1), 5), Pressure::Cut);
}

}  // namespace
}  // namespace hygie::access
