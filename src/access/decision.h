#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "event/event.h"

/// Who may see what, and why. Until circles of care stand, one strict rule: a person who treats a
/// patient sees that patient's record; everything else is closed (docs: access/README.md).
namespace hygie::access {

/// What a person or program is here for; bounds everything else.
enum class Role : std::uint8_t {
    Care = 1,        ///< a health professional who treats: reads and writes records of own patients
    Desk = 2,        ///< administrative staff: identity, agenda and coverage, nothing clinical
    Security = 3,    ///< security officer and data-protection officer: traces, no record
    Operations = 4,  ///< administrator of the machine: no record, no trace about a person
    Patient = 5,     ///< the person the record is about: reads the own record
    Program = 6,     ///< a program with its own credential, e.g. the practice-management software
};
std::string_view name_of(Role role);

/// Who asks, as established by sign-in. Scopes are ceilings (SMART App Launch 2.0, v2 syntax), as
/// text until the room reads them; empty means the role's own rights.
struct Actor {
    ActorId id{};  ///< the account
    Role role = Role::Care;
    std::string
        profession{};      ///< code of the TRE-G15 nomenclature ("10" is a physician), may be empty
    std::string person{};  ///< "Practitioner/…" or "Patient/…"; empty for a program
    std::string organisation{};  ///< "Organization/…" or empty
    std::string auth{};          ///< "pwd", "otp", "psc", "mtls"…
    std::string session{};
    std::vector<std::string> scopes{};
};

/// That somebody treats a patient, as the record itself says.
struct Relation {
    enum class Kind : std::uint8_t {
        CareTeam = 1,
        Encounter = 2,
        Appointment = 3,
        GeneralPractitioner = 4,
        EpisodeOfCare = 5,
        OpenedRecord = 6,  ///< made the patient's file here
    };
    std::string person;  ///< "Practitioner/…", "PractitionerRole/…" or "Organization/…"
    Kind kind = Kind::CareTeam;
    WallTime start = WallTime::min();
    WallTime end = WallTime::max();
    std::string evidence;  ///< "Encounter/…": the resource that says so
    bool operator==(const Relation&) const = default;
};

/// What is asked of whom.
struct Ask {
    event::Action action = event::Action::Read;
    std::string_view type;     ///< FHIR resource type
    std::string_view patient;  ///< id of the patient whose record it is; empty: of no patient
    std::span<const Relation> relations{};  ///< of that patient
    WallTime now{};
};

/// Always with its reasons, each in both languages and tied to its evidence.
struct Decision {
    bool permitted = false;
    std::vector<event::Reason> reasons;
};

Decision decide(const Actor& actor, const Ask& ask);

}  // namespace hygie::access
