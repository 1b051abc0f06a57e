#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "fhir/path/fhirpath_number.h"

namespace hygie::fhir {

/// A date, a moment or a time of day that may be known only in part: "2014-03", "2014-03-01T10:30Z"
/// (https://hl7.org/fhir/R4/datatypes.html#dateTime, FHIRPath N1 §Date, DateTime, Time).
struct Temporal {
    enum class Kind : std::uint8_t { Date, DateTime, Time };
    enum class Precision : std::uint8_t { Year, Month, Day, Hour, Minute, Second };

    Kind kind = Kind::Date;
    Precision precision = Precision::Year;  ///< a fraction of a second is part of the second
    std::uint8_t fraction_digits = 0;       ///< as written, for text()
    int year = 1;
    int month = 1;
    int day = 1;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int nanos = 0;
    std::optional<int> offset_minutes;  ///< of the time zone, when it was given

    static std::optional<Temporal> parse_date(std::string_view text);
    /// A date alone is taken too, and a leap second, which counts as the second before it.
    static std::optional<Temporal> parse_date_time(std::string_view text);
    static std::optional<Temporal> parse_time(std::string_view text);  ///< no leading T
    static Temporal from_wall(WallTime time);                          ///< UTC, milliseconds

    /// As FHIR writes it: no leading "@" or "T", no "T" behind a date.
    std::string text() const;
    bool operator==(const Temporal&) const = default;
};

/// The order of two values as FHIRPath has it: field by field, down to the precision of the coarser
/// one. Absent when that does not decide: the precisions differ, only one has a time zone, or one
/// is a time of day and the other is not.
std::optional<std::strong_ordering> order(const Temporal& left, const Temporal& right);

/// The first and the last instant that the value may mean; without a time zone, any of the world is
/// thinkable and the span is that much wider. Not for times of day.
struct TimeSpan {
    WallTime first;
    WallTime last;
};
TimeSpan span_of(const Temporal& value);

/// The value moved by so many calendar units ("year", "month", "week", "day", "hour", "minute",
/// "second", "millisecond"; FHIRPath N1 §Date/Time Arithmetic). Fractions count for seconds alone;
/// units finer than the precision count as far as they make whole ones of it. Absent when
/// the result is out of range, or a time of day is moved by a unit longer than hours.
std::optional<Temporal> moved(const Temporal& value, const Decimal& amount, std::string_view unit);

}  // namespace hygie::fhir
