#pragma once

#include <string>

#include "event/event.h"
#include "event/place.h"

/// Events as IHE ATNA wants them: DICOM audit messages (PS3.15 A.5) carried by syslog (RFC 5424)
/// over TLS (RFC 5425).
namespace hygie::event {

/// The AuditMessage document of PS3.15 A.5.1. Succeeded and failed acts alike; reading the ledger
/// is "Audit Log Used" (110101).
std::string to_dicom_xml(const Event& event, const Place& place);

/// The RFC 5424 message around it: facility 10, severity notice for success and warning for
/// failure, MSGID DICOM+RFC3881, the node as host name.
std::string to_syslog(const Event& event, const Place& place);

/// The RFC 5425 frame of a syslog message: its length in bytes, a space, the message.
std::string octet_counted(std::string_view message);

}  // namespace hygie::event
