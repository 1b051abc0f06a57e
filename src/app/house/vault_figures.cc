#include "app/house/vault_figures.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "app/ledger/ledger_desk.h"
#include "app/line/progress.h"

namespace hygie::app {
namespace {

using Goal = VaultFigure::Goal;

constexpr std::uint32_t kNobodyIsHeld = 1'000'000;  ///< patients an hour
constexpr char kOrigin[] = "bench.example/vault";
constexpr std::size_t kImportConnections = 4;
constexpr Micros kImportTimeMax = std::chrono::hours(6);
constexpr Micros kOneAnswerMax = std::chrono::seconds(30);
constexpr Micros kWarmUp = std::chrono::seconds(1);
/// Reads choose from all ids of so many patients, and from as many of more patients, of all alike.
constexpr std::uint64_t kPatientsWhole = 320;
constexpr std::uint64_t kStride = 7'919;  ///< from one to the next: a prime, to hop about
constexpr double kImportReach = 6'900;
constexpr double kImportGrowthReach = 0.8;
constexpr std::uint64_t kMarkResources = 50'000;
constexpr double kBytesReach = 600;
constexpr double kStartReachMs = 300;
constexpr double kMemoryReachMb = 256;
constexpr double kPriceReach = 25;
constexpr double kMega = 1 << 20;
constexpr std::uint64_t kBlockBytes = 512;  ///< what st_blocks counts

const Text kPerSecond{"req/s", "req/s"};
const Text kMillis{"ms", "ms"};
const Text kPerRequest{"µs/req", "µs/req"};

double millis(std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

double peak_megabytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) * 1024 / kMega;
}

Micros busy_of(int who) {
    rusage usage{};
    getrusage(who, &usage);
    return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           Micros(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/// Processor time of this thread, which is the client's, and of all others.
struct Busy {
    Micros client = busy_of(RUSAGE_THREAD);
    Micros servers = busy_of(RUSAGE_SELF) - client;
};

/// What the files below a folder take on the disk.
std::uint64_t bytes_below(const std::string& dir) {
    std::uint64_t bytes = 0;
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator it(dir, error), end; !error && it != end;
         it.increment(error)) {
        struct stat about{};
        if (::lstat(it->path().c_str(), &about) == 0)
            bytes += static_cast<std::uint64_t>(about.st_blocks) * kBlockBytes;
    }
    return bytes;
}

access::Account account_of(std::string login, std::string name, access::Role role, WallTime since) {
    access::Account account;
    account.login = ActorId(std::move(login));
    account.name = std::move(name);
    account.role = role;
    account.since = since;
    account.end = since + std::chrono::days(1);
    return account;
}

}  // namespace

/// What runs; the core stops before what it stands on closes.
struct VaultBench::House {
    std::unique_ptr<Store> store;
    std::unique_ptr<Core> core;
};

VaultBench::VaultBench(Context& context, const VaultBenchData& data, Plan plan)
    : context_(context), data_(data), plan_(std::move(plan)), dirs_(plan_.dir) {}
VaultBench::~VaultBench() = default;

Status VaultBench::run() {
    TRY(create_core(context_, dirs_, kOrigin,
                    []() -> Result<crypto::Sealing> { return sealing_beside(); }));
    TRY_STATUS(open());
    TRY_STATUS(open_sessions());
    TRY_STATUS(import());
    TRY_STATUS(close());
    add({{"disque, tout compris, par ressource", "disk, all in, per resource"},
         static_cast<double>(bytes_below(plan_.dir)) / static_cast<double>(resources_),
         {"octets", "bytes"},
         Goal::AtMost,
         kBytesReach});
    TRY_STATUS(open_again({"", ""}, reader_token_));
    TRY_STATUS(ask());
    add({{fmt::format("mémoire au plus, client compris, {} ressources", resources_),
          fmt::format("peak memory, client included, {} resources", resources_)},
         peak_megabytes(),
         {"Mo", "MB"},
         Goal::AtMost,
         kMemoryReachMb});
    TRY_STATUS(close());
    return after_a_busy_day();
}

/// All that was asked was asked by one person: whose last day is read back before the first answer.
/// Another does not wait for it.
Status VaultBench::after_a_busy_day() {
    TRY_STATUS(open_again({", après ces accès, par un autre", ", after these accesses, by another"},
                          writer_token_));
    TRY_STATUS(close());
    TRY_STATUS(open_again(
        {", après ces accès, par qui les a faits", ", after these accesses, by who made them"},
        reader_token_));
    return close();
}

Status VaultBench::open() {
    const crypto::RootKey root = TRY(unlock_ledger(context_, dirs_.ledger()));
    house_ = std::make_unique<House>();
    house_->store = TRY(Store::open(context_, dirs_, root, std::nullopt));
    // One reader stands for all of the house: at that pace a person would be held.
    auto policy = std::make_shared<access::Policy>(access::default_policy());
    policy->rates.floor = kNobodyIsHeld;
    house_->core = TRY(Core::start(context_, dirs_, root, *house_->store, {.policy = policy}));
    return {};
}

Status VaultBench::close() {
    house_->core->stop();
    house_->core.reset();
    const Status closed = house_->store->close();
    house_.reset();
    return closed;
}

/// A program that writes, and somebody who treats everybody and reads.
Status VaultBench::open_sessions() {
    Core& core = *house_->core;
    const WallTime now = context_.clock.now();
    auto reader = account_of("jeanne.mesure", "Jeanne Mesure", access::Role::Care, now);
    reader.person = VaultBenchData::kReader;
    reader.profession = "10";
    auto writer = account_of("mesure-coffre", "Mesure du coffre", access::Role::Program, now);
    writer.sponsor = reader.login;
    writer.scopes = {"system/*.cruds"};
    TRY_STATUS(core.accounts().add(reader, reader.login));
    TRY_STATUS(core.accounts().add(writer, reader.login));
    const auto session = [&](const access::Account& account) {
        return core.open_session({.login = account.login,
                                  .auth = "bench",
                                  .client = {},
                                  .scopes = account.scopes,
                                  .lasts = access::kStaffSession});
    };
    reader_token_ = TRY(session(reader)).token.reveal();
    writer_token_ = TRY(session(writer)).token.reveal();
    return {};
}

serve::LoadPlan VaultBench::load(std::size_t connections) const {
    return {.url = bare_ ? bare_->url() : house_->core->url(),
            .authority = bare_ ? std::string() : house_->core->authority(),
            .connections = connections,
            .duration = plan_.each,
            .next = {}};
}

std::string VaultBench::get(const std::string& target, const std::string& token) const {
    if (bare_) return fmt::format("GET /fhir/{} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", target);
    return fmt::format(
        "GET /fhir/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\r\n", target,
        token);
}

std::string VaultBench::post(const std::string& body) const {
    return fmt::format(
        "POST /fhir/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n"
        "Content-Type: application/fhir+json\r\nPrefer: return=minimal\r\n"
        "Content-Length: {}\r\n\r\n{}",
        writer_token_, body.size(), body);
}

Status VaultBench::send(const std::string& bundle) {
    serve::LoadPlan plan = load(1);
    plan.requests_max = 1;
    plan.duration = kOneAnswerMax;
    plan.next = [&](std::uint64_t, std::string& out) { out += post(bundle); };
    const auto figures = TRY(serve::run_load(plan, context_.clock));
    if (figures.answers == 1 && figures.refusals == 0) return {};
    return fail(Code::BadInput, {"le cabinet est refusé", "the practice is refused"},
                {"essayez sans --data", "try without --data"});
}

/// Reads "location":"Type/id/_history/1" of each entry.
void VaultBench::note_stored(std::size_t patient, std::string_view answer) {
    constexpr std::string_view kLocation = R"("location":")";
    constexpr std::string_view kPatient = "Patient/";
    for (auto at = answer.find(kLocation); at != answer.npos; at = answer.find(kLocation, at)) {
        at += kLocation.size();
        const std::string_view reference = answer.substr(at, answer.find("/_history", at) - at);
        if (reference.starts_with(kPatient) && data_.has_code(patient))
            patients_.emplace_back(reference.substr(kPatient.size()));
        if (reference.starts_with("Organization") || reference.starts_with("Practitioner"))
            continue;
        if (seen_++ % std::max<std::uint64_t>(1, plan_.patients / kPatientsWhole) == 0)
            stored_.emplace_back(reference);
    }
}

Status VaultBench::import() {
    TRY_STATUS(send(data_.house()));
    Progress progress(context_, {"import", "import"}, plan_.patients);
    std::uint64_t taken = 0, answers = 0;
    const SteadyTime start = context_.clock.steady();
    std::vector<Mark> marks{{start, 0}};
    serve::LoadPlan plan = load(kImportConnections);
    plan.requests_max = plan_.patients;
    plan.duration = kImportTimeMax;
    plan.next = [&](std::uint64_t number, std::string& out) { out += post(data_.bundle(number)); };
    plan.seen = [&](std::uint64_t number, int status, ByteView body) {
        progress.at(++answers);
        if (status != 200) return;
        taken += data_.resources(number);
        if (taken >= marks.back().taken + kMarkResources)
            marks.push_back({context_.clock.steady(), taken});
        note_stored(number, as_text(body));
    };
    const auto figures = TRY(serve::run_load(plan, context_.clock));
    refused_ += figures.refusals + figures.failures;
    resources_ = house_->store->vault().counts().resources;
    const double seconds = std::chrono::duration<double>(figures.elapsed).count();
    add({{fmt::format("import de {} lots, {} connexions", figures.answers, kImportConnections),
          fmt::format("import of {} bundles, {} connections", figures.answers, kImportConnections)},
         static_cast<double>(taken) / seconds,
         {"ressources/s", "resources/s"},
         Goal::AtLeast,
         kImportReach});
    compare_import(marks);
    if (!patients_.empty()) return {};
    return fail(Code::BadInput,
                {"aucun patient importé n'a de poids : rien à chercher",
                 "no imported patient has a weight: nothing to search"},
                {"donnez d'autres dossiers", "give other records"});
}

/// The rate of the last stretch against that of the first, in one import: what growing costs.
void VaultBench::compare_import(const std::vector<Mark>& marks) {
    constexpr std::size_t kMarksMin = 5;  ///< the first is the start of an empty vault
    if (marks.size() < kMarksMin) return;
    const auto rate = [](const Mark& from, const Mark& to) {
        return static_cast<double>(to.taken - from.taken) /
               std::chrono::duration<double>(to.time - from.time).count();
    };
    const double first = rate(marks[0], marks[1]);
    const double last = rate(marks[marks.size() - 2], marks.back());
    const Text unit{"ressources/s", "resources/s"};
    const std::uint64_t each = marks[1].taken;
    add({{fmt::format("import, les {} premières", each), fmt::format("import, the first {}", each)},
         first,
         unit});
    add({{fmt::format("import, autant jusqu'à {}", marks.back().taken),
          fmt::format("import, as many up to {}", marks.back().taken)},
         last,
         unit});
    add({{"import : dernières ÷ premières", "import: last ÷ first"},
         last / first,
         {"", ""},
         Goal::AtLeast,
         kImportGrowthReach});
}

Status VaultBench::open_again(const Text& when, const std::string& token) {
    const auto start = context_.clock.steady();
    TRY_STATUS(open());
    serve::LoadPlan plan = load(1);
    plan.requests_max = 1;
    plan.next = [&](std::uint64_t, std::string& out) { out += get(stored_.front(), token); };
    const auto figures = TRY(serve::run_load(plan, context_.clock));
    refused_ += figures.refusals + figures.failures;
    add({{fmt::format("de l'ouverture à la première lecture, programme déjà chargé{}", when.fr),
          fmt::format("from opening to the first read, program already loaded{}", when.en)},
         millis(context_.clock.steady() - start),
         kMillis,
         Goal::AtMost,
         kStartReachMs});
    return {};
}

Result<VaultBench::Measured> VaultBench::measure(const Probe& probe) {
    serve::LoadPlan plan = load(probe.connections);
    plan.next = [&](std::uint64_t number, std::string& out) {
        out += get(probe.next(number), reader_token_);
    };
    plan.seen = [&](std::uint64_t, int status, ByteView body) {
        const std::string_view text = as_text(body);
        const bool is_search = text.starts_with(R"({"resourceType":"Bundle")");
        refused_ += status == 200 && is_search && !text.contains(R"("entry":[)");
    };
    plan.requests_max = plan_.requests;
    const Busy before;
    const auto figures = TRY(serve::run_load(plan, context_.clock));
    const Busy after;
    refused_ += figures.refusals + figures.failures;
    const auto row = [&](std::string_view fr, std::string_view en) {
        return Text{fmt::format("{}, {} connexions{}{}", probe.what.fr, probe.connections,
                                bare_ ? ", sans sécurité" : "", fr),
                    fmt::format("{}, {} connections{}{}", probe.what.en, probe.connections,
                                bare_ ? ", no security" : "", en)};
    };
    const double answers = std::max(1.0, static_cast<double>(figures.answers));
    const bool counts = !bare_;
    add({row("", ""), figures.per_second(), kPerSecond,
         counts && probe.per_second > 0 ? Goal::AtLeast : Goal::None, probe.per_second});
    add({row(", p50", ", p50"), millis(figures.p50), kMillis});
    add({row(", p99", ", p99"), millis(figures.p99), kMillis,
         counts && probe.p99_ms > 0 ? Goal::AtMost : Goal::None, probe.p99_ms});
    const auto each = [&](Micros busy) { return static_cast<double>(busy.count()) / answers; };
    const double server_us = each(after.servers - before.servers);
    add({row(", processeur du serveur", ", processor of the server"), server_us, kPerRequest});
    add({row(", processeur du client", ", processor of the client"),
         each(after.client - before.client), kPerRequest});
    return Measured{figures.per_second(), server_us};
}

/// Asks unmeasured, so that both measures of a price find the same in memory.
Status VaultBench::warm_up(const Probe& probe) {
    serve::LoadPlan plan = load(probe.connections);
    plan.duration = std::min(plan_.each, kWarmUp);
    plan.requests_max = plan_.requests;
    plan.next = [&](std::uint64_t number, std::string& out) {
        out += get(probe.next(number), reader_token_);
    };
    TRY(serve::run_load(plan, context_.clock));
    return {};
}

Status VaultBench::price(const Probe& probe, const Measured& guarded) {
    bare_ = TRY(BareDoor::start(context_, *house_->store));
    const auto without = measure(probe);
    bare_.reset();
    TRY(without);
    add({{fmt::format("{} : débit que coûte la sécurité", probe.what.fr),
          fmt::format("{}: throughput that security costs", probe.what.en)},
         100 * (1 - guarded.per_second / without->per_second),
         {"%", "%"},
         Goal::AtMost,
         kPriceReach});
    // With a client of its own machine this is what is left of the rate.
    add({{fmt::format("{} : processeur du serveur que coûte la sécurité", probe.what.fr),
          fmt::format("{}: processor of the server that security costs", probe.what.en)},
         guarded.server_us - without->server_us,
         kPerRequest});
    return {};
}

std::vector<VaultBench::Probe> VaultBench::probes() const {
    const auto some = [&](std::uint64_t number) {
        return static_cast<std::size_t>(number * kStride % plan_.patients);
    };
    const Next read = [&](std::uint64_t number) {
        return stored_[number * kStride % stored_.size()];
    };
    const Text reading{"lecture par id", "read by id"};
    return {
        {"read", reading, read, 64, 15'000, 15, true},
        {"read8", reading, read, 8, 2'800},
        {"inside",
         {"recherche chez un patient (code, tri)", "search inside a patient"},
         [&](std::uint64_t number) {
             return fmt::format(
                 "Observation?subject=Patient/{}&code=http://loinc.org%7C{}&_sort=-date",
                 patients_[number * kStride % patients_.size()], VaultBenchData::kCode);
         },
         64,
         7'000,
         20,
         true},
        {"name",
         {"recherche entre patients (nom)", "search across patients (name prefix)"},
         [=](std::uint64_t number) {
             return "Patient?name=" + VaultBenchData::name_prefix(some(number));
         },
         64,
         6'700,
         25,
         true},
        {"identifier",
         {"recherche entre patients (identifiant)", "search across patients (identifier)"},
         [=](std::uint64_t number) {
             std::string asked = "Patient?identifier=" + VaultBenchData::identifier(some(number));
             return asked.replace(asked.find('|'), 1, "%7C");
         },
         64,
         6'700,
         25},
        {"agenda",
         {"recherche entre patients (agenda d'un jour)", "search across patients (a day's agenda)"},
         [=](std::uint64_t number) {
             return "Appointment?date=" + VaultBenchData::day(some(number));
         },
         64,
         6'700,
         25},
    };
}

std::vector<std::string> VaultBench::questions() {
    return {"read", "read8", "inside", "name", "identifier", "agenda"};
}

Status VaultBench::ask() {
    for (const Probe& probe : probes()) {
        if (!plan_.only.empty() && std::ranges::find(plan_.only, probe.key) == plan_.only.end())
            continue;
        if (probe.priced) TRY_STATUS(warm_up(probe));
        const Measured guarded = TRY(measure(probe));
        if (probe.priced) TRY_STATUS(price(probe, guarded));
    }
    return {};
}

}  // namespace hygie::app
