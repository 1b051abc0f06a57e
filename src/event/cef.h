#pragma once

#include <string>

#include "event/event.h"
#include "event/place.h"

namespace hygie::event {

/// Event → one line of ArcSight Common Event Format, version 0, without a line feed. Severity: 3
/// for success, 6 for failure, 7 for a suspicious, 9 for a malicious verdict.
std::string to_cef(const Event& event, const Place& place);

}  // namespace hygie::event
