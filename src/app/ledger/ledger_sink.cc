#include "app/ledger/ledger_sink.h"

#include "event/codec.h"

namespace hygie::app {
namespace {

std::unexpected<Error> another_key() {
    return fail(
        Code::Denied,
        {"cette source est connue sous une autre clé", "this source is known under another key"},
        {"si le garde a été réinstallé, donnez-lui un autre nom de nœud",
         "if the guard was installed anew, give it another node name"});
}

Result<ledger::Draft> draft_of(const link::SourceInfo& source, const link::StampedBody& stamped) {
    event::Event event = TRY(event::decode_body(stamped.stamp, stamped.body));
    ledger::Draft draft;
    draft.stamp = stamped.stamp;
    draft.source = source.source;
    draft.node = source.node;
    draft.body = stamped.body;
    draft.actor = std::move(event.actor.id);
    draft.patient = std::move(event.subject.patient);
    draft.object = std::move(event.subject.object);
    draft.source_key = to_bytes(source.key);
    return draft;
}

Result<ledger::Draft> seal_draft(const link::SourceInfo& source, const link::Seal& seal,
                                 WallTime now) {
    return ledger::own_draft(event::Type::StreamSealed, now,
                             {{"key", to_base64(source.key)},
                              {"counter", std::to_string(seal.at.counter)},
                              {"chain", to_base64(seal.at.chain)},
                              {"signature", to_base64(seal.signature)}});
}

}  // namespace

LedgerSink::LedgerSink(ledger::Appender& appender, const ledger::Sources& known, Clock& clock)
    : appender_(appender), clock_(clock) {
    for (const ledger::Source& source : known.all())
        if (source.number != 0)
            streams_[{source.name, source.node}] = {source.key,
                                                    {source.last_counter, std::nullopt}};
}

Result<link::Position> LedgerSink::position(const link::SourceInfo& source) {
    const std::lock_guard lock(mutex_);
    const auto known = streams_.find({source.source, source.node});
    if (known == streams_.end()) return link::Position{0, crypto::Hash{}};
    if (known->second.key != to_bytes(source.key)) return another_key();
    return known->second.position;
}

void LedgerSink::remember(const link::SourceInfo& source, const link::Position& position) {
    const std::lock_guard lock(mutex_);
    streams_[{source.source, source.node}] = {to_bytes(source.key), position};
}

Status LedgerSink::gap(const link::SourceInfo& source, const link::Gap& gap) {
    TRY(position(source));
    ledger::Draft draft;
    draft.source = source.source;
    draft.node = source.node;
    draft.source_key = to_bytes(source.key);
    draft.gap_until = gap.last;
    TRY(appender_.append({std::move(draft)}));
    remember(source, {gap.last, std::nullopt});
    return {};
}

Status LedgerSink::append(const link::SourceInfo& source, const link::Batch& batch) {
    TRY(position(source));
    std::vector<ledger::Draft> drafts;
    link::Point at = batch.after;
    for (const link::StampedBody& event : batch.events) {
        drafts.push_back(TRY(draft_of(source, event)));
        at = link::after(at, event);
        // A signature stands right behind the last event it covers.
        if (batch.seal && batch.seal->at.counter == at.counter)
            drafts.push_back(TRY(seal_draft(source, *batch.seal, clock_.now())));
    }
    if (!drafts.empty()) TRY(appender_.append(std::move(drafts)));
    remember(source, {at.counter, at.chain});
    return {};
}

void LedgerSink::order_done(const link::SourceInfo& source, const link::OrderDone& done) {
    event::Event event;
    event.type = event::Type::OrderDone;
    event.outcome = done.problem ? event::Outcome::SeriousFailure : event::Outcome::Success;
    event.time = clock_.now();
    event.retention = event::Retention::Control3Years;
    event.detail = {
        {"order", done.id}, {"source", source.source.str()}, {"node", source.node.str()}};
    if (done.problem) event.detail["problem"] = done.problem->what.en;
    if (auto draft = ledger::draft_of(event)) (void)appender_.append({std::move(*draft)});
}

}  // namespace hygie::app
