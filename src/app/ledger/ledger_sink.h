#pragma once

#include <map>
#include <mutex>
#include <utility>

#include "ledger/log/appender.h"
#include "link/session.h"

namespace hygie::app {

/// Puts what guards send into the ledger. A source's key is fixed by its first entry; its stream's
/// signatures become entries of their own, so that silence and omission show.
class LedgerSink final : public link::CoreSink {
  public:
    LedgerSink(ledger::Appender& appender, const ledger::Sources& known, Clock& clock);

    Result<link::Position> position(const link::SourceInfo& source) override;
    Status gap(const link::SourceInfo& source, const link::Gap& gap) override;
    Status append(const link::SourceInfo& source, const link::Batch& batch) override;
    void order_done(const link::SourceInfo& source, const link::OrderDone& done) override;

  private:
    using Name = std::pair<SourceId, NodeId>;
    struct Stream {
        Bytes key;
        link::Position position;
    };

    void remember(const link::SourceInfo& source, const link::Position& position);

    ledger::Appender& appender_;
    Clock& clock_;
    std::mutex mutex_;
    std::map<Name, Stream> streams_;
};

}  // namespace hygie::app
