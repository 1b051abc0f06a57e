#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/line/commands.h"
#include "app/line/event_lines.h"
#include "app/line/peer_address.h"
#include "crypto/keyring.h"
#include "link/guard_link.h"

namespace hygie::app {
namespace {

/// Beside the spool's own files: the guard's secret, its names, and how far the core was last known
/// to hold.
constexpr char kKeyFile[] = "key";
constexpr char kNamesFile[] = "names";
constexpr char kDeliveredFile[] = "delivered";
constexpr std::size_t kSmallFileBytesMax = 1024;
/// Two segments, which every spool must have room for.
constexpr std::uint64_t kSpoolBytesMin = 2 * link::SpoolOptions().segment_bytes;
/// How often a sender that waits looks whether the core has refused it.
constexpr Micros kLook = std::chrono::milliseconds(50);

/// Who writes into a spool. The names and the secret are fixed when the spool is made.
struct Guard {
    SourceId source;
    NodeId node;
    crypto::Secret32 secret;
};

/// What the command line says of a guard's names.
struct GivenNames {
    std::string source;
    std::string node;
};

/// What is given, else what was kept, else what suits this machine. Another name than the one kept
/// makes Spool::open refuse.
Result<Guard> names_of(Context& context, const std::string& dir, const GivenNames& given) {
    std::string source = "import";
    std::string node = context.process.host_name();
    if (context.disk.exists(join(dir, kNamesFile))) {
        const Bytes kept = TRY(context.disk.read_file(join(dir, kNamesFile), kSmallFileBytesMax));
        const std::string_view both = as_text(kept);
        const std::size_t cut = both.find('\n');
        source = both.substr(0, cut);
        node = cut == std::string_view::npos ? std::string_view() : both.substr(cut + 1);
    }
    if (!given.source.empty()) source = given.source;
    if (!given.node.empty()) node = given.node;
    Guard guard{SourceId(source), NodeId(node), {}};
    TRY_STATUS(link::check_names({guard.source, guard.node, {}}));
    return guard;
}

Status read_secret(Context& context, const std::string& path, crypto::Secret32& secret) {
    const std::unique_ptr<File> file = TRY(context.disk.open(path, Open::Read));
    const auto bytes = secret.mutable_view();
    if (TRY(file->size()) == bytes.size() && TRY(file->read_at(0, bytes)) == bytes.size())
        return {};
    return fail(Code::Corrupt,
                {"la clé de cette file d'attente est abîmée", "the key of this spool is damaged"},
                {"rétablissez ce fichier depuis une copie : sans lui, la file ne s'ouvre plus",
                 "bring this file back from a copy: without it the spool cannot be opened"});
}

/// The guard of a spool; made under the names given when the folder holds none and names are given.
Result<Guard> guard_of(Context& context, const std::string& dir,
                       const std::optional<GivenNames>& given) {
    const std::string path = join(dir, kKeyFile);
    if (!given && !context.disk.exists(path))
        return fail(Code::NotFound, {"aucune file d'attente dans " + dir, "no spool in " + dir},
                    {"« hygie link send » en crée une", "'hygie link send' makes one"});
    TRY_STATUS(context.disk.make_dirs(dir));
    const auto alone = TRY(context.disk.lock(join(dir, "lock")));
    Guard guard = TRY(names_of(context, dir, given.value_or(GivenNames{})));
    if (context.disk.exists(path)) {
        TRY_STATUS(read_secret(context, path, guard.secret));
        return guard;
    }
    context.random.fill(guard.secret.mutable_view());
    TRY_STATUS(context.disk.replace_file(join(dir, kNamesFile),
                                         as_bytes(guard.source.str() + '\n' + guard.node.str())));
    TRY_STATUS(context.disk.replace_file(path, guard.secret.view()));
    return guard;
}

Result<std::unique_ptr<link::Spool>> open_spool(Context& context,
                                                const std::optional<GivenNames>& given) {
    crypto::harden_process();
    const std::string& dir = context.values.text("--spool");
    const Guard guard = TRY(guard_of(context, dir, given));
    const crypto::RootKey root(guard.secret);
    link::SpoolOptions options;
    options.dir = dir;
    options.source = guard.source;
    options.node = guard.node;
    if (given) {
        options.max_bytes = context.values.number("--max-bytes");
        options.start_after = context.values.number("--start-after");
    }
    return link::Spool::open(context.disk, context.random,
                             crypto::SigningKey::from_seed(root.domain("link/sign")),
                             root.domain("link/spool"), std::move(options));
}

/// At least so far the core holds the stream: the spool itself only forgets whole segments.
Result<std::uint64_t> delivered(Context& context, link::Spool& spool) {
    const std::string path = join(context.values.text("--spool"), kDeliveredFile);
    std::uint64_t kept = 0;
    if (context.disk.exists(path)) {
        const Bytes text = TRY(context.disk.read_file(path, kSmallFileBytesMax));
        kept = parse_number(as_text(text)).value_or(0);
    }
    return std::min(std::max(kept, spool.base()), spool.last());
}

Status note_delivered(Context& context, link::Spool& spool, std::uint64_t counter) {
    if (counter <= TRY(delivered(context, spool))) return {};
    return context.disk.replace_file(join(context.values.text("--spool"), kDeliveredFile),
                                     as_bytes(std::to_string(counter)));
}

Result<link::GuardLink::Endpoint> core_of(Context& context) {
    const std::string& to = context.values.text("--to");
    if (to.contains('/') || !to.contains(':'))
        return link::LocalEndpoint{.path = to, .group = false, .peers = {}};
    const PeerAddress address = TRY(parse_peer_address(to));
    const link::TlsIdentity identity =
        TRY(read_mutual_tls_identity(context, {.ca = "--ca", .cert = "--cert", .key = "--key"}));
    link::TlsContext tls = TRY(link::TlsContext::client(identity, link::TlsVersions::Only13));
    return link::TlsEndpoint{
        address.host, address.port,
        context.values.has("--peer-name") ? context.values.text("--peer-name") : address.host,
        std::move(tls)};
}

/// Puts lines into the spool and prints the counter of each once it is durable there.
class LineSender final : public LineTaker {
  public:
    LineSender(Context& context, link::GuardLink& link) : context_(context), link_(link) {}

    Status take(std::uint64_t line, const event::Event& event) override {
        const Bytes body = TRY(event::encode_body(event));
        bytes_ += link::weight({event::stamp_of(event), body});
        events_.push_back(event);
        lines_.push_back(line);
        return {};
    }

    /// A batch holds any eight events (link/stream.h): below that, there is room for one more.
    bool is_full() const override {
        return events_.size() >= link::kBatchEventsMax ||
               bytes_ > link::kBatchBytesMax - link::kBatchBytesMax / 8;
    }

    /// Signed at once: no line is answered that the source could later deny.
    Status flush() override {
        if (events_.empty()) return {};
        const std::uint64_t last = TRY(link_.report(events_, link::Sealing::Now));
        std::uint64_t counter = last - events_.size();
        for (const std::uint64_t line : lines_) print(line, ++counter);
        context_.out << std::flush;
        events_.clear();
        lines_.clear();
        bytes_ = 0;
        return {};
    }

  private:
    void print(std::uint64_t line, std::uint64_t counter) {
        if (context_.json)
            context_.out << nlohmann::json{{"line", line}, {"counter", counter}}.dump() << "\n";
        else
            context_.out << counter << "\n";
    }

    Context& context_;
    link::GuardLink& link_;
    std::vector<event::Event> events_;
    std::vector<std::uint64_t> lines_;  ///< line of each event
    std::size_t bytes_ = 0;
};

/// Whether waiting cannot help: the core or its certificate, or ours, must change first.
bool is_refusal(const std::optional<Error>& problem) {
    constexpr Code kRefusals[] = {Code::Denied, Code::Forged, Code::Stale, Code::BadInput,
                                  Code::Corrupt};
    return problem && std::ranges::find(kRefusals, problem->code) != std::end(kRefusals);
}

void say_what_waits(Context& context, std::uint64_t count, const std::optional<Error>& problem) {
    const Text why = problem ? problem->what : Text{"il tarde à répondre", "it is slow to answer"};
    context.err << context.say(
        {fmt::format("{} événement(s) attendent dans la file, rien n'est perdu ; le cœur n'est "
                     "pas joint : {}\n  → relancez « hygie link send » quand il sera là\n",
                     count, why.fr),
         fmt::format("{} event(s) wait in the spool, nothing is lost; the core is not reached: "
                     "{}\n  → run 'hygie link send' again when it is there\n",
                     count, why.en)});
}

/// Waits until the core holds everything, or says what waits. The core being away is no failure;
/// its refusal is.
Status deliver(Context& context, link::Spool& spool, link::GuardLink& link) {
    const SteadyTime end = context.clock.steady() + context.values.duration("--wait");
    const std::uint64_t last = spool.last();
    bool done = link.wait_delivered(last, Micros(0));
    while (!done && context.clock.steady() < end && !is_refusal(link.state().problem))
        done = link.wait_delivered(last, kLook);
    const link::LinkState state = link.state();
    TRY_STATUS(note_delivered(context, spool, state.acknowledged));
    if (done) return {};
    say_what_waits(context, last - TRY(delivered(context, spool)), state.problem);
    if (is_refusal(state.problem)) return std::unexpected(*state.problem);
    return {};
}

Status refuse_order(const event::Order&) {
    return fail(Code::BadInput,
                {"cet expéditeur n'exécute pas d'ordres", "this sender carries out no orders"},
                {"donnez l'ordre à une garde", "give the order to a guard"});
}

std::string text_or_empty(Context& context, std::string_view option) {
    return context.values.has(option) ? context.values.text(option) : "";
}

Result<int> send(Context& context) {
    const link::GuardLink::Endpoint core = TRY(core_of(context));
    const std::unique_ptr<link::Spool> spool = TRY(open_spool(
        context, GivenNames{text_or_empty(context, "--source"), text_or_empty(context, "--node")}));
    link::GuardLink link({context.disk, context.clock, context.random}, *spool, core, refuse_order);
    LineSender sender(context, link);
    const Status read = read_event_lines(
        context, {context.clock, context.random, spool->self().source, spool->self().node}, sender);
    const Status delivered = deliver(context, *spool, link);
    TRY_STATUS(read);
    TRY_STATUS(delivered);
    return kExitOk;
}

Result<int> status(Context& context) {
    const std::unique_ptr<link::Spool> spool = TRY(open_spool(context, std::nullopt));
    const link::SourceInfo& self = spool->self();
    const std::uint64_t held = TRY(delivered(context, *spool));
    const std::uint64_t waiting = spool->last() - held;
    if (context.json) {
        context.out << nlohmann::json{{"source", self.source.str()}, {"node", self.node.str()},
                                      {"key", to_base64(self.key)},  {"last", spool->last()},
                                      {"delivered", held},           {"waiting", waiting},
                                      {"bytes", spool->bytes()}}
                           .dump()
                    << "\n";
        return kExitOk;
    }
    context.out << context.say({"source ", "source "}) << self.source.str()
                << context.say({" sur ", " on "}) << self.node.str() << "\n"
                << context.say(
                       {fmt::format(
                            "dernier événement : {} ; {} tenus par le cœur, {} en attente\n",
                            spool->last(), held, waiting),
                        fmt::format("last event: {}; {} held by the core, {} waiting\n",
                                    spool->last(), held, waiting)});
    return kExitOk;
}

Parameter spool_option() {
    return {.name = "--spool",
            .placeholder = "DIR",
            .kind = Kind::Dir,
            .help = {"le dossier de la file d'attente", "the spool's folder"},
            .required = true};
}

Command send_command() {
    return {
        .path = {"link", "send"},
        .summary = {"envoie des événements lus en NDJSON au cœur",
                    "sends events read as NDJSON to the core"},
        .description = {"Un événement par ligne sur l'entrée. Chacun est d'abord mis à l'abri dans "
                        "la file, chiffré, compté et "
                        "signé, et son compteur est écrit ; puis la file est livrée dans l'ordre, "
                        "une seule fois. Si le cœur est "
                        "absent, les événements attendent et partent au prochain envoi.",
                        "One event per line on the input. Each is first made durable in the spool, "
                        "encrypted, counted and signed, "
                        "and its counter is printed; then the spool is delivered in order, once. "
                        "If the core is away, events wait "
                        "and go with the next send."},
        .options =
            {spool_option(),
             {.name = "--to",
              .placeholder = "SOCKET|HOST:PORT",
              .help = {"le cœur : sa socket locale, ou son adresse, sous TLS mutuel",
                       "the core: its local socket, or its address, under mutual TLS"},
              .required = true},
             {.name = "--source",
              .placeholder = "NAME",
              .help = {"qui écrit ; fixé au premier envoi, « import » sinon",
                       "who writes; fixed by the first send, 'import' otherwise"}},
             {.name = "--node",
              .placeholder = "NAME",
              .help = {"sur quelle machine ; fixé au premier envoi, le nom d'hôte sinon",
                       "on which machine; fixed by the first send, the host name otherwise"}},
             {.name = "--max-bytes",
              .placeholder = "N",
              .kind = Kind::Number,
              .help = {"ce que la file peut occuper sur le disque ; au-delà, les lignes sont "
                       "refusées, celles d'avant restent",
                       "what the spool may take on disk; beyond it lines are refused, those before "
                       "stay"},
              .by_default = std::to_string(link::SpoolOptions().max_bytes),
              .min = kSpoolBytesMin},
             {.name = "--start-after",
              .placeholder = "N",
              .kind = Kind::Number,
              .help =
                  {"déclare qu'une file de cette source est perdue : la neuve commence après ce "
                   "compteur, et le journal inscrit le trou",
                   "declares that an earlier spool of this source is lost: the new one starts "
                   "after this counter, and the ledger records the gap"},
              .by_default = "0"},
             {.name = "--ca",
              .placeholder = "FILE",
              .kind = Kind::File,
              .help = {"l'autorité du cœur (PEM)", "the core's authority (PEM)"}},
             {.name = "--cert",
              .placeholder = "FILE",
              .kind = Kind::File,
              .help = {"notre certificat, au nom de la machine (PEM)",
                       "our certificate, in the node's name (PEM)"}},
             {.name = "--key",
              .placeholder = "FILE",
              .kind = Kind::File,
              .help = {"sa clé (PEM)", "its key (PEM)"}},
             {.name = "--peer-name",
              .placeholder = "NAME",
              .help = {"le nom que porte le certificat du cœur ; sinon l'hôte de --to",
                       "the name in the core's certificate; the host of --to otherwise"}},
             {.name = "--wait",
              .placeholder = "DURATION",
              .kind = Kind::Duration,
              .help = {"combien attendre la livraison", "how long to wait for delivery"},
              .by_default = "10s"}},
        .examples =
            {{"hygie link send --spool /var/spool/hygie --to /run/hygie/link.sock < events.ndjson",
              {"Vers le cœur de cette machine :", "To this machine's core:"}},
             {"hygie link send --spool /var/spool/hygie --to 192.0.2.7:8471 --ca ca.pem --cert "
              "node.pem "
              "--key node.key --peer-name core.cabinet.example < events.ndjson",
              {"Vers une autre machine :", "To another machine:"}},
             {"hygie link send --spool /var/spool/hygie --to /run/hygie/link.sock --start-after "
              "1201 "
              "< events.ndjson",
              {"Après la perte de la file, quand le cœur dit en tenir 1200 événements :",
               "After the spool was lost, when the core says that it holds 1200 of its events:"}}},
        .run = send};
}

Command status_command() {
    return {.path = {"link", "status"},
            .summary = {"dit ce qui attend dans une file", "says what waits in a spool"},
            .description = {"Ce que le dernier envoi en savait : un envoi tué en route peut avoir "
                            "livré davantage.",
                            "As far as the last send knew: one that was killed on its way may have "
                            "delivered more."},
            .options = {spool_option()},
            .examples = {{"hygie link status --spool /var/spool/hygie",
                          {"Vérifier que rien n'attend :", "Check that nothing waits:"}}},
            .run = status};
}

}  // namespace

std::vector<Command> link_commands() {
    return {{.path = {"link"},
             .summary = {"le lien par lequel les gardes écrivent au journal",
                         "the link by which guards write to the ledger"},
             .description = {"Une file d'attente durable chez celui qui écrit, livrée au cœur dans "
                             "l'ordre et sans trou, "
                             "quoi qu'il arrive à l'un ou à l'autre.",
                             "A durable queue where events are written, delivered to the core in "
                             "order and without a "
                             "gap, whatever happens to either."}},
            send_command(),
            status_command()};
}

}  // namespace hygie::app
