#include "host/wall_time.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace hygie {
namespace {

/// The zone of this process for a while.
class Zone {
  public:
    explicit Zone(const char* zone) {
        ::setenv("TZ", zone, 1);
        ::tzset();
    }
    Zone(const Zone&) = delete;
    Zone& operator=(const Zone&) = delete;
    ~Zone() {
        ::unsetenv("TZ");
        ::tzset();
    }
};

// As in France: one hour ahead of UTC, two in summer.
constexpr char kFrance[] = "CET-1CEST,M3.5.0,M10.5.0/3";

TEST(WallTime, WithoutAZoneAPersonMeansTheClockOnTheWall) {
    const Zone zone(kFrance);
    for (const char* winter : {"2026-11-28T10:00:00", "2026-11-28T10:00", "2026-11-28 10:00",
                               "2026-11-28 10:00:00", "2026-11-28T10:00:00.000"})
        EXPECT_EQ(*from_person(winter), *from_rfc3339("2026-11-28T09:00:00Z")) << winter;
    EXPECT_EQ(*from_person("2026-07-01T10:00:00.25"), *from_rfc3339("2026-07-01T08:00:00.25Z"));
    EXPECT_EQ(*from_person("2026-11-28"), *from_rfc3339("2026-11-27T23:00:00Z"));
}

TEST(WallTime, AZoneThatIsSaidCounts) {
    const Zone zone(kFrance);
    for (const char* said : {"2026-11-28T10:00:00Z", "2026-11-28T10:00Z", "2026-11-28 12:00+02:00",
                             "2026-11-28T05:00:00-05:00"})
        EXPECT_EQ(*from_person(said), *from_rfc3339("2026-11-28T10:00:00Z")) << said;
}

TEST(WallTime, WhatIsNoInstantIsRefused) {
    for (const char* text :
         {"", "hier", "2026-11", "2026-13-01", "2026-11-28T", "2026-11-28T25:00", "2026-11-28T10",
          "2026-11-28T10:00:00+01", "2026-11-28x10:00", "10:00"})
        EXPECT_FALSE(from_person(text)) << text;
}

TEST(WallTime, IsShownAsItIsUnderstood) {
    const Zone zone(kFrance);
    const WallTime time = *from_rfc3339("2026-11-28T09:00:00Z");
    EXPECT_EQ(to_person(time), "2026-11-28T10:00:00+01:00");
    EXPECT_EQ(*from_person(to_person(time)), time);
    EXPECT_EQ(to_person(time, Fineness::Minute), "2026-11-28T10:00+01:00");
    const WallTime fine = time + Micros(250);
    EXPECT_EQ(to_person(fine, Fineness::Microsecond), "2026-11-28T10:00:00.000250+01:00");
    EXPECT_EQ(*from_person(to_person(fine, Fineness::Microsecond)), fine);
    const Zone west("XXX3:30");
    EXPECT_EQ(to_person(time), "2026-11-28T05:30:00-03:30");
}

}  // namespace
}  // namespace hygie
