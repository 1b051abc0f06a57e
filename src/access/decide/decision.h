#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "event/event.h"

/// Who may see what, and why: circles of care (circle.h), closed by default.
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

/// What records are looked at for beside care, with what identifies a person masked.
enum class Purpose : std::uint8_t {
    None = 0,
    Coding = 1,   ///< coding of stays (DIM)
    Quality = 2,  ///< evaluation of care
    Research = 3,
};
std::string_view name_of(Purpose purpose);
/// None for a name that is none.
Purpose purpose_named(std::string_view name);

/// Leave for an account to look at records for a purpose, within a time.
struct PurposeGrant {
    Purpose purpose = Purpose::None;
    WallTime since{};
    WallTime until{};
    ActorId by{};  ///< who answers for it
    std::string why{};
    std::string evidence{};  ///< "event/…": what the ledger keeps of it
    bool operator==(const PurposeGrant&) const = default;
};

/// A way by which an actor belongs to a party: an assignment, a team, a delegation.
struct Belonging {
    std::string party;      ///< "Location/…", "CareTeam/…", "Practitioner/…" (for whom it acts)
    std::uint8_t post = 4;  ///< of circle.h; 4 is a unit
    WallTime start = WallTime::min();
    WallTime end = WallTime::max();
    std::string evidence{};
    std::uint8_t depth = 0;
    bool is_part = false;  ///< not where the actor works, but within it: a bed of the ward
    bool operator==(const Belonging&) const = default;
};

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
    std::vector<Belonging> belongs{};  ///< beside person and organisation
    std::vector<PurposeGrant> grants{};
};

/// What ties a person, unit or team to a patient, as the record itself says. Codes are stored with
/// the records (vault/): never renumbered.
struct Relation {
    enum class Kind : std::uint8_t {
        CareTeam = 1,
        Encounter = 2,
        Appointment = 3,
        GeneralPractitioner = 4,
        EpisodeOfCare = 5,
        OpenedRecord = 6,      ///< made the patient's file here
        Teleconsultation = 7,  ///< a remote encounter: ends with it
        Referral = 8,          ///< asked for something, or was asked
        Prescription = 9,
        Dispense = 10,
        Act = 11,     ///< performed or interpreted something
        Author = 12,  ///< wrote a document
        Task = 13,
        Exchange = 14,  ///< a message about the patient
        Presence = 15,  ///< the patient is in that unit
        Cohort = 16,    ///< follows a group that the patient is in
        Consent = 17,   ///< the patient lets in
        Proxy = 18,     ///< parent, guardian
        Billing = 19,
        Opposition = 20,   ///< the patient keeps out
        Restriction = 21,  ///< the whole record is confidential

        // Of one record alone: what two of its resources say together becomes a Proxy there.
        Parent = 32,    ///< a proxy as long as the patient is a minor
        Minority = 33,  ///< of the patient, from birth until majority; names nobody
    };
    std::string person;  ///< "Practitioner/…", "PractitionerRole/…", "Organization/…", a unit, a
                         ///< team; empty: everybody (oppositions and restrictions alone)
    Kind kind = Kind::CareTeam;
    WallTime start = WallTime::min();
    WallTime end = WallTime::max();
    std::string evidence{};          ///< "Encounter/…": the resource that says so
    std::uint16_t classes = 0xFFFF;  ///< of circle.h: the data it is about
    bool operator==(const Relation&) const = default;
};
inline constexpr std::size_t kRelationKinds = 22;

/// A record opened against the circle, for one patient and at most an hour.
struct BreakGlass {
    WallTime start{};
    WallTime end{};
    bool vital = false;  ///< a life is at stake: opens what is masked too
    std::string evidence{};
    /// A colleague who signed it, too, which stands for a second factor; empty: nobody.
    std::string cosigner{};
    std::string cosign_evidence{};
};

/// A unit that an incident holds: who treats or receives there, or in a part of it, sees no record
/// but by a break-glass declared since.
struct UnitHold {
    std::string unit;  ///< "Location/…", "Organization/…", "HealthcareService/…"
    WallTime since{};
    WallTime until{};  ///< ends by itself then; the epoch: when somebody releases it
    ActorId by{};
    std::string why{};
    std::string evidence{};  ///< "event/…": what the ledger keeps of it
    bool holds_at(WallTime now) const {
        return since <= now && (until == WallTime{} || now < until);
    }
    bool operator==(const UnitHold&) const = default;
};

/// How far an actor is beyond what is usual (rate_gate.h).
enum class Pressure : std::uint8_t { Calm = 0, Slow = 1, Justify = 2, Cut = 3 };

/// What is asked of whom.
struct Ask {
    event::Action action = event::Action::Read;
    std::string_view type{};     ///< FHIR resource type
    std::string_view patient{};  ///< id of the patient whose record it is; empty: of no patient
    std::span<const Relation> relations{};  ///< of that patient
    bool by_person = false;                 ///< these are in order of Relation::person
    WallTime now{};
    std::uint8_t labels = 0;                  ///< of circle.h: what meta.security says of it
    const BreakGlass* break_glass = nullptr;  ///< of this actor for this patient
    Pressure pressure = Pressure::Calm;
    bool justified = false;             ///< gave a motive for being beyond what is usual
    bool frozen = false;                ///< an incident holds this actor or session
    std::span<const UnitHold> holds{};  ///< of all units
    Purpose purpose = Purpose::None;    ///< declared: then no circle counts, only a grant
};

/// One step from the actor to the patient.
struct ProofStep {
    std::string subject;   ///< "Practitioner/1"
    std::string relation;  ///< "unit", "presence"…
    std::string object;    ///< "Location/w"
    std::string evidence;  ///< the resource that says so, may be empty
    WallTime start = WallTime::min();
    WallTime end = WallTime::max();
    bool operator==(const ProofStep&) const = default;
};

/// Always with its reasons, each in both languages and tied to its evidence.
struct Decision {
    bool permitted = false;
    std::vector<event::Reason> reasons{};
    std::uint8_t rule = 0;         ///< of circle.h
    std::uint8_t obligations = 0;  ///< of circle.h
    std::vector<ProofStep> proof{};
};

struct Policy;

/// Under a policy pack; the second under the one inside the program.
Decision decide(const Policy& policy, const Actor& actor, const Ask& ask);
Decision decide(const Actor& actor, const Ask& ask);
/// The same decision without its words, for filtering many.
bool may(const Policy& policy, const Actor& actor, const Ask& ask);
bool may(const Actor& actor, const Ask& ask);

/// What holds the actor now, the newest; null when nothing does.
const UnitHold* hold_on(const Actor& actor, std::span<const UnitHold> holds, WallTime now);

/// Whether a way of signing in has a second factor: "otp", "psc", "mtls", "passkey"…
bool is_strong(std::string_view auth);

}  // namespace hygie::access
