#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

/// Times as people write and read them, in the zone of this machine.
namespace hygie {

/// What a person writes for an instant (ISO 8601): a date, with a time to the minute or finer,
/// behind T or a blank; where no zone follows, as clocks on the walls here show it.
Result<WallTime> from_person(std::string_view text);
enum class Fineness { Minute, Second, Microsecond };
/// As those clocks show it, with their offset: 2026-11-28T10:00:00+01:00. As fine as the instant is
/// to be asked for again.
std::string to_person(WallTime time, Fineness fineness = Fineness::Second);

}  // namespace hygie
