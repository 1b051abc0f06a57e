#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/text.h"
#include "base/time.h"

/// The words all parts of Hygie share. A guard turns what happens at its door into an Event, asks
/// for a Verdict, and obeys Orders; the ledger keeps Events.
namespace hygie::event {

/// What happened. Codes are part of the ledger format (ledger/FORMAT.md): never renumbered, never
/// reused.
enum class Type : std::uint16_t {
    // 1–31: the ledger about itself
    Heartbeat = 1,
    SourceRegistered = 2,  ///< a guard joined: its number, name, node and public key
    SourceGap = 3,         ///< counters of a source that never arrived, declared when it was seen
    StreamSealed = 4,      ///< a source's signature over its own stream up to a counter
    LedgerRead = 5,        ///< somebody read the ledger (DICOM 110101 Audit Log Used)
    KeyShredded = 6,       ///< data keys were destroyed
    LedgerPruned = 7,      ///< expired bundles were dropped
    KeyEpoch = 8,          ///< the log changed its signing key
    IndexCommitted = 9,    ///< digest of a part of the query index
    PolicyChanged = 10,
    // 32–63: records
    RecordRead = 32,
    RecordSearched = 33,
    RecordCreated = 34,
    RecordUpdated = 35,
    RecordDeleted = 36,
    RecordExported = 37,
    AccessRefused = 38,
    ConsentDecided = 39,  ///< an authorisation decision on consent (BALP AuthZ-Consent)
    BreakGlass = 40,
    // 64–95: people and sessions
    SignedIn = 64,
    SignInRefused = 65,
    SignedOut = 66,
    AccountChanged = 67,
    // 96–127: mail
    MailJudged = 96,
    MailHeld = 97,
    MailReleased = 98,
    // 128–159: files
    FileRead = 128,
    FileChanged = 129,
    FileDeleted = 130,
    WriterStopped = 131,
    FilesRestored = 132,
    // 160–191: incidents and orders
    IncidentOpened = 160,
    IncidentClosed = 161,
    OrderGiven = 162,
    OrderDone = 163,
    // 192–223: acts that another system reported
    Reported = 192,  ///< an act that has no type of its own here; what the other system said is in
                     ///< the detail
};

/// The name used in JSON, e.g. "record.read"; empty for a code this version does not know.
std::string_view name_of(Type type);
std::optional<Type> type_named(std::string_view name);
/// Types 1–31: what the ledger writes about itself.
constexpr bool is_about_ledger(Type type) {
    return static_cast<std::uint16_t>(type) < 32;
}

/// FHIR AuditEvent.action.
enum class Action : char { Create = 'C', Read = 'R', Update = 'U', Delete = 'D', Execute = 'E' };
/// The name used in JSON, e.g. "read".
std::string_view name_of(Action action);
std::optional<Action> action_named(std::string_view name);
/// What an event of this type does to its object.
Action usual_action(Type type);

/// FHIR AuditEvent.outcome: 0, 4, 8, 12.
enum class Outcome : std::uint8_t {
    Success = 0,
    MinorFailure = 4,
    SeriousFailure = 8,
    MajorFailure = 12
};
/// The name used in JSON, e.g. "serious_failure".
std::string_view name_of(Outcome outcome);
std::optional<Outcome> outcome_named(std::string_view name);

/// How long a trace is kept; part of key derivation, so that the end of a class is the destruction
/// of its keys. Durations are the defaults of the retention policy (CNIL 2021-122; DMP 10 years).
enum class Retention : std::uint8_t {
    Trace1Year = 1,
    Control3Years = 2,
    Record10Years = 3,
    Record20Years = 4,
    System = 15,  ///< about the ledger itself, no person: kept as long as the log
};
/// The name used in JSON, e.g. "record_10y"; empty for a code this version does not know.
std::string_view name_of(Retention retention);
std::optional<Retention> retention_named(std::string_view name);
/// How long entries of a class are kept; none for System.
std::optional<Micros> duration_of(Retention retention);

/// Who did it.
struct Actor {
    ActorId id;                ///< individual identifier (RPPS, account), never a shared one
    std::string role;          ///< profession or function code
    std::string auth;          ///< how the actor signed in: "pwd", "otp", "psc", "mtls"…
    ActorId on_behalf_of;      ///< delegation, empty when none
    std::string organisation;  ///< identifier of the actor's organisation
    bool operator==(const Actor&) const = default;
};

/// Whom and what it was about.
struct Subject {
    PatientId patient;  ///< empty when no single patient is concerned
    ObjectId object;    ///< e.g. "Observation/42", a message id, a file id
    bool operator==(const Subject&) const = default;
};

/// Why a verdict or decision fell, tied to the evidence it stands on.
struct Reason {
    std::string id;        ///< stable identifier, e.g. "mail.iban.unknown"
    Text text;             ///< one sentence
    std::string evidence;  ///< what it points at: a header, a relation, a ledger index
    bool operator==(const Reason&) const = default;
};

enum class Level : std::uint8_t { Clean = 0, Suspicious = 1, Malicious = 2 };
std::string_view name_of(Level level);
std::optional<Level> level_named(std::string_view name);

inline constexpr std::uint16_t kScorePermilleMax = 1000;

/// What a guard concluded and why. `score` is a probability in [0,1], in thousandths to stay exact.
struct Verdict {
    Level level = Level::Clean;
    std::uint16_t score_permille = 0;
    std::vector<Reason> reasons;
    bool operator==(const Verdict&) const = default;
};

/// What a case asks a guard to do.
struct Order {
    enum class Kind : std::uint8_t {
        CutSession = 1,
        HoldMessage = 2,
        ReleaseMessage = 3,
        FreezeWriter = 4,
        ThawWriter = 5,
        RequireStepUp = 6
    };
    std::string id;
    Kind kind = Kind::CutSession;
    std::string target;  ///< session, message or writer identifier
    Reason reason;
    WallTime until{};  ///< when it ends by itself; the epoch means never
    bool operator==(const Order&) const = default;
};

struct Network {
    std::string address;  ///< IP of the device
    std::string device;   ///< device or client identifier
    bool operator==(const Network&) const = default;
};

/// One act at one door.
struct Event {
    std::string id;  ///< UUIDv7
    Type type = Type::Heartbeat;
    Action action = Action::Execute;
    Outcome outcome = Outcome::Success;
    WallTime time{};
    SourceId source;            ///< who reports it: a guard, e.g. "records"
    NodeId node;                ///< where that guard runs
    std::uint64_t counter = 0;  ///< gap-free per source and node, from 1; 0 lets the ledger count
    Actor actor;
    Subject subject;
    std::string purpose;  ///< purpose of use, e.g. "TREAT"
    bool break_glass = false;
    Network network;
    std::string request_id;
    std::string basis;  ///< consent or authorisation reference
    std::string query;  ///< exactly what was asked, including hostile patterns
    Retention retention = Retention::Trace1Year;
    std::optional<Verdict> verdict;
    std::map<std::string, std::string> detail;  ///< what else the type needs, by documented names
    bool operator==(const Event&) const = default;
};

}  // namespace hygie::event
