#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/decide/decision.h"
#include "access/decide/policy_pack.h"
#include "base/ids.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "event/event.h"
#include "event/place.h"
#include "fhir/clinical/clinical.h"
#include "fhir/validate/definition_set.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/post.h"
#include "host/random.h"
#include "vault/trace.h"
#include "vault/vault.h"

/// What the door is given: the rooms it stands on, and how it is to behave.
namespace hygie::records {

/// What the interface tells of the ledger as AuditEvents: read only.
class AuditTrail {
  public:
    virtual ~AuditTrail() = default;

    struct Question {
        PatientId patient{};  ///< empty: any
        ActorId agent{};      ///< empty: any
        ObjectId object{};    ///< empty: any
        WallTime from = WallTime::min();
        WallTime until = WallTime::max();
        std::optional<std::uint64_t> before{};  ///< entries below this index only
        std::size_t count = 0;                  ///< at most so many
    };
    struct Entry {
        event::Event event;
        event::Place place;
    };
    /// Newest first.
    virtual Result<std::vector<Entry>> search(const Question& question) = 0;
    /// Code::NotFound when the ledger has no event of that id.
    virtual Result<Entry> read(const std::string& id) = 0;
};

/// What becomes of a write that R4 allows and that lacks what a record must hold (fhir::gaps), or
/// refers to what is not there.
enum class Completeness : std::uint8_t {
    Lenient,  ///< it is stored, with warnings: software that is not ours can write here
    Strict,   ///< it is refused
};

struct Options {
    std::string base;  ///< of every URL we write: "https://cabinet.example/fhir/"
    NodeId node;
    SourceId source = SourceId("records");
    std::string software = "Hygie";
    std::string version = "0";
    std::string export_dir;        ///< for bulk exports, sealed; empty: none are offered
    crypto::Secret32 key;          ///< domain key "records": pages, exports, idempotency
    std::size_t idle_threads = 1;  ///< for exports and imports
    Completeness completeness = Completeness::Lenient;
    fhir::Practice practice = fhir::Practice::Office;  ///< what a record must hold depends on it
    /// What the practice asks for beyond R4; they outlive the door.
    const fhir::Profiles* profiles = &fhir::DefinitionSet::r4().profiles();
    const fhir::Terminology* terminology = &fhir::DefinitionSet::r4().terminology();
    /// The rules in force, asked at each request; the program's own when empty.
    std::function<std::shared_ptr<const access::Policy>()> policy{};
    /// Whether an incident holds the account; nobody's when empty. Asked at each request, and again
    /// while something long is under way.
    std::function<bool(const ActorId&)> frozen{};
    /// The units that incidents hold, asked for in the same way; none when empty.
    using Holds = std::shared_ptr<const std::vector<access::UnitHold>>;
    std::function<Holds()> holds{};
    /// Ends the session of who opened far too many records.
    std::function<void(const access::Actor&)> cut{};
    /// For what subscriptions told and wait to tell, sealed; empty: nobody can subscribe.
    std::string notice_dir{};
    /// Addresses below which notifications may be sent (outbound.h); empty: none are.
    std::vector<std::string> notify{};
    /// Who an account stands for now, within scopes; none when it is closed.
    std::function<std::optional<access::Actor>(const ActorId&, const std::vector<std::string>&)>
        actor_of{};
    /// Who an account belongs to, whatever became of it; none when it is not known.
    struct Who {
        std::string name{};
        std::string person{};      ///< "Practitioner/…"; empty for a program
        std::string profession{};  ///< of TRE_G15, or empty
    };
    std::function<std::optional<Who>(const ActorId&)> who{};
    Micros notice_pause = std::chrono::seconds(1);  ///< after a first failure; then it doubles
    unsigned notice_attempts = 8;                   ///< in a row, before it is given up
};

/// What the door stands on. `audit` may be empty: what it serves is then not offered.
struct Rooms {
    vault::Vault& vault;
    vault::Trace& trace;
    Clock& clock;
    Random& random;
    Disk& disk;
    AuditTrail* audit = nullptr;
    Post* post = nullptr;  ///< empty: notifications leave by WebSocket alone
};

/// Below the base: where WebSockets are opened that tell subscriptions.
inline constexpr std::string_view kSocketPath = "_socket";

}  // namespace hygie::records
