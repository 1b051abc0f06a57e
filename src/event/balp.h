#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "event/event.h"
#include "event/place.h"

/// Events as FHIR R4 AuditEvent resources in the patterns of IHE BALP (Basic Audit Log
/// Patterns 1.1).
namespace hygie::event {

/// The detail that holds, word for word but for white space, the AuditEvent an event was made from:
/// what another system said stays whole, whatever of it has a field of its own here.
inline constexpr std::string_view kFhirDetail = "fhir";

/// AuditEvent → Event. The id is taken when it is a UUID, else left empty; so are source and node.
/// Code::BadInput names the element that is missing or of the wrong kind, never a value.
Result<Event> from_audit_event(std::string_view json);

/// Whether from_audit_event takes it.
Status check_audit_event(std::string_view json);

/// Event → AuditEvent on one line. `meta.profile` names a BALP profile when the event has all that
/// the profile asks for, and only then. An event that came as an AuditEvent goes out as it came.
std::string to_audit_event(const Event& event, const Place& place);

}  // namespace hygie::event
