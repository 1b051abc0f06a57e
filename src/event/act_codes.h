#pragma once

#include <span>
#include <string_view>

#include "event/event.h"

/// How standards name our event types: shared by the FHIR and DICOM spellings.
namespace hygie::event {

struct Coding {
    std::string_view system;
    std::string_view code;
    std::string_view display;
};

namespace systems {
inline constexpr std::string_view kDicom = "http://dicom.nema.org/resources/ontology/DCM";
inline constexpr std::string_view kRest = "http://hl7.org/fhir/restful-interaction";
inline constexpr std::string_view kAuditEventType =
    "http://terminology.hl7.org/CodeSystem/audit-event-type";
inline constexpr std::string_view kAuthz =
    "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType";
inline constexpr std::string_view kLifecycle =
    "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle";
inline constexpr std::string_view kParticipation =
    "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
inline constexpr std::string_view kParticipant =
    "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
/// Our own names of types (name_of), where no standard has one.
inline constexpr std::string_view kHygie = "urn:hygie:event-type";
}  // namespace systems

/// The codes of one type.
struct ActCodes {
    Type type;
    Coding event;    ///< DICOM PS3.16 CID 400
    Coding subtype;  ///< what exactly: a standard's code, or name_of(type) in systems::kHygie

    /// BALP calls an exchange over the FHIR interface "rest", whatever DICOM calls it.
    bool is_rest() const { return subtype.system == systems::kRest; }
};

ActCodes codes_of(Type type);
/// Every type, in the order of their numbers.
std::span<const ActCodes> all_codes();

/// The agents of an exchange, as BALP names them for each kind of act.
struct AgentCodes {
    Coding client;
    Coding server;
    Coding user;
};
const AgentCodes& agents_of(Type type);

}  // namespace hygie::event
