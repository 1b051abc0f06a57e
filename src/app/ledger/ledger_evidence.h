#pragma once

#include <map>
#include <set>
#include <utility>

#include "app/ledger/ledger_clerk.h"
#include "vault/verify.h"

namespace hygie::app {

/// What a ledger held by this process says of the vault's commits: read at once, and on when it
/// grew meanwhile, for a vault that is written to while it is verified.
class LedgerEvidence final : public vault::Evidence {
  public:
    static Result<LedgerEvidence> read(LedgerClerk& clerk);

    /// Code::Erased when the entry is there and no longer opens, or was pruned: its patient's
    /// traces were erased, or its time is over.
    Result<std::optional<crypto::Hash>> digest_of(std::uint64_t counter) const override;

  private:
    explicit LedgerEvidence(LedgerClerk& clerk) : clerk_(&clerk) {}
    Status read_on() const;
    void note(const Shown& shown) const;
    bool is_erased(std::uint64_t counter) const;

    LedgerClerk* clerk_;
    mutable std::uint64_t read_ = 0;  ///< entries
    mutable std::map<std::uint64_t, crypto::Hash> digests_;
    mutable std::set<std::uint64_t> vaults_;  ///< numbers of the vault as a source
    mutable std::set<std::pair<std::uint64_t, std::uint64_t>> erased_;  ///< source, counter
    mutable std::map<std::uint64_t, std::uint64_t> firsts_;  ///< by source, of what is left
    mutable bool is_pruned_ = false;
};

}  // namespace hygie::app
