#include "fhir/path/fhirpath_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <tuple>

namespace hygie::fhir {
namespace {

namespace chrono = std::chrono;
using Precision = Temporal::Precision;

constexpr int kYearMax = 9999;
constexpr int kOffsetMinutesMax = 14 * 60;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;

/// Reads fixed-width fields from the front of a text.
struct Reader {
    std::string_view rest;

    bool done() const { return rest.empty(); }
    bool take(char c) {
        if (rest.empty() || rest.front() != c) return false;
        rest.remove_prefix(1);
        return true;
    }
    /// Exactly `width` digits that make a number of [low, high].
    bool number(std::size_t width, int low, int high, int& out) {
        if (rest.size() < width) return false;
        int value = 0;
        for (std::size_t i = 0; i < width; ++i) {
            if (rest[i] < '0' || rest[i] > '9') return false;
            value = value * 10 + (rest[i] - '0');
        }
        rest.remove_prefix(width);
        out = value;
        return value >= low && value <= high;
    }
};

int days_in_month(int year, int month) {
    const chrono::year_month_day_last last{
        chrono::year{year}, chrono::month_day_last{chrono::month(static_cast<unsigned>(month))}};
    return static_cast<int>(static_cast<unsigned>(last.day()));
}

bool read_date(Reader& in, Temporal& out) {
    out.precision = Precision::Year;
    if (!in.number(4, 1, kYearMax, out.year)) return false;
    if (!in.take('-')) return true;
    out.precision = Precision::Month;
    if (!in.number(2, 1, 12, out.month)) return false;
    if (!in.take('-')) return true;
    out.precision = Precision::Day;
    return in.number(2, 1, days_in_month(out.year, out.month), out.day);
}

bool read_fraction(Reader& in, Temporal& out) {
    int scale = static_cast<int>(kNanosPerSecond) / 10;
    while (!in.done() && in.rest.front() >= '0' && in.rest.front() <= '9') {
        out.nanos += (in.rest.front() - '0') * scale;
        scale /= 10;
        in.rest.remove_prefix(1);
        if (out.fraction_digits < 9) ++out.fraction_digits;
    }
    return out.fraction_digits > 0;
}

bool read_time(Reader& in, Temporal& out) {
    out.precision = Precision::Hour;
    if (!in.number(2, 0, 23, out.hour)) return false;
    if (!in.take(':')) return true;
    out.precision = Precision::Minute;
    if (!in.number(2, 0, 59, out.minute)) return false;
    if (!in.take(':')) return true;
    out.precision = Precision::Second;
    if (!in.number(2, 0, 60, out.second)) return false;
    out.second = std::min(out.second, 59);
    return !in.take('.') || read_fraction(in, out);
}

bool read_zone(Reader& in, Temporal& out) {
    if (in.take('Z')) {
        out.offset_minutes = 0;
        return true;
    }
    const bool west = in.take('-');
    if (!west && !in.take('+')) return true;
    int hours = 0;
    int minutes = 0;
    if (!in.number(2, 0, 14, hours) || !in.take(':') || !in.number(2, 0, 59, minutes)) return false;
    const int offset = hours * 60 + minutes;
    out.offset_minutes = west ? -offset : offset;
    return offset <= kOffsetMinutesMax;
}

std::int64_t days_of(const Temporal& value) {
    return chrono::sys_days{chrono::year{value.year} /
                            chrono::month{static_cast<unsigned>(value.month)} /
                            chrono::day{static_cast<unsigned>(value.day)}}
        .time_since_epoch()
        .count();
}

/// Seconds since 1970 as if the fields were UTC.
std::int64_t seconds_of(const Temporal& value) {
    return days_of(value) * kSecondsPerDay + value.hour * 3600 + value.minute * 60 + value.second;
}

bool set_days(Temporal& value, std::int64_t days) {
    constexpr std::int64_t kFirst = -719'162;  // 0001-01-01
    constexpr std::int64_t kLast = 2'932'896;  // 9999-12-31
    if (days < kFirst || days > kLast) return false;
    const chrono::year_month_day date{chrono::sys_days{chrono::days{days}}};
    value.year = static_cast<int>(date.year());
    value.month = static_cast<int>(static_cast<unsigned>(date.month()));
    value.day = static_cast<int>(static_cast<unsigned>(date.day()));
    return true;
}

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
    return value / by - (value % by < 0 ? 1 : 0);
}

bool set_seconds(Temporal& value, std::int64_t seconds) {
    const auto days = floor_divide(seconds, kSecondsPerDay);
    const auto rest = static_cast<int>(seconds - days * kSecondsPerDay);
    value.hour = rest / 3600;
    value.minute = rest / 60 % 60;
    value.second = rest % 60;
    return set_days(value, days);
}

/// The same moment with UTC fields; values without a zone or without a time stay as they are.
Temporal in_utc(const Temporal& value) {
    if (!value.offset_minutes || value.precision < Precision::Minute) return value;
    Temporal utc = value;
    // At the ends of time a zone may lead out of it; the fields then stay and order as written.
    if (!set_seconds(utc, seconds_of(value) - *value.offset_minutes * 60)) return value;
    utc.offset_minutes = 0;
    return utc;
}

std::array<int, 7> fields_of(const Temporal& value) {
    return {value.year,   value.month,  value.day,  value.hour,
            value.minute, value.second, value.nanos};
}

bool add_months(Temporal& value, std::int64_t months) {
    const auto total = static_cast<std::int64_t>(value.year) * 12 + (value.month - 1) + months;
    const auto year = floor_divide(total, 12);
    if (year < 1 || year > kYearMax) return false;
    value.year = static_cast<int>(year);
    value.month = static_cast<int>(total - year * 12) + 1;
    value.day = std::min(value.day, days_in_month(value.year, value.month));
    return true;
}

bool add_seconds(Temporal& value, std::int64_t seconds) {
    const auto moved_to = seconds_of(value) + seconds;
    if (value.kind != Temporal::Kind::Time) return set_seconds(value, moved_to);
    const auto day = days_of(value);
    const auto inside = (moved_to - day * kSecondsPerDay) % kSecondsPerDay;
    return set_seconds(value,
                       day * kSecondsPerDay + (inside < 0 ? inside + kSecondsPerDay : inside));
}

bool add_exactly(Temporal& value, std::int64_t seconds, std::int64_t nanos) {
    const auto total = value.nanos + nanos;
    const auto carried = floor_divide(total, kNanosPerSecond);
    value.nanos = static_cast<int>(total - carried * kNanosPerSecond);
    const std::uint8_t needed = value.nanos == 0 ? 0 : value.nanos % 1'000'000 == 0 ? 3 : 9;
    value.fraction_digits = std::max(value.fraction_digits, needed);
    return add_seconds(value, seconds + carried);
}

/// Milliseconds of one unit; zero for months and years, whose length varies, and unknown names.
std::int64_t millis_of(std::string_view unit) {
    if (unit == "millisecond") return 1;
    if (unit == "second") return 1'000;
    if (unit == "minute") return 60'000;
    if (unit == "hour") return 3'600'000;
    if (unit == "day") return kSecondsPerDay * 1'000;
    if (unit == "week") return 7 * kSecondsPerDay * 1'000;
    return 0;
}

/// Adds time to a value; one that is known only in part moves by whole steps of its precision.
bool add_time(Temporal& value, std::int64_t seconds, std::int64_t nanos) {
    switch (value.precision) {
        case Precision::Year:
            return add_months(value, seconds / (365 * kSecondsPerDay) * 12);
        case Precision::Month:
            return add_months(value, seconds / (30 * kSecondsPerDay));
        case Precision::Day:
            return set_days(value, days_of(value) + seconds / kSecondsPerDay);
        case Precision::Hour:
            return add_seconds(value, seconds / 3'600 * 3'600);
        case Precision::Minute:
            return add_seconds(value, seconds / 60 * 60);
        case Precision::Second:
            return add_exactly(value, seconds, nanos);
    }
    return false;
}

}  // namespace

std::optional<Temporal> Temporal::parse_date(std::string_view text) {
    Reader in{text};
    Temporal out;
    if (!read_date(in, out) || !in.done()) return std::nullopt;
    return out;
}

std::optional<Temporal> Temporal::parse_date_time(std::string_view text) {
    Reader in{text};
    Temporal out;
    out.kind = Kind::DateTime;
    if (!read_date(in, out)) return std::nullopt;
    const bool more = in.take('T');
    if (more && !in.done()) {
        if (out.precision != Precision::Day || !read_time(in, out) || !read_zone(in, out)) {
            return std::nullopt;
        }
    }
    if (!in.done()) return std::nullopt;
    return out;
}

std::optional<Temporal> Temporal::parse_time(std::string_view text) {
    Reader in{text};
    Temporal out;
    out.kind = Kind::Time;
    if (!read_time(in, out) || !in.done()) return std::nullopt;
    return out;
}

Temporal Temporal::from_wall(WallTime time) {
    Temporal out;
    out.kind = Kind::DateTime;
    out.precision = Precision::Second;
    out.offset_minutes = 0;
    out.fraction_digits = 3;
    const auto millis = chrono::floor<chrono::milliseconds>(time).time_since_epoch().count();
    const auto seconds = floor_divide(millis, 1000);
    out.nanos = static_cast<int>(millis - seconds * 1000) * 1'000'000;
    set_seconds(out, seconds);
    return out;
}

std::string Temporal::text() const {
    std::string out;
    if (kind != Kind::Time) {
        out = fmt::format("{:04}", year);
        if (precision >= Precision::Month) out += fmt::format("-{:02}", month);
        if (precision >= Precision::Day) out += fmt::format("-{:02}", day);
        if (precision >= Precision::Hour) out += 'T';
    }
    if (precision >= Precision::Hour) out += fmt::format("{:02}", hour);
    if (precision >= Precision::Minute) out += fmt::format(":{:02}", minute);
    if (precision >= Precision::Second) out += fmt::format(":{:02}", second);
    if (fraction_digits > 0) {
        out += '.' + fmt::format("{:09}", nanos).substr(0, fraction_digits);
    }
    if (offset_minutes && precision >= Precision::Hour) {
        const int minutes = std::abs(*offset_minutes);
        out += *offset_minutes == 0 ? "Z"
                                    : fmt::format("{}{:02}:{:02}", *offset_minutes < 0 ? '-' : '+',
                                                  minutes / 60, minutes % 60);
    }
    return out;
}

std::optional<std::strong_ordering> order(const Temporal& left, const Temporal& right) {
    const bool left_time = left.kind == Temporal::Kind::Time;
    if (left_time != (right.kind == Temporal::Kind::Time)) return std::nullopt;
    const auto common = std::min(left.precision, right.precision);
    const bool zones = left.offset_minutes.has_value() && right.offset_minutes.has_value();
    const bool one_zone = left.offset_minutes.has_value() != right.offset_minutes.has_value();
    if (one_zone && common >= Precision::Hour) return std::nullopt;
    const auto left_fields = fields_of(zones ? in_utc(left) : left);
    const auto right_fields = fields_of(zones ? in_utc(right) : right);
    for (std::size_t i = 0; i <= static_cast<std::size_t>(common); ++i) {
        if (left_fields[i] != right_fields[i]) return left_fields[i] <=> right_fields[i];
    }
    if (left.precision != right.precision) return std::nullopt;
    if (common < Precision::Second) return std::strong_ordering::equal;
    return left.nanos <=> right.nanos;
}

TimeSpan span_of(const Temporal& value) {
    Temporal last = value;
    if (last.precision < Precision::Month) last.month = 12;
    if (last.precision < Precision::Day) last.day = days_in_month(last.year, last.month);
    if (last.precision < Precision::Hour) last.hour = 23;
    if (last.precision < Precision::Minute) last.minute = 59;
    if (last.precision < Precision::Second) last.second = 59;
    const auto instant = [&](const Temporal& fields, int hours_if_no_zone) {
        const int offset = value.offset_minutes.value_or(hours_if_no_zone * 60);
        return WallTime{chrono::seconds{seconds_of(fields) - offset * 60}} +
               chrono::duration_cast<Micros>(chrono::nanoseconds{fields.nanos});
    };
    auto end = instant(last, -12);
    if (value.fraction_digits == 0) end += chrono::seconds{1} - Micros{1};
    return {instant(value, 14), end};
}

std::optional<Temporal> moved(const Temporal& value, const Decimal& amount, std::string_view unit) {
    Temporal result = value;
    const auto whole = amount.truncated().integer();
    constexpr std::int64_t kSecondsMax = 400'000'000'000;  // ten thousand years, and some
    if (!whole || std::abs(*whole) > kSecondsMax * 1'000) return std::nullopt;
    const bool time_of_day = value.kind == Temporal::Kind::Time;
    if (unit == "year" || unit == "month") {
        if (time_of_day) return std::nullopt;
        // A partial year is moved by whole years only.
        auto months = unit == "year" ? *whole * 12 : *whole;
        if (value.precision == Precision::Year) months = months / 12 * 12;
        if (!add_months(result, months)) return std::nullopt;
        return result;
    }
    const auto millis = millis_of(unit);
    if (millis == 0 || (time_of_day && millis > millis_of("hour"))) return std::nullopt;
    // Fractions count for seconds and less.
    const auto exact = Decimal::multiply(millis > millis_of("second") ? Decimal(*whole) : amount,
                                         Decimal(millis * 1'000'000));
    const auto seconds =
        exact ? Decimal::whole_quotient(*exact, Decimal(kNanosPerSecond)) : std::nullopt;
    if (!seconds || !seconds->integer() || std::abs(*seconds->integer()) > kSecondsMax) {
        return std::nullopt;
    }
    const auto nanos = Decimal::remainder(*exact, Decimal(kNanosPerSecond))->truncated();
    if (!add_time(result, *seconds->integer(), *nanos.integer())) return std::nullopt;
    return result;
}

}  // namespace hygie::fhir
