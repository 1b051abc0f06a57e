#pragma once

#include <memory>

#include "app/ledger/ledger_clerk.h"
#include "link/acceptor.h"

namespace hygie::app {

/// How a process that holds a ledger open serves the commands run beside it (`hygie ledger query`,
/// `append`, `shred`…): a socket in the ledger's private folder, `private/control`, on which they
/// ask and the clerk carries out. Whoever runs `serve` or the like writes two lines:
///
///     LedgerClerk clerk(doors, node, TRY(open_ledger(…)));
///     const auto control = TRY(ControlListener::start(doors, clerk));
///
/// A visitor must be the folder's owner or root by the kernel's word, and prove that it holds the
/// ledger's root key: exactly what opening the ledger itself would have taken. What it reads is
/// logged durably before the first byte is disclosed. At most 16 visitors at a time; a stranger has
/// ten seconds and 64 bytes for its proof.
class ControlListener {
  public:
    /// The clerk is called from many threads. It must outlive the listener.
    static Result<std::unique_ptr<ControlListener>> start(const ledger::Doors& doors,
                                                          LedgerClerk& clerk);

  private:
    ControlListener(const ledger::Doors& doors, LedgerClerk& clerk)
        : doors_(doors), clerk_(clerk) {}
    void converse(link::Visit& visit);

    ledger::Doors doors_;
    LedgerClerk& clerk_;
    std::unique_ptr<link::Acceptor> acceptor_;  ///< last: its threads use all of the above
};

}  // namespace hygie::app
