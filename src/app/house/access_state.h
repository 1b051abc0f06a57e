#pragma once

#include <memory>
#include <vector>

#include "access/accounts/accounts.h"
#include "access/circles/policy_shelf.h"
#include "app/house/vault_desk.h"
#include "app/line/context.h"

/// A core's directory as the access commands work on it: by themselves, or through the service that
/// holds it.
namespace hygie::app {

struct AccessState {
    HeldCore core;
    std::unique_ptr<access::Accounts> accounts;
    std::unique_ptr<access::PolicyShelf> policy;

    Clerk& clerk() { return core.clerk(); }
    /// Finishes what is under way.
    Status close() { return core.close(); }
};
Result<AccessState> open_access_state(Context& context);

/// --state, --as, --passphrase-file: of a command that may work on a core's directory.
std::vector<Parameter> access_state_options();

/// Events of the ledger, oldest first; what cannot be opened any more is left out. Traced.
Result<std::vector<event::Event>> events_of(Context& context, AccessState& state,
                                            const Question& question);
/// Appends, from this command, with source, node, time and id filled in.
Status append_event(Context& context, AccessState& state, event::Event event);

}  // namespace hygie::app
