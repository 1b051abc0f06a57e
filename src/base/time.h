#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hygie {

using Micros = std::chrono::microseconds;
/// UTC wall-clock time with microseconds. May step back: nothing's validity rests on its order.
using WallTime = std::chrono::sys_time<Micros>;
/// Monotonic time for deadlines and measuring; meaningless across restarts.
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

/// RFC 3339 in UTC with microseconds: 2026-11-24T08:30:00.000000Z.
std::string to_rfc3339(WallTime time);
/// Accepts RFC 3339 with any offset and 0–9 fraction digits, and a bare date (midnight UTC).
Result<WallTime> from_rfc3339(std::string_view text);

/// Durations a person writes: 90s, 15m, 24h, 30d, 10y (365 days).
Result<Micros> parse_duration(std::string_view text);

}  // namespace hygie
