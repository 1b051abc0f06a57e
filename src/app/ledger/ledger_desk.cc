#include "app/ledger/ledger_desk.h"

#include <csignal>
#include <stop_token>
#include <thread>

#include "app/ledger/control_client.h"
#include "app/ledger/ledger_question.h"
#include "app/ledger/unlock.h"
#include "crypto/secret.h"
#include "ledger/log/layout.h"
#include "ledger/log/signer.h"

namespace hygie::app {
namespace {

constexpr Micros kWitnessDeadline = std::chrono::seconds(10);
constexpr Micros kHealthInterval = std::chrono::milliseconds(250);
constexpr char kKeyFileBeside[] = "root.key";

}  // namespace

Parameter ledger_argument() {
    return {.name = "DIR",
            .kind = Kind::Dir,
            .help = {"le dossier du journal", "the ledger's folder"},
            .required = true};
}

Parameter policy_option() {
    return {.name = "--policy",
            .placeholder = "FILE",
            .kind = Kind::File,
            .help = {"politique C2SP : clés du journal, témoins, quorum",
                     "C2SP policy: the log's keys, its witnesses, the quorum"}};
}

Parameter reader_option() {
    return {.name = "--as",
            .placeholder = "ACTOR",
            .help = {"qui agit, tel que le journal le gardera ; sinon le nom de session",
                     "who acts, as the ledger will keep it; the login name otherwise"}};
}

Result<ledger::Policy> read_policy(Context& context, const std::string& path) {
    const Bytes bytes = TRY(context.disk.read_file(path, ledger::kPolicyBytesMax));
    return ledger::Policy::parse(as_text(bytes));
}

Witnesses::Witnesses(Context& context, const std::string& dir, ledger::Policy policy)
    : context_(context),
      reader_(context.disk, dir),
      tiles_(reader_),
      policy_(std::move(policy)),
      client_(
          context.fetch, context.clock, policy_,
          [this](std::uint64_t old_size, std::uint64_t new_size) {
              ledger::TileHashes hashes(tiles_, new_size);
              return ledger::prove_consistency(hashes, old_size, new_size);
          },
          kWitnessDeadline) {}

std::vector<ledger::NoteSignature> Witnesses::operator()(
    const ledger::SignedCheckpoint& checkpoint) {
    std::vector<ledger::NoteSignature> cosignatures;
    for (ledger::Cosigned& answer : client_.collect(checkpoint)) {
        if (answer.cosignature) {
            cosignatures.push_back(std::move(*answer.cosignature));
            continue;
        }
        context_.err << answer.witness << context_.say({" n'a pas cosigné : ", " did not cosign: "})
                     << context_.say(answer.cosignature.error().what) << "\n"
                     << std::flush;
    }
    return cosignatures;
}

Result<crypto::RootKey> unlock_ledger(Context& context, const std::string& dir) {
    crypto::harden_process();
    const std::string root_path = ledger::layout::root_key(dir);
    if (context.disk.exists(root_path)) return unlock(context, root_path);
    if (ledger::holds_ledger(context.disk, dir))
        return fail(
            Code::NotFound,
            {"la clé racine manque : " + root_path, "the root key is missing: " + root_path},
            {"remettez le fichier en place, ou retrouvez la clé à partir de ses parts : "
             "hygie key recover " +
                 root_path,
             "put the file back, or recover the key from its shares: hygie key recover " +
                 root_path});
    return fail(Code::NotFound, {"aucun journal dans " + dir, "no ledger in " + dir},
                {"créez-en un : hygie ledger init " + dir + " --origin NOM",
                 "make one: hygie ledger init " + dir + " --origin NAME"});
}

Result<std::optional<ledger::Policy>> given_policy(Context& context) {
    if (!context.values.has("--policy")) return std::nullopt;
    return TRY(read_policy(context, context.values.text("--policy")));
}

namespace {

crypto::Secret32 control_key(const crypto::RootKey& root) {
    return root.domain("ledger/control");
}

}  // namespace

Result<OpenLedger> open_ledger(Context& context, const std::string& dir,
                               const crypto::RootKey& root, std::optional<ledger::Policy> policy) {
    OpenLedger opened;
    opened.log = TRY(ledger::Log::open({context.disk, context.clock, context.random}, dir,
                                       root.domain("ledger")));
    opened.control_key = control_key(root);
    // Ours alone now: whoever listened here is gone.
    const std::string control = ledger::layout::control(dir);
    if (context.disk.exists(control)) TRY_STATUS(context.disk.remove(control));
    if (policy) {
        auto witnesses = std::make_shared<Witnesses>(context, dir, std::move(*policy));
        opened.cosign = [witnesses](const ledger::SignedCheckpoint& checkpoint) {
            return (*witnesses)(checkpoint);
        };
    }
    return opened;
}

Result<OpenLedger> open_ledger(Context& context) {
    return open_ledger(context, context.values.text("DIR"), TRY(given_policy(context)));
}

Result<OpenLedger> open_ledger(Context& context, const std::string& dir,
                               std::optional<ledger::Policy> policy) {
    return open_ledger(context, dir, TRY(unlock_ledger(context, dir)), std::move(policy));
}

std::unique_ptr<LedgerClerk> clerk_of(Context& context, OpenLedger opened,
                                      ledger::AppenderOptions options) {
    return std::make_unique<LedgerClerk>(ledger::Doors{context.disk, context.clock, context.random},
                                         NodeId(context.process.host_name()), std::move(opened),
                                         options);
}

Result<std::unique_ptr<Clerk>> holder_of(Context& context, const std::string& dir,
                                         const crypto::RootKey& root) {
    return TRY(RemoteClerk::connect(context.clock, dir, control_key(root)));
}

Result<std::unique_ptr<Clerk>> open_clerk(Context& context) {
    const std::string& dir = context.values.text("DIR");
    auto policy = TRY(given_policy(context));
    return open_clerk(context, dir, TRY(unlock_ledger(context, dir)), std::move(policy));
}

Result<std::unique_ptr<Clerk>> open_clerk(Context& context, const std::string& dir,
                                          const crypto::RootKey& root,
                                          std::optional<ledger::Policy> policy) {
    const bool has_policy = policy.has_value();
    auto opened = open_ledger(context, dir, root, std::move(policy));
    if (opened) return clerk_of(context, std::move(*opened));
    if (opened.error().code != Code::Busy) return std::unexpected(opened.error());
    auto holder = RemoteClerk::connect(context.clock, dir, control_key(root));
    if (!holder && holder.error().code == Code::Denied) return std::unexpected(holder.error());
    // Nobody to ask: another command, which will soon be done.
    if (!holder) return std::unexpected(opened.error());
    if (has_policy)
        context.err << context.say(
            {"le journal est tenu par un service, qui a ses propres témoins : --policy ne sert "
             "pas\n",
             "the ledger is held by a service, which has its own witnesses: --policy is not "
             "used\n"});
    return std::move(*holder);
}

void wait_while_well(Context& context, const ledger::Appender& appender,
                     const std::function<void()>& meanwhile) {
    const std::jthread watch([&](const std::stop_token& over) {
        while (!over.stop_requested() && appender.health()) {
            meanwhile();
            context.clock.sleep_for(kHealthInterval);
        }
        if (!over.stop_requested()) (void)std::raise(SIGTERM);
    });
    context.wait_for_stop();
}

crypto::Sealing sealing_beside() {
    return crypto::WithKeyFile{kKeyFileBeside};
}

namespace {

/// Asks how to seal it before any folder is made: who gives up then has left nothing behind.
Result<crypto::RootKey> root_key_of_new(Context& context, const std::string& dir,
                                        const std::function<Result<crypto::Sealing>()>& seal) {
    const std::string path = ledger::layout::root_key(dir);
    if (context.disk.exists(path)) return unlock(context, path);
    const crypto::Sealing sealing = TRY(seal());
    TRY_STATUS(context.disk.make_dirs(dir, Access::Served));
    TRY_STATUS(context.disk.make_dirs(ledger::layout::private_dir(dir)));
    return crypto::create_root(context.disk, context.random, path, sealing);
}

}  // namespace

Result<crypto::RootKey> create_ledger(Context& context, const std::string& dir,
                                      const std::string& origin,
                                      const std::function<Result<crypto::Sealing>()>& seal) {
    if (ledger::holds_ledger(context.disk, dir))
        return fail(Code::AlreadyThere,
                    {"ce dossier contient déjà un journal", "this folder already holds a ledger"},
                    {"choisissez un autre dossier", "choose another folder"});
    TRY_STATUS(ledger::check_origin(origin));
    crypto::RootKey root = TRY(root_key_of_new(context, dir, seal));
    TRY_STATUS(ledger::Log::init({context.disk, context.clock, context.random}, dir, origin,
                                 root.domain("ledger")));
    return root;
}

Result<std::vector<ledger::VerifierKey>> own_keys(Context& context, const std::string& dir) {
    ledger::DirReader reader(context.disk, dir);
    return ledger::read_verifier_keys(reader);
}

ActorId reader_of(Context& context) {
    return ActorId(context.values.has("--as") ? context.values.text("--as")
                                              : context.process.user_name());
}

Result<Bytes> read_entry(ledger::LogReader& reader, std::uint64_t sequence, std::uint64_t size) {
    if (sequence >= size) return no_such_entry(size);
    const std::uint64_t number = sequence / ledger::kTileHashes;
    const auto width = static_cast<std::size_t>(
        std::min<std::uint64_t>(ledger::kTileHashes, size - number * ledger::kTileHashes));
    const ledger::Bundle bundle = TRY(ledger::read_bundle(reader, {number, width}));
    return to_bytes(bundle.entries[sequence % ledger::kTileHashes]);
}

Result<std::optional<WallTime>> time_option(Context& context, std::string_view name) {
    if (!context.values.has(name)) return std::nullopt;
    return TRY(from_rfc3339(context.values.text(name)));
}

}  // namespace hygie::app
