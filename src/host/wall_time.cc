#include "host/wall_time.h"

#include <fmt/format.h>

#include <cstdlib>
#include <ctime>

namespace hygie {
namespace {

constexpr std::size_t kDateSize = 10;

/// The same figures, read as the time of this machine instead of UTC.
WallTime as_local(WallTime utc) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(utc);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    parts.tm_isdst = -1;
    const WallTime whole{std::chrono::seconds(::mktime(&parts))};
    return whole + (utc - std::chrono::floor<std::chrono::seconds>(utc));
}

}  // namespace

Result<WallTime> from_person(std::string_view text) {
    std::string whole(text);
    if (whole.size() <= kDateSize) return as_local(TRY(from_rfc3339(whole)));
    if (whole[kDateSize] == ' ') whole[kDateSize] = 'T';
    const std::size_t zone = whole.find_first_of("Zz+-", kDateSize);
    std::string clock = whole.substr(0, zone);
    if (clock.size() == kDateSize + 6) clock += ":00";
    if (zone == std::string::npos) return as_local(TRY(from_rfc3339(clock + 'Z')));
    return from_rfc3339(clock + whole.substr(zone));
}

std::string to_person(WallTime time, Fineness fineness) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(time);
    const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}", parts.tm_year + 1900,
                                   parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min);
    if (fineness != Fineness::Minute) text += fmt::format(":{:02}", parts.tm_sec);
    if (fineness == Fineness::Microsecond) text += fmt::format(".{:06}", (time - whole).count());
    const long minutes = parts.tm_gmtoff / 60;
    return text + fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60,
                              std::abs(minutes) % 60);
}

}  // namespace hygie
