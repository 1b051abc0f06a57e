#include "app/ledger/ledger_trace.h"

#include "ledger/log/draft.h"

namespace hygie::app {

LedgerTrace::LedgerTrace(ledger::Appender& appender, const ledger::Sources& known)
    : appender_(appender) {
    for (const ledger::Source& source : known.all())
        counters_[{source.name, source.node}] = source.last_counter;
}

void LedgerTrace::submit(std::vector<event::Event> events, std::function<void(Status)> done) {
    std::vector<ledger::Draft> drafts;
    drafts.reserve(events.size());
    for (const event::Event& event : events) {
        Result<ledger::Draft> draft = ledger::draft_of(event);
        if (!draft) return done(std::unexpected(draft.error()));
        drafts.push_back(std::move(*draft));
    }
    appender_.submit(std::move(drafts),
                     [done = std::move(done)](const ledger::Appender::Sequences& sequences) {
                         done(sequences ? Status() : std::unexpected(sequences.error()));
                     });
}

Result<std::uint64_t> LedgerTrace::last_counter(const SourceId& source, const NodeId& node) {
    const auto known = counters_.find({source, node});
    return known == counters_.end() ? 0 : known->second;
}

}  // namespace hygie::app
