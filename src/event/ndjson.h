#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "event/event.h"
#include "host/clock.h"
#include "host/random.h"

namespace hygie::event {

/// Who hands a line in: fills what the line leaves out.
struct LineOrigin {
    Clock& clock;    ///< gives the time of a line that has none
    Random& random;  ///< makes the id of a line that has none
    SourceId source;
    NodeId node;
};

/// One line of NDJSON → Event: either the schema of FORMAT.md §2 or a FHIR R4 AuditEvent (see
/// balp.h). Strict: Code::BadInput names the field that is unknown, twice there, of the wrong kind
/// or too long, and never repeats a value. Types 1–31 and the system class are refused: only the
/// ledger itself writes those.
Result<Event> parse_line(std::string_view line, const LineOrigin& origin);

/// Event → JSON object, appended to `out` without a line feed. parse_line gives the same event
/// back.
void print_line(const Event& event, std::string& out);

}  // namespace hygie::event
