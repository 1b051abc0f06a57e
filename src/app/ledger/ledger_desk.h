#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/ledger/ledger_clerk.h"
#include "app/line/context.h"
#include "crypto/keyring.h"
#include "ledger/log/log.h"
#include "ledger/proofs/policy.h"
#include "ledger/proofs/tile_hashes.h"
#include "ledger/proofs/witness_client.h"

/// What the ledger commands share: opening a ledger, asking its witnesses, logging who reads it.
namespace hygie::app {

/// DIR
Parameter ledger_argument();
/// --policy: every command that calls open_ledger() declares it, and passphrase_file_option()
/// (unlock.h).
Parameter policy_option();
/// --as
Parameter reader_option();

Result<ledger::Policy> read_policy(Context& context, const std::string& path);

/// Asks the witnesses of a policy to cosign the checkpoints of one ledger, and says on stderr which
/// did not.
class Witnesses {
  public:
    Witnesses(Context& context, const std::string& dir, ledger::Policy policy);
    std::vector<ledger::NoteSignature> operator()(const ledger::SignedCheckpoint& checkpoint);

  private:
    Context& context_;
    ledger::DirReader reader_;
    ledger::TileCache tiles_;
    ledger::Policy policy_;
    ledger::WitnessClient client_;
};

/// Opens the ledger of DIR for writing: unlocked, recovered, with the witnesses of --policy. For
/// processes that hold it; Code::Busy when another does.
Result<OpenLedger> open_ledger(Context& context);
Result<OpenLedger> open_ledger(Context& context, const std::string& dir,
                               std::optional<ledger::Policy> policy);
/// The root key of a ledger's folder, opened as its file asks for.
Result<crypto::RootKey> unlock_ledger(Context& context, const std::string& dir);
/// The same with a root key that is open already.
Result<OpenLedger> open_ledger(Context& context, const std::string& dir,
                               const crypto::RootKey& root, std::optional<ledger::Policy> policy);
/// For commands: carries out on the ledger of DIR, or has it carried out by the process that holds
/// it.
Result<std::unique_ptr<Clerk>> open_clerk(Context& context);
/// The same with a root key that is open already.
Result<std::unique_ptr<Clerk>> open_clerk(Context& context, const std::string& dir,
                                          const crypto::RootKey& root,
                                          std::optional<ledger::Policy> policy);
/// That of --policy, if any.
Result<std::optional<ledger::Policy>> given_policy(Context& context);
/// The process that holds the ledger of a folder, to be asked.
Result<std::unique_ptr<Clerk>> holder_of(Context& context, const std::string& dir,
                                         const crypto::RootKey& root);
/// On a ledger that this process holds.
std::unique_ptr<LedgerClerk> clerk_of(Context& context, OpenLedger opened,
                                      ledger::AppenderOptions options = {});

/// Blocks until somebody asks the process to stop, or the ledger can no longer write: a service
/// must not look alive then, but end, say why, and be started again. Closing the ledger says why.
/// `meanwhile` is done a few times a second.
void wait_while_well(
    Context& context, const ledger::Appender& appender,
    const std::function<void()>& meanwhile = [] {});

/// Makes a ledger in a folder that holds none; Code::AlreadyThere otherwise, before `seal` asks
/// anybody how to seal the root key. The root key of an attempt that was cut short is used again.
Result<crypto::RootKey> create_ledger(Context& context, const std::string& dir,
                                      const std::string& origin,
                                      const std::function<Result<crypto::Sealing>()>& seal);
/// The seal of a ledger that the machine opens by itself: a key file beside the root key.
crypto::Sealing sealing_beside();
/// The verifier keys of a ledger's folder, oldest first.
Result<std::vector<ledger::VerifierKey>> own_keys(Context& context, const std::string& dir);

/// Who runs this command: --as, else the login name.
ActorId reader_of(Context& context);

/// The entry `sequence` of a ledger's directory, at a size that its tiles cover.
Result<Bytes> read_entry(ledger::LogReader& reader, std::uint64_t sequence, std::uint64_t size);

/// RFC 3339 or a date, from an option.
Result<std::optional<WallTime>> time_option(Context& context, std::string_view name);

}  // namespace hygie::app
