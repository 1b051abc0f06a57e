#include "guards/files/acts/moment.h"

#include <gtest/gtest.h>

namespace hygie::files {
namespace {

constexpr WallTime at(int ms) {
    return WallTime(std::chrono::hours(500'000) + std::chrono::milliseconds(ms));
}
std::int64_t ns(WallTime time) {
    return std::chrono::nanoseconds(time.time_since_epoch()).count();
}

TEST(FilesMoment, IsNeverEarlierThanItWasNorLaterThanItWasRead) {
    const Moment told_late{at(0), at(900)};
    // Done at 107, when the kernel's clock for files said 100.
    EXPECT_GE(told_late.latest(ns(at(100))), at(107));
    EXPECT_LE(told_late.latest(ns(at(100))), at(111));
    EXPECT_EQ(told_late.latest(ns(at(950))), at(900)) << "changed again since";
    // Written through a mapping when that was made, and closed when nobody looked.
    const Moment mapped{at(700), at(900)};
    EXPECT_EQ(mapped.latest(ns(at(100))), at(700));
}

TEST(FilesMoment, AClockThatWasSetBackMovesNothingAfterItsReading) {
    const Moment stepped{at(5'000), at(900)};
    EXPECT_EQ(stepped.latest(ns(at(4'950))), at(900));
}

}  // namespace
}  // namespace hygie::files
