#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/decide/cosign.h"
#include "guards/records/desk/options.h"
#include "guards/records/desk/pages.h"
#include "guards/records/desk/subscription_owners.h"
#include "guards/records/request/negotiate.h"
#include "guards/records/request/refusal.h"
#include "guards/records/request/target.h"

/// What every handler of the door works with: the request taken apart, the ledger entries it owes,
/// and the two ways to answer.
namespace hygie::records {

/// One interaction under way.
struct Call {
    access::Actor actor;
    std::shared_ptr<const access::Policy> policy;        ///< in force when it came
    access::Pressure pressure = access::Pressure::Calm;  ///< on the actor when it came
    bool justified = false;                              ///< gave a motive for that
    bool frozen = false;                                 ///< an incident held the account then
    Options::Holds holds{};                              ///< the units that incidents held then
    /// Declared: then what is shown is minimised, and no circle counts (purpose.h).
    access::Purpose purpose = access::Purpose::None;
    /// Whether an incident holds the actor's account, or a unit of theirs.
    bool is_held(WallTime now) const {
        return frozen || (holds && access::hold_on(actor, *holds, now) != nullptr);
    }
    http::Request request;
    Method method = Method::Get;
    Target target;
    Parameters parameters;  ///< of the query, and of the body of a POST _search; without _format
    Wishes wishes;
    Cursor cursor{};
    std::string asked;  ///< path and query exactly as sent: for the ledger
    http::Reply reply;
};
using CallPtr = std::unique_ptr<Call>;

class Backstage;
class Exports;
class Gate;
class Notices;
class Pace;
class Slowly;
class StaffRoom;
class StoredDefinitions;

/// The door's own state. Handlers are free functions over it.
struct Desk {
    Desk(const Rooms& the_rooms, Options the_options);
    ~Desk();

    std::shared_ptr<const access::Policy> policy() const;
    bool is_frozen(const access::Actor& actor) const {
        return options.frozen && options.frozen(actor.id);
    }
    Options::Holds holds() const { return options.holds ? options.holds() : nullptr; }
    /// Whether what is under way for the actor goes on no longer.
    bool is_held(const access::Actor& actor) const {
        const auto now_held = holds();
        return is_frozen(actor) ||
               (now_held && access::hold_on(actor, *now_held, rooms.clock.now()) != nullptr);
    }

    Rooms rooms;
    Options options;
    std::string base_path;  ///< of options.base: "/fhir/"
    crypto::Secret32 page_key;
    std::unique_ptr<Random> chance;  ///< for ids of events: no secrets are made of it
    access::BreakGlasses glasses;
    access::CosignWishes cosign_wishes;
    std::unique_ptr<Gate> gate;
    std::unique_ptr<Pace> pace;
    std::unique_ptr<StaffRoom> staff;
    std::unique_ptr<StoredDefinitions> definitions;
    SubscriptionOwners subscription_owners;
    std::once_flag is_stated;
    std::string statement;  ///< the CapabilityStatement, made when it is first asked for
    std::unique_ptr<Exports> exports;
    // Last, so gone first: their threads use the others. Those of `notices` end before all of it.
    std::unique_ptr<Backstage> backstage;
    std::unique_ptr<Slowly> slowly;
    Notices* notices = nullptr;  ///< the door's, made once the rest is there
};

/// A response and the entries that must be durable before it leaves.
struct Disclosure {
    http::Response response;
    std::vector<event::Event> events{};
};

/// An entry about this call. `object` is "Type/id" or empty.
event::Event event_of(const Desk& desk, const Call& call, event::Type type,
                      std::string_view patient, std::string_view object);
/// One act upon several records: an entry each, alike but for the patient.
std::vector<event::Event> events_of(const Desk& desk, const Call& call, event::Type type,
                                    std::span<const std::string_view> patients);

/// Gives the answer once the ledger keeps its events; 503 when it cannot.
void disclose(Desk& desk, CallPtr call, Disclosure disclosure);
/// The same for a refusal. What it owes the ledger is written here: AccessRefused with its reasons
/// when access was refused, and otherwise an event of `type` that failed.
void refuse(Desk& desk, CallPtr call, const Refusal& refusal,
            event::Type type = event::Type::RecordRead);

/// Counts the patients that these events open to their actor, and notes the pressure in them and in
/// `pressure`; the refusal when that is beyond every habit and no motive was given. Programs are
/// bound by their scopes alone.
std::optional<Refusal> held(Desk& desk, const Call& call, std::vector<event::Event>& events,
                            access::Pressure& pressure);

/// The path of a request below the base; empty for the base itself, with or without its slash.
std::string path_below_base(const Desk& desk, const Call& call);

/// A response with a FHIR body.
http::Response json_response(const Call& call, int status, std::string json);
/// ETag and Last-Modified of a version.
void add_version_headers(http::Response& response, const vault::Version& version);
std::string reference_to(std::string_view type, std::string_view id);

/// The request as its answer names it.
std::string self_link(const Desk& desk, const Call& call);

/// A link to the rest of this answer: sealed, good for this actor only.
std::string page_link(const Desk& desk, const Call& call, const Cursor& next);
/// The same where the parameters came by more ways than the URL.
std::string page_link(const Desk& desk, const Call& call, const Parameters& parameters,
                      const Cursor& next);

}  // namespace hygie::records
