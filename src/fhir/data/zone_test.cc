#include "fhir/data/zone.h"

#include <gtest/gtest.h>

#include "fhir/data/zone_kit.h"
#include "fhir/search/search_value.h"

namespace hygie::fhir {
namespace {

using kit::InZone;

std::string utc(const Zone& zone, std::string_view wall) {
    return to_rfc3339(zone.to_utc(from_rfc3339(std::string(wall) + "Z").value())).substr(0, 19);
}

TEST(Zone, KnowsTheClocksOfFrance) {
    const auto paris = Zone::named("Europe/Paris").value();
    EXPECT_EQ(utc(*paris, "2026-01-03T00:00:00"), "2026-01-02T23:00:00");
    EXPECT_EQ(utc(*paris, "2026-07-14T00:00:00"), "2026-07-13T22:00:00");
    // 29 March 2026: from 02:00 to 03:00; 25 October: from 03:00 back to 02:00.
    EXPECT_EQ(utc(*paris, "2026-03-29T01:59:59"), "2026-03-29T00:59:59");
    EXPECT_EQ(utc(*paris, "2026-03-29T03:00:00"), "2026-03-29T01:00:00");
    EXPECT_EQ(utc(*paris, "2026-10-25T02:30:00"), "2026-10-25T00:30:00");
    EXPECT_EQ(utc(*paris, "2026-10-25T03:00:00"), "2026-10-25T02:00:00");
    // Without summer time, and in the war two hours ahead.
    EXPECT_EQ(utc(*paris, "1970-07-14T12:00:00"), "1970-07-14T11:00:00");
    EXPECT_EQ(utc(*paris, "1943-07-14T12:00:00"), "1943-07-14T10:00:00");
    EXPECT_EQ(utc(*Zone::named("Indian/Reunion").value(), "2026-01-03T00:00:00"),
              "2026-01-02T20:00:00");
    for (const std::string_view wrong : {"", "Paris", "Europe/Nulle", "\xFF"})
        EXPECT_FALSE(Zone::named(wrong)) << wrong;
}

TEST(Zone, SaysWhatTheClockOnTheWallShows) {
    const auto paris = Zone::named("Europe/Paris").value();
    const auto wall = [&](std::string_view utc) {
        return to_rfc3339(paris->on_the_wall(from_rfc3339(utc).value())).substr(0, 19);
    };
    EXPECT_EQ(wall("2026-01-02T23:00:00Z"), "2026-01-03T00:00:00");
    EXPECT_EQ(wall("2026-03-29T00:59:59Z"), "2026-03-29T01:59:59");
    EXPECT_EQ(wall("2026-03-29T01:00:00Z"), "2026-03-29T03:00:00");
    EXPECT_EQ(wall("2026-10-25T00:30:00Z"), "2026-10-25T02:30:00");
    EXPECT_EQ(wall("2026-10-25T01:30:00Z"), "2026-10-25T02:30:00");
}

TEST(Zone, SaysWhatADateWithoutOneMeans) {
    const InZone paris("Europe/Paris");
    const auto late = parse_date("2026-01-03T00:30:00+01:00").value();
    const auto third = parse_date("2026-01-03").value();
    const auto second = parse_date("2026-01-02").value();
    EXPECT_TRUE(third.first <= late.first && late.last <= third.last);
    EXPECT_LT(second.last, late.first);
    EXPECT_EQ(second.last + 1, third.first) << "days follow one another";
    EXPECT_EQ(parse_date("2026-01-03T00:30").value(), parse_date("2026-01-02T23:30Z").value());
    EXPECT_EQ(parse_date("2026-07").value().first, parse_date("2026-06-30T22:00:00Z")->first);
    // The day that has twenty-three hours.
    const auto short_day = parse_date("2026-03-29").value();
    EXPECT_EQ(short_day.first, parse_date("2026-03-28T23:00:00Z")->first);
    EXPECT_EQ(short_day.last, parse_date("2026-03-29T21:59:59Z")->last);
    const auto zoned = parse_date("2026-01-02T23:30:00Z");
    const InZone reunion("Indian/Reunion");
    EXPECT_EQ(parse_date("2026-01-02T23:30:00Z"), zoned) << "what has a zone is not touched";
    EXPECT_NE(parse_date("2026-01-03")->first, third.first);
}

}  // namespace
}  // namespace hygie::fhir
