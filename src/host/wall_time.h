#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

/// Times as people write and read them, in the zone of this machine.
namespace hygie {

/// What a person writes for an instant (ISO 8601): a date, with a time to the minute or finer,
/// behind T or a blank; where no zone follows, as clocks on the walls here show it.
Result<WallTime> from_person(std::string_view text);
/// As those clocks show it, with their offset: 2026-11-28T10:00:00+01:00.
std::string to_person(WallTime time);

}  // namespace hygie
