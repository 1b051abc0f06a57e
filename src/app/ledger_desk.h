#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/context.h"
#include "crypto/keyring.h"
#include "ledger/log.h"
#include "ledger/policy.h"
#include "ledger/tile_hashes.h"
#include "ledger/witness_client.h"

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

/// A ledger opened by a command: unlocked, recovered, with its witnesses if --policy names some.
struct OpenLedger {
    std::unique_ptr<ledger::Log> log;
    ledger::Cosigner cosign;

    /// Shows a checkpoint of all that was appended, and closes.
    Status finish();
};
Result<OpenLedger> open_ledger(Context& context);
Result<OpenLedger> open_ledger(Context& context, const std::string& dir,
                               std::optional<ledger::Policy> policy);

/// Makes a ledger in a folder that holds none; Code::AlreadyThere otherwise, before `seal` asks
/// anybody how to seal the root key.
Status create_ledger(Context& context, const std::string& dir, const std::string& origin,
                     const std::function<Result<crypto::Sealing>()>& seal);
/// The seal of a ledger that the machine opens by itself: a key file beside the root key.
crypto::Sealing sealing_beside();
/// The verifier keys of a ledger's folder, oldest first.
Result<std::vector<ledger::VerifierKey>> own_keys(Context& context, const std::string& dir);

/// Writes into the ledger that somebody is about to read it, and what; durable on return, so that
/// nothing is shown before its trace (law 1). `what` is kept sealed.
Status log_reading(Context& context, OpenLedger& ledger, const std::string& what);

/// Who runs this command: --as, else the login name.
ActorId reader_of(Context& context);
/// An event by whoever runs this command, from this machine's command line.
event::Event event_of_reader(Context& context, event::Type type);

/// The entry `sequence` of a ledger's directory, at a size that its tiles cover.
Result<Bytes> read_entry(ledger::LogReader& reader, std::uint64_t sequence, std::uint64_t size);

/// RFC 3339 or a date, from an option.
Result<std::optional<WallTime>> time_option(Context& context, std::string_view name);

}  // namespace hygie::app
