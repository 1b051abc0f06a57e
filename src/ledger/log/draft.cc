#include "ledger/log/draft.h"

namespace hygie::ledger {

Result<Draft> draft_of(const event::Event& event) {
    if (event.time.time_since_epoch().count() < 0)
        return fail(Code::BadInput,
                    {"l'heure de l'événement précède 1970", "the event's time lies before 1970"},
                    {"réglez l'horloge de la machine qui l'envoie",
                     "set the clock of the machine that sends it"});
    Draft draft;
    draft.stamp = event::stamp_of(event);
    draft.source = event.source;
    draft.node = event.node;
    draft.body = TRY(event::encode_body(event));
    draft.actor = event.actor.id;
    draft.patient = event.subject.patient;
    draft.object = event.subject.object;
    return draft;
}

Result<Draft> own_draft(event::Type type, WallTime now, std::map<std::string, std::string> detail) {
    event::Event event;
    event.type = type;
    event.time = now;
    event.retention = event::Retention::System;
    event.detail = std::move(detail);
    Draft draft = TRY(draft_of(event));
    draft.open = true;
    return draft;
}

}  // namespace hygie::ledger
