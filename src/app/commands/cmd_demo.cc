#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <tuple>

#include "app/house/core.h"
#include "app/house/demo_practice.h"
#include "app/house/witness_home.h"
#include "app/ledger/ledger_desk.h"
#include "app/line/commands.h"
#include "serve/tile_routes.h"

namespace hygie::app {
namespace {

constexpr char kOrigin[] = "demo.hygie.example/journal";
constexpr std::array<std::string_view, 3> kWitnesses = {"temoin-a", "temoin-b", "temoin-c"};
constexpr std::size_t kQuorum = 2;
constexpr std::uint64_t kProvenEntry = 42;
constexpr std::uint64_t kActsTogether = 64;

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

/// The practice at work: its staff reads records, through the same door as everybody, one act
/// every so often after the first ones, until it is destroyed.
class Work {
  public:
    Work(Store& store, Core& core, const DemoPractice& practice)
        : store_(store), core_(core), practice_(practice) {}

    /// Acts until the ledger holds `events`, shows them to the witnesses, and goes on from there.
    Status begin(std::uint64_t events, std::chrono::seconds every) {
        LedgerClerk& clerk = store_.clerk();
        while (clerk.log().durable_size() < events && clerk.appender().health()) {
            std::vector<std::future<void>> acts;
            const auto left = events - clerk.log().durable_size();
            for (std::uint64_t i = 0; i < std::min<std::uint64_t>(left, kActsTogether); ++i)
                acts.push_back(act());
            for (auto& done : acts) done.wait();
        }
        TRY_STATUS(clerk.appender().publish());
        if (every == std::chrono::seconds::zero()) return {};
        worker_ = std::jthread([this, every](const std::stop_token& stop) { work(stop, every); });
        return {};
    }

  private:
    /// Somebody of the staff opens a record, or looks something up in it.
    std::future<void> act() {
        const std::uint64_t number = number_++;
        const std::string& patient = practice_.patients[number % practice_.patients.size()];
        const std::array<std::pair<std::string, std::string>, 3> asked = {
            std::pair(std::string("/fhir/Patient/") + patient, std::string()),
            {"/fhir/Observation", fmt::format("patient={}&_sort=-date&_count=5", patient)},
            {"/fhir/Appointment", fmt::format("patient={}", patient)}};
        http::Request request;
        request.method = "GET";
        std::tie(request.path, request.query) = asked[number % asked.size()];
        request.peer = "127.0.0.1";
        const DemoPerson& who = practice_.people[number / 3 % practice_.people.size()];
        auto done = std::make_shared<std::promise<void>>();
        auto future = done->get_future();
        core_.door().handle(access::actor_of(who.account, "demo", "", who.account.scopes),
                            std::move(request),
                            [done](const http::Response&) { done->set_value(); });
        return future;
    }

    /// Ends early when the ledger stops taking entries: closing it then says why.
    void work(const std::stop_token& stop, std::chrono::seconds every) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        do wake.wait_for(lock, stop, every, [] { return false; });
        while (!stop.stop_requested() && (act().wait(), store_.clerk().appender().health()));
    }

    Store& store_;
    Core& core_;
    const DemoPractice& practice_;
    std::uint64_t number_ = 0;
    std::jthread worker_;
};

/// What is running, to be told.
struct Shown {
    const Home& home;
    const Core& core;
    const DemoPractice& practice;
    const std::string& log_url;
    const ledger::VerifierKey& key;
    std::span<const ServedWitness> witnesses;
};

/// What to try in another terminal, with the ledger.
std::array<std::string, 3> commands(const Shown& shown) {
    const std::string hygie = shell_word(own_program());
    const std::string policy = shell_word(shown.home.policy());
    const std::string proof = shell_word(shown.home.proof());
    return {
        fmt::format("{} ledger verify {} --policy {} --max-age 1m", hygie, shown.log_url, policy),
        fmt::format("{0} ledger prove {1} {2} -o {3} && {0} ledger check-proof {3} --policy {4}",
                    hygie, shell_word(shown.home.ledger()), kProvenEntry, proof, policy),
        fmt::format("curl {}/checkpoint", shown.log_url)};
}

/// And with the records: as the physician, then as the patient herself.
std::array<std::string, 3> curls(const Shown& shown) {
    const DemoPerson& doctor = shown.practice.one(access::Role::Care, "team");
    const DemoPerson& patient = shown.practice.one(access::Role::Patient);
    const auto line = [&](const DemoPerson& who, const std::string& what) {
        return fmt::format("curl --silent --cacert {} --header 'Authorization: Bearer {}' '{}/{}'",
                           shell_word(shown.core.authority()), who.token, shown.core.fhir(), what);
    };
    const std::string& id = shown.practice.patients.front();
    return {
        line(doctor, "Patient?_count=5&_elements=name,birthDate&_pretty=true"),
        line(doctor, fmt::format("Observation?patient={}&_sort=-date&_count=3&_pretty=true", id)),
        line(patient, fmt::format("AuditEvent?patient={}&_count=3&_pretty=true", id))};
}

nlohmann::json json_of(const Shown& shown) {
    nlohmann::json witnesses = nlohmann::json::array();
    for (const auto& witness : shown.witnesses)
        witnesses.push_back(
            {{"url", witness.server->url()}, {"key", witness.witness->verifier().str()}});
    nlohmann::json accounts = nlohmann::json::array();
    for (const DemoPerson& one : shown.practice.people)
        accounts.push_back({{"user", one.account.login.str()},
                            {"name", one.account.name},
                            {"role", access::name_of(one.account.role)},
                            {"profession", one.account.profession},
                            {"person", one.account.person},
                            {"circle", one.circle},
                            {"password", one.password},
                            {"token", one.token}});
    return {{"url", shown.core.url()},
            {"fhir", shown.core.fhir()},
            {"ca_file", shown.core.authority()},
            {"state", shown.home.dir()},
            {"accounts", accounts},
            {"patients", shown.practice.patients},
            {"curl", curls(shown)},
            {"ledger", shown.log_url},
            {"policy", shown.home.policy()},
            {"key", shown.key.str()},
            {"witnesses", witnesses},
            {"commands", commands(shown)}};
}

void list_people(Context& context, const Shown& shown) {
    for (const DemoPerson& one : shown.practice.people)
        context.out << fmt::format("  {:<22} {:<11} {:<24} {}\n", one.account.login.str(),
                                   access::name_of(one.account.role), one.password,
                                   one.account.name);
}

void list_lines(Context& context, std::span<const Text> what, std::span<const std::string> lines) {
    for (std::size_t i = 0; i < lines.size(); ++i)
        context.out << fmt::format("\n  {}\n    {}\n", context.say(what[i]), lines[i]);
}

void announce(Context& context, const Shown& shown) {
    if (context.json) {
        context.out << json_of(shown).dump() << "\n" << std::flush;
        return;
    }
    context.out << fmt::format(
        fmt::runtime(context.say({"Un cabinet inventé de {} patients est ouvert sur {}\n"
                                  "Ses gens, et leurs mots de passe d'aujourd'hui :\n",
                                  "An invented practice of {} patients is open at {}\n"
                                  "Its people, and their passwords of today:\n"})),
        shown.practice.patients.size(), shown.core.url());
    list_people(context, shown);
    constexpr auto kCurls = std::to_array<std::pair<const char*, const char*>>(
        {{"La médecin cherche ses patients :", "The physician looks for her patients:"},
         {"Elle lit les dernières mesures de l'un d'eux :", "She reads the last results of one:"},
         {"Lui voit qui a ouvert son dossier :", "He sees who opened his record:"}});
    std::vector<Text> what;
    for (const auto& [french, english] : kCurls) what.push_back({french, english});
    list_lines(context, what, curls(shown));
    context.out << fmt::format(
        fmt::runtime(context.say({"\nChaque accès est au journal, servi sur {}. {} témoins le "
                                  "cosignent ; il en faut {}.\n",
                                  "\nEach access is in the ledger, served at {}. {} witnesses "
                                  "cosign it; {} are required.\n"})),
        shown.log_url, shown.witnesses.size(), kQuorum);
    const std::array<Text, 3> of_ledger = {
        Text{"Tout recalculer, et exiger deux témoins de la dernière minute :",
             "Make every calculation again, and ask for two witnesses of the last minute:"},
        Text{"Prouver un acte, puis vérifier la pièce sans réseau :",
             "Prove one act, then check the exhibit without a network:"},
        Text{"Lire ce que le journal affirme, tel que les témoins l'ont signé :",
             "Read what the ledger claims, as the witnesses signed it:"}};
    list_lines(context, of_ledger, commands(shown));
    context.out << "\n"
                << context.say(shown.home.passing() ? Text{"Ctrl-C arrête et efface tout.",
                                                           "Ctrl-C stops and removes all."}
                                                    : Text{"Ctrl-C arrête ; le dossier reste.",
                                                           "Ctrl-C stops; the folder stays."})
                << "\n"
                << std::flush;
}

/// Everything that runs, from the first act to Ctrl-C.
Result<int> run_house(Context& context, const Home& home, bool is_first) {
    const CoreDirs dirs(home.dir());
    const crypto::RootKey root = TRY(unlock_ledger(context, dirs.ledger()));
    const auto keys = TRY(own_keys(context, home.ledger()));
    const auto witnesses = TRY(start_witnesses(context, home, keys));
    const std::string policy = policy_text(keys, witnesses);
    TRY_STATUS(context.disk.replace_file(home.policy(), as_bytes(policy)));
    const auto store = TRY(Store::open(context, dirs, root, TRY(ledger::Policy::parse(policy))));
    DemoPractice practice = TRY(move_in(context, *store, dirs, root, is_first));
    {
        const auto core = TRY(Core::start(context, dirs, root, *store,
                                          {.listen = "127.0.0.1:" + context.values.text("--port"),
                                           .notify = context.values.list("--notify")}));
        TRY_STATUS(open_accounts(context, *core, practice));
        Work work(*store, *core, practice);
        TRY_STATUS(work.begin(context.values.number("--events"),
                              std::chrono::seconds(context.values.number("--every"))));
        serve::TileRoutes routes(context.disk, home.ledger());
        const auto log = TRY(serve::HttpServer::start(
            {.listen = "127.0.0.1:0"}, context.clock,
            [&](const serve::Request& request) { return routes(request); }));
        context.expect_stop();
        announce(context, {home, *core, practice, log->url(), keys.back(), witnesses});
        wait_while_well(context, store->clerk().appender());
        log->stop();
        core->stop();
    }
    TRY_STATUS(store->close());
    return kExitOk;
}

Result<int> demo(Context& context) {
    const Home home = TRY(Home::open(context));
    const bool is_first = !ledger::holds_ledger(context.disk, home.ledger());
    if (is_first)
        TRY(create_ledger(context, home.ledger(), kOrigin,
                          []() -> Result<crypto::Sealing> { return sealing_beside(); }));
    return run_house(context, home, is_first);
}

}  // namespace

std::vector<Command> demo_commands() {
    return {
        {.path = {"demo"},
         .summary = {"ouvre un cabinet inventé : dossiers, comptes, journal",
                     "opens an invented practice: records, accounts, ledger"},
         .description =
             {"Seize patients français inventés, leurs dossiers FHIR, leurs soignants, un agenda "
              "d'aujourd'hui ; un journal que trois témoins cosignent. Donne à chacun un mot de "
              "passe et un jeton, et dit quelles commandes essayer, sur cette machine seule. Tout "
              "est réel, sauf les personnes. Sans --state, rien ne reste à la fin.",
              "Sixteen invented French patients, their FHIR records, who treats them, an agenda of "
              "today; a ledger that three witnesses cosign. Gives everybody a password and a "
              "token, "
              "and says which commands to try, on this machine only. All is real, except the "
              "people. Without --state nothing is left at the end."},
         .options = {{.name = "--state",
                      .placeholder = "DIR",
                      .kind = Kind::Dir,
                      .help = {"garde la démonstration ici, et la reprend si elle y est déjà",
                               "keeps the demonstration here, and resumes the one that is there"}},
                     {.name = "--port",
                      .placeholder = "N",
                      .kind = Kind::Number,
                      .help = {"le port HTTPS ; 0 : le premier libre",
                               "the HTTPS port; 0: the first free one"},
                      .by_default = "0",
                      .max = 65535},
                     {.name = "--events",
                      .placeholder = "N",
                      .kind = Kind::Number,
                      .help = {"combien d'actes avant de commencer", "how many acts to begin with"},
                      .by_default = "300",
                      .min = kProvenEntry + 1,
                      .max = 10'000'000},
                     {.name = "--every",
                      .placeholder = "SECONDS",
                      .kind = Kind::Number,
                      .help = {"puis un acte toutes les tant de secondes ; 0 : plus aucun",
                               "then one act every so many seconds; 0: none any more"},
                      .by_default = "1",
                      .max = 3600},
                     notify_option()},
         .examples = {{"hygie demo", {"Regarder, puis Ctrl-C :", "Look, then Ctrl-C:"}},
                      {"hygie demo --state my-demo --port 8470",
                       {"La garder d'une fois à l'autre :",
                        "Keeping it from one time to the next:"}}},
         .run = demo}};
}

}  // namespace hygie::app
