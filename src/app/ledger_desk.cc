#include "app/ledger_desk.h"

#include "app/unlock.h"
#include "crypto/secret.h"
#include "event/uuid.h"
#include "ledger/layout.h"
#include "ledger/signer.h"

namespace hygie::app {
namespace {

constexpr Micros kWitnessDeadline = std::chrono::seconds(10);
const char* const kCommandLineSource = "cli";
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
            .help = {"qui lit, tel que le journal le gardera ; sinon le nom de session",
                     "who reads, as the ledger will keep it; the login name otherwise"}};
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
                     << context_.say(answer.cosignature.error().what) << std::endl;
    }
    return cosignatures;
}

Result<OpenLedger> open_ledger(Context& context) {
    std::optional<ledger::Policy> policy;
    if (context.values.has("--policy"))
        policy = TRY(read_policy(context, context.values.text("--policy")));
    return open_ledger(context, context.values.text("DIR"), std::move(policy));
}

Result<OpenLedger> open_ledger(Context& context, const std::string& dir,
                               std::optional<ledger::Policy> policy) {
    crypto::harden_process();
    const std::string root_path = ledger::layout::root_key(dir);
    if (!context.disk.exists(root_path))
        return fail(Code::NotFound, {"aucun journal dans " + dir, "no ledger in " + dir},
                    {"créez-en un : hygie ledger init " + dir + " --origin NOM",
                     "make one: hygie ledger init " + dir + " --origin NAME"});
    const crypto::RootKey root = TRY(unlock(context, root_path));
    OpenLedger opened;
    opened.log = TRY(ledger::Log::open({context.disk, context.clock, context.random}, dir,
                                       root.domain("ledger")));
    if (policy) {
        auto witnesses = std::make_shared<Witnesses>(context, dir, std::move(*policy));
        opened.cosign = [witnesses](const ledger::SignedCheckpoint& checkpoint) {
            return (*witnesses)(checkpoint);
        };
    }
    return opened;
}

crypto::Sealing sealing_beside() {
    return crypto::WithKeyFile{kKeyFileBeside};
}

Status create_ledger(Context& context, const std::string& dir, const std::string& origin,
                     const std::function<Result<crypto::Sealing>()>& seal) {
    const std::string root_path = ledger::layout::root_key(dir);
    if (context.disk.exists(root_path))
        return fail(Code::AlreadyThere,
                    {"ce dossier contient déjà un journal", "this folder already holds a ledger"},
                    {"choisissez un autre dossier", "choose another folder"});
    TRY_STATUS(context.disk.make_dirs(dir, Access::Served));
    TRY_STATUS(context.disk.make_dirs(ledger::layout::private_dir(dir)));
    const crypto::RootKey root =
        TRY(crypto::create_root(context.disk, context.random, root_path, TRY(seal())));
    return ledger::Log::init({context.disk, context.clock, context.random}, dir, origin,
                             root.domain("ledger"));
}

Result<std::vector<ledger::VerifierKey>> own_keys(Context& context, const std::string& dir) {
    ledger::DirReader reader(context.disk, dir);
    return ledger::read_verifier_keys(reader);
}

Status OpenLedger::finish() {
    ledger::Snapshot last = TRY(log->snapshot());
    TRY_STATUS(log->publish(last, cosign));
    return log->close();
}

ActorId reader_of(Context& context) {
    return ActorId(context.values.has("--as") ? context.values.text("--as")
                                              : context.process.user_name());
}

event::Event event_of_reader(Context& context, event::Type type) {
    event::Event event;
    event.id = event::print_uuid(event::make_uuid(context.clock.now(), context.random));
    event.type = type;
    event.action = event::Action::Execute;
    event.time = context.clock.now();
    event.source = SourceId(kCommandLineSource);
    event.node = NodeId(context.process.host_name());
    event.actor.id = reader_of(context);
    event.actor.auth = "os";
    event.retention = event::Retention::Control3Years;
    return event;
}

Status log_reading(Context& context, OpenLedger& ledger, const std::string& what) {
    event::Event event = event_of_reader(context, event::Type::LedgerRead);
    event.action = event::Action::Read;
    event.query = what;
    const ledger::Draft draft = TRY(ledger::draft_of(event));
    TRY(ledger.log->append({&draft, 1}));
    return {};
}

Result<Bytes> read_entry(ledger::LogReader& reader, std::uint64_t sequence, std::uint64_t size) {
    if (sequence >= size)
        return fail(
            Code::NotFound,
            {"le journal n'a pas d'entrée à cet indice", "the ledger has no entry at this index"},
            {"choisissez un indice de 0 à " + std::to_string(size == 0 ? 0 : size - 1),
             "choose an index from 0 to " + std::to_string(size == 0 ? 0 : size - 1)});
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
