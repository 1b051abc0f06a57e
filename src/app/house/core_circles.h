#pragma once

#include "access/accounts/accounts.h"
#include "access/circles/circle_accesses.h"
#include "access/circles/policy_shelf.h"
#include "access/circles/worklist.h"
#include "app/ledger/ledger_audit.h"
#include "app/line/context.h"
#include "guards/records/door/door.h"
#include "serve/circle_routes.h"
#include "vault/vault.h"

/// What the core puts behind /circles.
namespace hygie::app {

/// All of them outlive what is made from them.
struct CircleSources {
    Context& context;
    access::Accounts& accounts;
    access::PolicyShelf& policy;
    LedgerAudit& audit;
    vault::Vault& vault;
    std::function<std::vector<access::Belonging>(const std::string& person)> belongings;
};

serve::CircleParts circle_parts(CircleSources sources, serve::EventSink sink, event::Event origin);
/// The name and profession of an account, for people; with a vault, the name of where it works,
/// too.
access::WhoIs who_is(access::Accounts& accounts, access::PolicyShelf& policy, vault::Vault* vault);
/// What the vault says about circles, as lines of JSON: the house, and one patient or all.
/// Code::Full when that is more than one command can work on.
Result<Bytes> world_lines(vault::Vault& vault, const std::string& patient);
inline constexpr std::size_t kWorldBytesMax = std::size_t{512} << 20;
/// What the ledger tells of as accesses to a record by a person, with who that person is.
std::vector<access::PastAccess> accesses_of(std::span<const event::Event> events,
                                            access::Accounts& accounts);
/// Those of them that nothing explains, one JSON object a line, then a summary.
std::string findings_of(const access::CircleWorld& world,
                        std::span<const access::PastAccess> accesses);
/// What the work list is to hear of: what a person did with a patient on a day and nothing
/// explains, unless `events` tell that it knows already.
std::vector<access::Unexplained> to_look_at(const access::CircleWorld& world,
                                            std::span<const event::Event> events,
                                            access::Accounts& accounts);
/// The world of a vault as past accesses are judged: desks must have had a reason.
struct PastWorld {
    std::unique_ptr<access::Policy> policy;
    std::unique_ptr<access::CircleWorld> world;
};
Result<PastWorld> past_world(vault::Vault& vault, access::PolicyShelf& policy);

}  // namespace hygie::app
