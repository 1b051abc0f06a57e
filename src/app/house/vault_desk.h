#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/house/core.h"

/// Acts of an operator upon a vault, with the service or beside it.
namespace hygie::app {

/// Begins one on a vault that this process has open: whoever asks, here or through the service.
Result<std::unique_ptr<VaultWork>> begin(vault::Vault& vault, LedgerClerk& clerk,
                                         const VaultAct& act);

/// Code::Denied while there is a record: its traces vouch for it, and a legal hold keeps both.
Status may_lose_traces(vault::Vault& vault, const std::string& patient);

/// What Status and Verify give.
struct VaultReport {
    vault::Counts counts{};
    std::uint64_t ledger_entries = 0;
    vault::Verified verified{};
};
/// One file of what Export gives.
struct VaultFile {
    std::string name;
    Bytes bytes;
};
Result<VaultReport> read_vault_report(ByteView given);
Result<std::vector<VaultFile>> read_vault_files(ByteView given);
/// Ids of patients: what Expired gives, at most kExpiredMax.
inline constexpr std::size_t kExpiredMax = 10'000;
Result<std::vector<std::string>> read_vault_patients(ByteView given);
/// What Knows gives.
Result<bool> read_vault_knows(ByteView given);

/// A core's ledger and vault: held by this process alone, or by the service.
struct HeldCore {
    std::unique_ptr<Store> store;   ///< when nobody else holds it
    std::unique_ptr<Clerk> holder;  ///< the service, otherwise

    Clerk& clerk() { return store ? store->clerk() : *holder; }
    /// Finishes what is under way.
    Status close() { return store ? store->close() : Status(); }
};
/// With a root key that is open already: nobody is asked twice for a passphrase.
Result<HeldCore> hold_core(Context& context, const crypto::RootKey& root);
/// Carries an act out whole, here or through the service that has the vault open.
Result<Bytes> carry_out(Context& context, const crypto::RootKey& root, const VaultAct& act);

}  // namespace hygie::app
