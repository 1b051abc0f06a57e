#pragma once

#include <map>
#include <utility>

#include "ledger/log/appender.h"
#include "vault/trace.h"

namespace hygie::app {

/// Puts the acts of this process into its own ledger.
class LedgerTrace final : public vault::Trace {
  public:
    /// `known` is how far each source had counted when the ledger was opened.
    LedgerTrace(ledger::Appender& appender, const ledger::Sources& known);

    void submit(std::vector<event::Event> events, std::function<void(Status)> done) override;
    /// As of the opening: what a source that recovers has to know.
    Result<std::uint64_t> last_counter(const SourceId& source, const NodeId& node) override;

  private:
    ledger::Appender& appender_;
    std::map<std::pair<SourceId, NodeId>, std::uint64_t> counters_;
};

}  // namespace hygie::app
