#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/commands.h"
#include "app/control_listener.h"
#include "app/ledger_desk.h"
#include "app/witness_home.h"
#include "event/sample.h"
#include "event/uuid.h"
#include "serve/tile_routes.h"

namespace hygie::app {
namespace {

constexpr char kOrigin[] = "demo.hygie.example/journal";
constexpr std::array<std::string_view, 3> kWitnesses = {"temoin-a", "temoin-b", "temoin-c"};
constexpr std::size_t kQuorum = 2;
constexpr std::uint64_t kProvenEntry = 42;
constexpr std::size_t kEventsPerBatch = 1024;
constexpr auto kBetweenEvents = std::chrono::seconds(1);

/// As a shell reads it back whole.
std::string shell_word(const std::string& word) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:";
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
    std::string quoted = "'";
    for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

/// The file of the program that runs, so that printed commands work from any folder.
std::string own_program() {
    std::error_code error;
    const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? "hygie" : path.string();
}

Status remove_tree(Disk& disk, const std::string& dir) {
    for (const DirEntry& entry : TRY(disk.list(dir))) {
        const std::string path = join(dir, entry.name);
        TRY_STATUS(entry.is_dir ? remove_tree(disk, path) : disk.remove(path));
    }
    return disk.remove(dir);
}

/// Where a demonstration keeps its files: the folder of --state, or one that goes away with it.
class Home {
  public:
    static Result<Home> open(Context& context) {
        if (!context.values.has("--state")) {
            const std::string name = "hygie-demo-" + to_hex(context.random.bytes<8>());
            Home home(context.disk, join(std::filesystem::temp_directory_path().string(), name));
            TRY_STATUS(context.disk.make_dirs(home.dir_));
            home.passing_ = true;
            return home;
        }
        const auto path = std::filesystem::absolute(context.values.text("--state"));
        Home home(context.disk, path.lexically_normal().string());
        TRY_STATUS(context.disk.make_dirs(home.dir_));
        if (!context.disk.exists(home.ledger()) && !TRY(context.disk.list(home.dir_)).empty())
            return fail(Code::BadInput,
                        {home.dir_ + " contient autre chose", home.dir_ + " holds something else"},
                        {"donnez un dossier vide, ou celui d'une démonstration passée",
                         "give an empty folder, or that of an earlier demonstration"});
        return home;
    }

    Home(Home&& other) noexcept
        : disk_(other.disk_),
          dir_(std::move(other.dir_)),
          passing_(std::exchange(other.passing_, false)) {}
    Home& operator=(Home&&) = delete;
    ~Home() {
        if (passing_) (void)remove_tree(disk_, dir_);
    }

    const std::string& dir() const { return dir_; }
    std::string ledger() const { return join(dir_, "ledger"); }
    std::string policy() const { return join(dir_, "policy"); }
    std::string proof() const { return join(dir_, fmt::format("{}.tlog-proof", kProvenEntry)); }
    std::string witness(std::string_view name) const { return join(dir_, name); }
    bool passing() const { return passing_; }

  private:
    Home(Disk& disk, std::string dir) : disk_(disk), dir_(std::move(dir)) {}

    Disk& disk_;
    std::string dir_;
    bool passing_ = false;
};

/// The witnesses of the neighbouring practices, each with its own key, memory and address.
Result<std::vector<ServedWitness>> start_witnesses(Context& context, const Home& home,
                                                   std::span<const ledger::VerifierKey> logs) {
    std::vector<ServedWitness> witnesses;
    for (const std::string_view name : kWitnesses) {
        const WitnessHome witness(context.disk, home.witness(name));
        if (!witness.exists())
            TRY_STATUS(witness.create(context.random, std::string(name) + ".example/hygie"));
        for (const auto& log : logs) TRY_STATUS(witness.trust(log));
        witnesses.push_back(
            TRY(serve_witness(context.disk, context.clock, witness, "127.0.0.1:0")));
    }
    return witnesses;
}

/// "Two of these three" (C2SP tlog-policy).
std::string policy_text(std::span<const ledger::VerifierKey> logs,
                        std::span<const ServedWitness> witnesses) {
    std::string text;
    for (const auto& log : logs) text += fmt::format("log {}\n", log.str());
    for (std::size_t i = 0; i < witnesses.size(); ++i)
        text += fmt::format("witness {} {} {}\n", kWitnesses[i],
                            witnesses[i].witness->verifier().str(), witnesses[i].server->url());
    return text + fmt::format("group voisins {} {}\nquorum voisins\n", kQuorum,
                              fmt::join(kWitnesses, " "));
}

/// A practice at work: invented acts, one a second after the first ones, until it is destroyed.
class Practice {
  public:
    Practice(Context& context, OpenLedger opened)
        : doors_{context.disk, context.clock, context.random},
          clerk_(clerk_of(context, std::move(opened))),
          sampler_(seed(context.random), context.clock.now()) {}

    /// Appends until the ledger holds `events`, shows them to the witnesses, and goes on from
    /// there.
    Status begin(std::uint64_t events) {
        control_ = TRY(ControlListener::start(doors_, *clerk_));
        for (std::uint64_t size = clerk_->log().durable_size(); size < events;) {
            const std::uint64_t count = std::min<std::uint64_t>(kEventsPerBatch, events - size);
            TRY_STATUS(append(count));
            size += count;
        }
        TRY_STATUS(clerk_->appender().publish());
        worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
        return {};
    }

    const ledger::Appender& appender() const { return clerk_->appender(); }

    /// What went wrong since begin(), if anything did.
    Status end() {
        worker_ = {};
        control_.reset();
        return clerk_->close();
    }

  private:
    static std::uint64_t seed(Random& random) {
        const auto bytes = random.bytes<sizeof(std::uint64_t)>();
        return std::bit_cast<std::uint64_t>(bytes);
    }

    Status append(std::uint64_t count) {
        std::vector<ledger::Draft> drafts;
        while (drafts.size() < count) {
            event::Event event = sampler_.next();
            event.time = doors_.clock.now();
            event.id = event::print_uuid(event::make_uuid(event.time, doors_.random));
            drafts.push_back(TRY(ledger::draft_of(event)));
        }
        TRY(clerk_->append(std::move(drafts)));
        return {};
    }

    /// Ends early when the ledger stops taking entries: close() then says why.
    void work(const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        do wake.wait_for(lock, stop, kBetweenEvents, [] { return false; });
        while (!stop.stop_requested() && append(1));
    }

    ledger::Doors doors_;
    std::unique_ptr<LedgerClerk> clerk_;
    std::unique_ptr<ControlListener> control_;
    event::Sampler sampler_;
    std::jthread worker_;
};

/// What to try in another terminal.
std::array<std::string, 3> commands(const Home& home, const std::string& url) {
    const std::string hygie = shell_word(own_program());
    const std::string policy = shell_word(home.policy());
    const std::string proof = shell_word(home.proof());
    return {
        fmt::format("{} ledger verify {} --policy {} --max-age 1m", hygie, url, policy),
        fmt::format("{0} ledger prove {1} {2} -o {3} && {0} ledger check-proof {3} --policy {4}",
                    hygie, shell_word(home.ledger()), kProvenEntry, proof, policy),
        fmt::format("curl {}/checkpoint", url)};
}

void announce(Context& context, const Home& home, const std::string& url,
              const ledger::VerifierKey& key, std::span<const ServedWitness> witnesses) {
    const auto lines = commands(home, url);
    if (context.json) {
        nlohmann::json others = nlohmann::json::array();
        for (const auto& witness : witnesses)
            others.push_back(
                {{"url", witness.server->url()}, {"key", witness.witness->verifier().str()}});
        context.out
            << nlohmann::json{{"url", url},       {"state", home.dir()}, {"policy", home.policy()},
                              {"key", key.str()}, {"witnesses", others}, {"commands", lines}}
                   .dump()
            << "\n"
            << std::flush;
        return;
    }
    const std::array<Text, 3> what = {
        Text{"Tout recalculer, et exiger deux témoins de la dernière minute :",
             "Make every calculation again, and ask for two witnesses of the last minute:"},
        Text{"Prouver un acte, puis vérifier la pièce sans réseau :",
             "Prove one act, then check the exhibit without a network:"},
        Text{"Lire ce que le journal affirme, tel que les témoins l'ont signé :",
             "Read what the ledger claims, as the witnesses signed it:"}};
    context.out << fmt::format(
        fmt::runtime(context.say(
            {"Le journal d'un cabinet inventé est servi sur {}, et reçoit un acte par seconde.\n"
             "{} témoins le cosignent ; il en faut {}. Essayez dans un autre terminal :\n",
             "The ledger of an invented practice is served at {}, and takes one act a second.\n"
             "{} witnesses cosign it; {} are required. Try in another terminal:\n"})),
        url, witnesses.size(), kQuorum);
    for (std::size_t i = 0; i < lines.size(); ++i)
        context.out << fmt::format("\n  {}\n    {}\n", context.say(what[i]), lines[i]);
    context.out << "\n"
                << context.say(home.passing() ? Text{"Ctrl-C arrête et efface tout.",
                                                     "Ctrl-C stops and removes all."}
                                              : Text{"Ctrl-C arrête ; le dossier reste.",
                                                     "Ctrl-C stops; the folder stays."})
                << "\n"
                << std::flush;
}

Result<int> demo(Context& context) {
    const Home home = TRY(Home::open(context));
    if (!context.disk.exists(home.ledger()))
        TRY_STATUS(create_ledger(context, home.ledger(), kOrigin,
                                 []() -> Result<crypto::Sealing> { return sealing_beside(); }));
    const auto keys = TRY(own_keys(context, home.ledger()));
    const auto witnesses = TRY(start_witnesses(context, home, keys));
    const std::string policy = policy_text(keys, witnesses);
    TRY_STATUS(context.disk.replace_file(home.policy(), as_bytes(policy)));
    Practice practice(context,
                      TRY(open_ledger(context, home.ledger(), TRY(ledger::Policy::parse(policy)))));
    TRY_STATUS(practice.begin(context.values.number("--events")));
    serve::TileRoutes routes(context.disk, home.ledger());
    const auto server = TRY(serve::HttpServer::start(
        {.listen = "127.0.0.1:" + context.values.text("--port")}, context.clock,
        [&](const serve::Request& request) { return routes(request); }));
    announce(context, home, server->url(), keys.back(), witnesses);
    wait_while_well(context, practice.appender());
    server->stop();
    TRY_STATUS(practice.end());
    return kExitOk;
}

}  // namespace

std::vector<Command> demo_commands() {
    return {
        {.path = {"demo"},
         .summary = {"montre le journal d'un cabinet au travail",
                     "shows the ledger of a practice at work"},
         .description =
             {"Crée un journal, trois témoins et une politique « deux sur trois », y met des "
              "actes "
              "inventés, le sert sur cette machine seule, et dit quelles commandes essayer. Tout "
              "est "
              "réel, sauf les personnes. Sans --state, rien ne reste à la fin.",
              "Makes a ledger, three witnesses and a policy of two of the three, fills it with "
              "invented acts, serves it on this machine only, and says which commands to try. All "
              "is real, except the people. Without --state nothing is left at the end."},
         .options = {{.name = "--state",
                      .placeholder = "DIR",
                      .kind = Kind::Dir,
                      .help = {"garde la démonstration ici, et la reprend si elle y est déjà",
                               "keeps the demonstration here, and resumes the one that is there"}},
                     {.name = "--port",
                      .placeholder = "N",
                      .kind = Kind::Number,
                      .help = {"le port du journal ; 0 : le premier libre",
                               "the port of the ledger; 0: the first free one"},
                      .by_default = "0",
                      .max = 65535},
                     {.name = "--events",
                      .placeholder = "N",
                      .kind = Kind::Number,
                      .help = {"combien d'actes avant de commencer", "how many acts to begin with"},
                      .by_default = "2000",
                      .min = kProvenEntry + 1,
                      .max = 10'000'000}},
         .examples = {{"hygie demo", {"Regarder, puis Ctrl-C :", "Look, then Ctrl-C:"}},
                      {"hygie demo --state my-demo --port 8470",
                       {"La garder d'une fois à l'autre :",
                        "Keeping it from one time to the next:"}}},
         .run = demo}};
}

}  // namespace hygie::app
