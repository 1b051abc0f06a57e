#pragma once

#include "app/ledger/ledger_clerk.h"
#include "guards/records/door/door.h"

namespace hygie::app {

/// The ledger of this process as the records door serves it: AuditEvents, newest first. The door
/// traces who reads, before it shows. Thread-safe.
class LedgerAudit final : public records::AuditTrail {
  public:
    explicit LedgerAudit(LedgerClerk& clerk) : clerk_(clerk) {}

    Result<std::vector<Entry>> search(const AuditTrail::Question& question) override;
    Result<Entry> read(const std::string& id) override;

    /// Tells those acts of the selection that answer, in the order of the ledger.
    Status tell(Selection selection, const app::Question& asked,
                const std::function<void(const event::Event&)>& use);

  private:
    Result<std::vector<Entry>> collect(const app::Question& asked,
                                       const AuditTrail::Question& question);

    LedgerClerk& clerk_;
};

}  // namespace hygie::app
