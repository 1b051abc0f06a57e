#include "app/house/access_state.h"

#include "app/ledger/ledger_desk.h"
#include "app/ledger/unlock.h"
#include "event/uuid.h"
#include "ledger/log/draft.h"

namespace hygie::app {

Result<AccessState> open_access_state(Context& context) {
    AccessState state;
    const CoreDirs dirs = core_dirs(context);
    const crypto::RootKey root = TRY(unlock_core(context, dirs));
    state.core = TRY(hold_core(context, root));
    const access::SealedFile::Doors doors{context.disk, context.clock, context.random};
    TRY_STATUS(context.disk.make_dirs(dirs.access()));
    state.accounts = TRY(access::Accounts::open(doors, dirs.access(), access_key(root)));
    state.policy = TRY(access::PolicyShelf::open(doors, dirs.access(), access_key(root)));
    return state;
}

std::vector<Parameter> access_state_options() {
    return {state_option(), reader_option(), passphrase_file_option()};
}

Result<std::vector<event::Event>> events_of(Context& context, AccessState& state,
                                            const Question& question) {
    const auto reading = TRY(state.clerk().read(reader_of(context), question));
    std::vector<event::Event> events;
    for (bool is_last = false; !is_last;) {
        Answers answers = TRY(reading->next());
        is_last = answers.is_last;
        for (Shown& shown : answers.entries)
            if (shown.event) events.push_back(std::move(*shown.event));
    }
    return events;
}

Status append_event(Context& context, AccessState& state, event::Event event) {
    event.source = SourceId("access");
    event.node = NodeId(context.process.host_name());
    event.time = context.clock.now();
    event.id = event::print_uuid(event::make_uuid(event.time, context.random));
    event.actor.id = reader_of(context);
    event.actor.auth = "os";
    std::vector<ledger::Draft> drafts;
    drafts.push_back(TRY(ledger::draft_of(event)));
    TRY(state.clerk().append(std::move(drafts)));
    return {};
}

}  // namespace hygie::app
