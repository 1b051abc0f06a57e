#include "base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hygie {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

WallTime at(std::string_view text) {
    return from_rfc3339(text).value();
}

TEST(Time, writes_rfc3339_in_utc_with_microseconds) {
    EXPECT_EQ(to_rfc3339(WallTime(Micros(0))), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(to_rfc3339(WallTime(Micros(-1))), "1969-12-31T23:59:59.999999Z");
    EXPECT_EQ(to_rfc3339(WallTime(Micros(1'795'509'000'000'042))), "2026-11-24T08:30:00.000042Z");
    EXPECT_EQ(to_rfc3339(at("0001-02-03")), "0001-02-03T00:00:00.000000Z");
}

TEST(Time, reads_every_shape_of_rfc3339) {
    const WallTime want{Micros(1'795'509'000'000'000)};
    for (const char* text :
         {"2026-11-24T08:30:00Z", "2026-11-24t08:30:00z", "2026-11-24T09:30:00+01:00",
          "2026-11-24T04:00:00-04:30", "2026-11-25T08:29:00+23:59", "2026-11-24T08:30:00.0Z",
          "2026-11-24T08:30:00.000000000-00:00"})
        EXPECT_EQ(at(text), want) << text;
    EXPECT_EQ(at("2026-11-24T08:30:00.5Z"), want + Micros(500'000));
    EXPECT_EQ(at("2026-11-24T08:30:00.123456Z"), want + Micros(123'456));
    EXPECT_EQ(at("2026-11-24T08:30:00.123456999Z"), want + Micros(123'456));
    EXPECT_EQ(at("2026-11-24"), want - hours(8) - minutes(30));
    EXPECT_EQ(at("2024-02-29") - at("2024-02-28"), days(1));
}

TEST(Time, a_leap_second_ends_a_utc_day_only) {
    EXPECT_EQ(at("2016-12-31T23:59:60Z"), at("2017-01-01T00:00:00Z"));
    EXPECT_EQ(at("2017-01-01T00:59:60.25+01:00"), at("2017-01-01T00:00:00.25Z"));
    EXPECT_FALSE(from_rfc3339("2016-12-31T12:00:60Z"));
    EXPECT_FALSE(from_rfc3339("2016-12-31T23:59:61Z"));
}

TEST(Time, refuses_what_is_not_a_time) {
    for (const char* text : {"",
                             "2026",
                             "2026-11",
                             "2026-11-24T",
                             "2026-11-24T08",
                             "2026-11-24T08:30",
                             "2026-11-24T08:30Z",
                             "2026-11-24T08:30:00",
                             "2026-11-24T08:30:00.Z",
                             "2026-11-24T08:30:00.1234567890Z",
                             "2026-11-24T24:00:00Z",
                             "2026-11-24T08:60:00Z",
                             "2026-13-01",
                             "2026-00-01",
                             "2026-01-00",
                             "2026-02-29",
                             "2026-04-31",
                             "26-11-24",
                             "02026-11-24",
                             "-026-11-24",
                             "2026-11-24 08:30:00Z",
                             "2026-11-24T08:30:00+24:00",
                             "2026-11-24T08:30:00+01:60",
                             "2026-11-24T08:30:00+0100",
                             "2026-11-24T08:30:00+01",
                             "2026-11-24T08:30:00Zx",
                             " 2026-11-24",
                             "2026-11-24\n",
                             "2026-1a-24",
                             "2026-11-24T+8:30:00Z",
                             "2026-11-24T08:30:00,5Z"}) {
        const auto time = from_rfc3339(text);
        ASSERT_FALSE(time) << text;
        EXPECT_EQ(time.error().code, Code::BadInput);
        EXPECT_FALSE(time.error().remedy.fr.empty());
    }
}

TEST(Time, errors_never_repeat_the_date) {
    const Error error = from_rfc3339("1957-04-31").error();
    for (const std::string& text : {error.what.fr, error.what.en, error.remedy.fr, error.remedy.en})
        EXPECT_EQ(text.find("1957"), std::string::npos);
}

RC_GTEST_PROP(Time, gives_back_what_was_written, ()) {
    // 0000-01-01 to 9999-12-31, the years RFC 3339 can write.
    const auto micros =
        *rc::gen::inRange<std::int64_t>(-62'167'219'200'000'000, 253'402'300'800'000'000);
    const WallTime time{Micros(micros)};
    RC_ASSERT(from_rfc3339(to_rfc3339(time)).value() == time);
}

TEST(Duration, reads_what_a_person_writes) {
    EXPECT_EQ(parse_duration("90s").value(), seconds(90));
    EXPECT_EQ(parse_duration("15m").value(), minutes(15));
    EXPECT_EQ(parse_duration("24h").value(), hours(24));
    EXPECT_EQ(parse_duration("30d").value(), days(30));
    EXPECT_EQ(parse_duration("10y").value(), days(3650));
    EXPECT_EQ(parse_duration("0s").value(), seconds(0));
    EXPECT_EQ(parse_duration("292471y").value(), days(365) * 292'471);
}

TEST(Duration, refuses_the_rest) {
    for (const char* text : {"", "s", "10", "-1s", "+1s", " 1s", "1 s", "1.5h", "1w", "1S", "0x1s",
                             "1sm", "292472y", "9223372036854775808s", "99999999999999999999s"}) {
        const auto duration = parse_duration(text);
        ASSERT_FALSE(duration) << text;
        EXPECT_EQ(duration.error().code, Code::BadInput);
    }
}

}  // namespace
}  // namespace hygie
