#pragma once

#include <map>

#include "app/ledger/ledger_clerk.h"
#include "vault/verify.h"

namespace hygie::app {

/// What a ledger held by this process says of the vault's commits: read at once, and on when it
/// grew meanwhile, for a vault that is written to while it is verified.
class LedgerEvidence final : public vault::Evidence {
  public:
    static Result<LedgerEvidence> read(LedgerClerk& clerk);

    Result<std::optional<crypto::Hash>> digest_of(std::uint64_t counter) const override;

  private:
    explicit LedgerEvidence(LedgerClerk& clerk) : clerk_(&clerk) {}
    Status read_on() const;

    LedgerClerk* clerk_;
    mutable std::uint64_t read_ = 0;  ///< entries
    mutable std::map<std::uint64_t, crypto::Hash> digests_;
};

}  // namespace hygie::app
