#include "base/time.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace hygie {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;

// Neither error repeats the text it refused: a date may be somebody's date of birth.
std::unexpected<Error> bad_time() {
    return fail(Code::BadInput, {"date ou heure invalide", "invalid date or time"},
                {"écrivez AAAA-MM-JJ ou AAAA-MM-JJThh:mm:ssZ (RFC 3339)",
                 "write YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ (RFC 3339)"});
}

std::unexpected<Error> bad_duration() {
    return fail(Code::BadInput, {"durée invalide", "invalid duration"},
                {"écrivez un nombre entier et une unité : 90s, 15m, 24h, 30d ou 10y",
                 "write a whole number and a unit: 90s, 15m, 24h, 30d or 10y"});
}

/// Takes a text apart from the left; once something does not fit, `ok` stays false.
struct Scanner {
    std::string_view left;
    bool ok = true;

    /// Exactly `count` decimal digits.
    int digits(std::size_t count, int max) {
        int value = 0;
        ok = ok && left.size() >= count;
        for (std::size_t i = 0; ok && i < count; ++i) {
            ok = left[i] >= '0' && left[i] <= '9';
            value = value * 10 + (left[i] - '0');
        }
        if (ok) left.remove_prefix(count);
        ok = ok && value <= max;
        return value;
    }

    bool accept(std::string_view any_of) {
        if (!ok || left.empty() || !any_of.contains(left.front())) return false;
        left.remove_prefix(1);
        return true;
    }

    void expect(std::string_view any_of) { ok = accept(any_of); }
};

sys_days scan_date(Scanner& scan) {
    const int year = scan.digits(4, 9999);
    scan.expect("-");
    const int month = scan.digits(2, 12);
    scan.expect("-");
    const int day = scan.digits(2, 31);
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    scan.ok = scan.ok && date.ok();
    return scan.ok ? sys_days(date) : sys_days{};
}

/// 1 to 9 digits after the point; what is finer than a microsecond is dropped.
Micros scan_fraction(Scanner& scan) {
    constexpr std::size_t kDigitsMax = 9;
    std::int64_t nanos = 0;
    std::size_t count = 0;
    while (count < kDigitsMax && !scan.left.empty() && scan.left.front() >= '0' &&
           scan.left.front() <= '9') {
        nanos = nanos * 10 + scan.digits(1, 9);
        ++count;
    }
    scan.ok = scan.ok && count > 0;
    for (; count < kDigitsMax; ++count) nanos *= 10;
    return Micros(nanos / 1000);
}

minutes scan_offset(Scanner& scan) {
    if (scan.accept("Zz")) return minutes(0);
    const bool west = !scan.left.empty() && scan.left.front() == '-';
    scan.expect("+-");
    const hours whole(scan.digits(2, 23));
    scan.expect(":");
    const minutes offset = whole + minutes(scan.digits(2, 59));
    return west ? -offset : offset;
}

constexpr Micros unit_of(char letter) {
    switch (letter) {
        case 's':
            return seconds(1);
        case 'm':
            return minutes(1);
        case 'h':
            return hours(1);
        case 'd':
            return days(1);
        case 'y':
            return days(365);
        default:
            return Micros(0);
    }
}

}  // namespace

std::string to_rfc3339(WallTime time) {
    const sys_days day = floor<days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

Result<WallTime> from_rfc3339(std::string_view text) {
    Scanner scan{text};
    const WallTime midnight = scan_date(scan);
    if (scan.ok && scan.left.empty()) return midnight;
    scan.expect("Tt");
    Micros since_midnight = hours(scan.digits(2, 23));
    scan.expect(":");
    since_midnight += minutes(scan.digits(2, 59));
    scan.expect(":");
    const int second = scan.digits(2, 60);
    since_midnight += seconds(second);
    const Micros fraction = scan.accept(".") ? scan_fraction(scan) : Micros(0);
    const WallTime whole = midnight + since_midnight - scan_offset(scan);
    if (!scan.ok || !scan.left.empty()) return bad_time();
    // A leap second ends a UTC day; like POSIX time we count it as the first second of the next.
    if (second == 60 && whole != floor<days>(whole)) return bad_time();
    return whole + fraction;
}

Result<Micros> parse_duration(std::string_view text) {
    if (text.size() < 2) return bad_duration();
    const Micros unit = unit_of(text.back());
    text.remove_suffix(1);
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 0)
        return bad_duration();
    if (unit == Micros(0) || count > std::numeric_limits<std::int64_t>::max() / unit.count())
        return bad_duration();
    return count * unit;
}

}  // namespace hygie
