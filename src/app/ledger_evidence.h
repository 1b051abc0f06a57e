#pragma once

#include <map>

#include "app/ledger_clerk.h"
#include "vault/verify.h"

namespace hygie::app {

/// What a ledger held by this process says of the vault's commits, read once.
class LedgerEvidence final : public vault::Evidence {
  public:
    static Result<LedgerEvidence> read(LedgerClerk& clerk);

    Result<std::optional<crypto::Hash>> digest_of(std::uint64_t counter) const override;

  private:
    std::map<std::uint64_t, crypto::Hash> digests_;
};

}  // namespace hygie::app
