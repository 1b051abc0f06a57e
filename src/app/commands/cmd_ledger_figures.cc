#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/ledger/ledger_bound.h"
#include "app/line/commands.h"
#include "app/line/context.h"
#include "app/line/progress.h"
#include "crypto/keyring.h"
#include "event/uuid.h"
#include "ledger/log/appender.h"
#include "ledger/proofs/completeness.h"
#include "ledger/proofs/tlog_proof.h"
#include "ledger/proofs/verifier.h"

namespace hygie::app {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kEntryBytes = 200;
constexpr std::size_t kActors = 10'000;
constexpr std::size_t kPatients = 100'000;
constexpr std::size_t kDraftsMade = 1 << 18;
constexpr std::size_t kBatch = 1024;
constexpr std::size_t kJobsInFlight = 6;
constexpr double kOfferedPerSecond = 100'000;
constexpr std::size_t kOfferedPerJob = 10;
constexpr std::uint64_t kProofs = 100'000;

double seconds_since(SteadyClock::time_point start) {
    return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values,
                             values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

/// One line of the table.
struct Row {
    std::string what;
    double value;
    std::string unit;
    std::string reach;  ///< what the project set out to reach
};

/// Events whose entries are kEntryBytes long, about many people.
class Drafts {
  public:
    explicit Drafts(Context& context) : random_(context.random) {
        made_.reserve(kDraftsMade);
        for (std::size_t i = 0; i < kDraftsMade; ++i) made_.push_back(make(context));
    }

    /// To be lent: they stay.
    std::span<const ledger::Draft> next(std::size_t count) {
        if (at_ + count > made_.size()) at_ = 0;
        return std::span(made_).subspan(std::exchange(at_, at_ + count), count);
    }

    static ActorId actor(std::size_t number) { return ActorId(fmt::format("actor-{:05}", number)); }
    static PatientId patient(std::size_t number) {
        return PatientId(fmt::format("patient-{:06}", number));
    }

  private:
    ledger::Draft make(Context& context) {
        event::Event event;
        event.id = event::print_uuid(event::make_uuid(context.clock.now(), random_));
        event.type = event::Type::RecordRead;
        event.action = event::Action::Read;
        event.time = context.clock.now();
        event.source = SourceId("records");
        event.node = NodeId("bench");
        const std::uint64_t chance = load_be<std::uint64_t>(random_.bytes<8>().data());
        event.actor.id = actor(chance % kActors);
        event.subject.patient = patient((chance >> 20) % kPatients);
        event.subject.object = ObjectId(fmt::format("Obs/{}", made_.size()));
        event.purpose = "TREAT";
        ledger::Draft draft = *ledger::draft_of(event);
        const std::size_t entry = kHeaderBytes + draft.body.size() + crypto::kTagBytes;
        event.query.assign(entry < kEntryBytes ? kEntryBytes - entry - kQueryHeadBytes : 0, 'q');
        return *ledger::draft_of(event);
    }

    static constexpr std::size_t kHeaderBytes = 57;  ///< of an entry some millions into a log
    static constexpr std::size_t kQueryHeadBytes =
        3;  ///< key and length of the field that fills up
    Random& random_;
    std::vector<ledger::Draft> made_;
    std::size_t at_ = 0;
};

/// Lets a caller go on only while few of its jobs wait, and collects what they took.
class InFlight {
  public:
    explicit InFlight(std::size_t jobs_max) : jobs_max_(jobs_max) {}

    void enter() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return jobs_ < jobs_max_; });
        ++jobs_;
    }
    void leave(bool durable, double latency_us) {
        const std::lock_guard lock(mutex_);
        --jobs_;
        if (durable)
            latencies_.push_back(latency_us);
        else
            ++failed_;
        changed_.notify_all();
    }
    std::vector<double> wait_all() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return jobs_ == 0; });
        return std::exchange(latencies_, {});
    }
    std::size_t failed() const { return failed_; }

  private:
    const std::size_t jobs_max_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t jobs_ = 0;
    std::size_t failed_ = 0;
    std::vector<double> latencies_;
};

class Bench {
  public:
    Bench(Context& context, std::string dir)
        : context_(context),
          dir_(std::move(dir)),
          log_dir_(join(dir_, "ledger")),
          drafts_(context) {}

    Status run() {
        const crypto::Secret32 root{context_.random.bytes<32>()};
        const ledger::Doors doors{context_.disk, context_.clock, context_.random};
        TRY_STATUS(ledger::Log::init(doors, log_dir_, "bench.example/ledger", root));
        {
            auto log = TRY(ledger::Log::open(doors, log_dir_, root));
            TRY_STATUS(throughput(*log));
            TRY_STATUS(fill(*log));
            TRY_STATUS(latency(*log));
            TRY_STATUS(log->close());
        }
        auto log = TRY(ledger::Log::open(doors, log_dir_, root));
        storage(*log);
        TRY_STATUS(query(*log));
        TRY_STATUS(shred(*log));
        TRY_STATUS(proofs(*log));
        exhibit();
        return verification(*log);
    }

    const std::vector<Row>& rows() const { return rows_; }

  private:
    void add(std::string what, double value, std::string unit, std::string reach) {
        rows_.push_back({std::move(what), value, std::move(unit), std::move(reach)});
        if (!context_.json)
            context_.out << fmt::format("| {:<58} | {:>12.4g} {:<10} | {:<14} |", rows_.back().what,
                                        value, rows_.back().unit, rows_.back().reach)
                         << std::endl;
    }

    struct Pace {
        double per_second;
        double processor_us;  ///< an entry, over all threads, the maker of events included
    };

    /// Appends in jobs of kBatch for some seconds, or until the log has `until` entries.
    Result<Pace> append_for(ledger::Log& log, std::size_t batch_max, double seconds,
                            std::uint64_t until) {
        InFlight in_flight(kJobsInFlight);
        const std::uint64_t before = log.durable_size();
        ledger::Appender appender(log, {}, {.batch_max = batch_max});
        const std::clock_t worked = std::clock();
        const auto start = SteadyClock::now();
        while (seconds_since(start) < seconds && log.durable_size() < until) {
            in_flight.enter();
            appender.submit_lent(drafts_.next(kBatch),
                                 [&](const ledger::Appender::Sequences& done) {
                                     in_flight.leave(done.has_value(), 0);
                                 });
        }
        in_flight.wait_all();
        const double appended = static_cast<double>(log.durable_size() - before);
        const double rate = appended / seconds_since(start);
        TRY_STATUS(appender.health());
        // Leaves the log open: the appender only finishes what it began.
        TRY_STATUS(appender.finish());
        return Pace{rate,
                    static_cast<double>(std::clock() - worked) * 1e6 / CLOCKS_PER_SEC / appended};
    }

    Status throughput(ledger::Log& log) {
        const double seconds = static_cast<double>(context_.values.number("--seconds"));
        const std::uint64_t rounds = context_.values.number("--rounds");
        std::vector<double> bounds, ours, wide, shares, wide_shares, processor;
        for (std::uint64_t round = 0; round < rounds; ++round) {
            bounds.push_back(TRY(measure_bound(dir_, kBatch, kEntryBytes, seconds)));
            const Pace pace = TRY(append_for(log, kBatch, seconds, UINT64_MAX));
            ours.push_back(pace.per_second);
            processor.push_back(pace.processor_us);
            wide.push_back(TRY(append_for(log, 4 * kBatch, seconds, UINT64_MAX)).per_second);
            shares.push_back(ours.back() / bounds.back());
            wide_shares.push_back(wide.back() / bounds.back());
        }
        add("bound: hash, write, fdatasync, sign; 1,024 per batch", median(bounds), "/s", "");
        add("durable appends, all on, batches of at most 1,024", median(ours), "/s",
            ">= 0.7 bound");
        add("  share of the bound in the same minute", median(shares), "", ">= 0.7");
        add("  processor time an entry, all threads", median(processor), "us", "");
        add("durable appends, all on, batches of at most 4,096", median(wide), "/s", "");
        add("  share of the bound at 1,024", median(wide_shares), "", "");
        return {};
    }

    Status fill(ledger::Log& log) {
        const std::uint64_t wanted = context_.values.number("--entries");
        if (log.durable_size() < wanted) TRY(append_for(log, 4 * kBatch, 1e9, wanted));
        add("entries in the log from here on", static_cast<double>(log.durable_size()), "", "");
        return {};
    }

    /// Offers events at a fixed pace, whatever the answers: a slow moment is paid by all that it
    /// delays. First lets the disk write back what filling left: no ledger fills at full speed for
    /// minutes and then slows to a tenth.
    Status latency(ledger::Log& log) {
        ledger::Snapshot filled = TRY(log.snapshot());
        TRY_STATUS(log.settle(filled));
        const double seconds = 2 * static_cast<double>(context_.values.number("--seconds"));
        InFlight in_flight(SIZE_MAX);
        ledger::Appender appender(log, {}, {});
        const auto start = SteadyClock::now();
        const auto jobs = static_cast<std::uint64_t>(seconds * kOfferedPerSecond / kOfferedPerJob);
        for (std::uint64_t job = 0; job < jobs; ++job) {
            const double due = static_cast<double>(job * kOfferedPerJob) / kOfferedPerSecond;
            while (seconds_since(start) < due)
                std::this_thread::sleep_for(std::chrono::microseconds(20));
            in_flight.enter();
            appender.submit_lent(
                drafts_.next(kOfferedPerJob), [&, due](const ledger::Appender::Sequences& done) {
                    in_flight.leave(done.has_value(), (seconds_since(start) - due) * 1e6);
                });
        }
        std::vector<double> latencies = in_flight.wait_all();
        TRY_STATUS(appender.finish());
        std::ranges::sort(latencies);
        const auto at = [&](double share) {
            return latencies[static_cast<std::size_t>(share *
                                                      static_cast<double>(latencies.size() - 1))] /
                   1000;
        };
        add("latency at 100,000/s offered, p50", at(0.5), "ms", "<= 1");
        add("latency at 100,000/s offered, p99", at(0.99), "ms", "<= 5");
        add("latency at 100,000/s offered, p99.9", at(0.999), "ms", "<= 20");
        return {};
    }

    void storage(const ledger::Log& log) {
        std::uint64_t bytes = 0;
        for (const auto& file : std::filesystem::recursive_directory_iterator(log_dir_))
            if (file.is_regular_file()) bytes += file.file_size();
        add("bytes on disk per byte of entry, index and keys included",
            static_cast<double>(bytes) / static_cast<double>(log.applied_size() * kEntryBytes), "",
            "<= 1.20");
    }

    Status query(ledger::Log& log) {
        const auto flush_start = SteadyClock::now();
        const ledger::SequenceRange range = TRY(log.flush_index());
        ledger::Snapshot snapshot = TRY(log.snapshot());
        TRY_STATUS(log.publish(snapshot, {}));
        const double flush_ms = seconds_since(flush_start) * 1e3;
        ledger::DirReader reader(context_.disk, log_dir_);
        const auto checkpoint = TRY(ledger::read_checkpoint(reader));
        std::vector<double> times;
        std::size_t found = 0;
        std::size_t bytes = 0;
        std::size_t verified = 0;
        double check_ms = 0;
        for (std::size_t i = 0; i < kQueries; ++i) {
            ledger::TileCache tiles(reader);
            const auto start = SteadyClock::now();
            const auto tokens = log.keys().known_actor_tokens(Drafts::actor(i * 997 % kActors));
            const auto proof = TRY(ledger::prove_completeness(log.index(), reader, tiles,
                                                              checkpoint, tokens.at(0), range));
            for (const auto& entry : proof.entries)
                TRY(log.keys().unseal(TRY(ledger::parse_entry(entry.bytes)), log.sources()));
            times.push_back(seconds_since(start) * 1e3);
            found = proof.entries.size();
            bytes = proof.encode().size();
            const auto check_start = SteadyClock::now();
            verified = TRY(ledger::check_completeness(
                               proof, ledger::Policy::trusting(log.signer().verifier()), {}))
                           .entries.size();
            check_ms = seconds_since(check_start) * 1e3;
        }
        if (verified != found)
            return fail(Code::Corrupt, {"preuve incohérente", "incoherent proof"}, {});
        add("all traces of one actor, unsealed, with completeness proof", median(times), "ms",
            "<= 1,000");
        add("  entries in the last answer", static_cast<double>(found), "", "");
        add("  size of its proof, entries included", static_cast<double>(bytes), "bytes", "");
        add("  checking it, without any key", check_ms, "ms", "");
        add("  once before: write the index out, log and show it", flush_ms, "ms", "");
        return {};
    }

    Status shred(ledger::Log& log) {
        std::vector<double> times;
        event::Event why;
        why.time = context_.clock.now();
        why.retention = event::Retention::Control3Years;
        why.actor.id = ActorId("dpo");
        for (std::size_t i = 0; i < kQueries; ++i) {
            const auto start = SteadyClock::now();
            TRY(log.shred(Drafts::patient(i * 7919 % kPatients), std::nullopt, why));
            times.push_back(seconds_since(start) * 1e3);
        }
        add("shred one patient, logged", median(times), "ms", "<= 50");
        return {};
    }

    Status proofs(ledger::Log& log) {
        ledger::Snapshot snapshot = TRY(log.snapshot());
        TRY_STATUS(log.publish(snapshot, {}));
        ledger::DirReader reader(context_.disk, log_dir_);
        ledger::TileCache tiles(reader, 4096);
        const std::uint64_t size = snapshot.size;
        const std::uint64_t hot = std::min<std::uint64_t>(size, 256 * ledger::kTileHashes);
        ledger::TileHashes hashes(tiles, size);
        for (std::uint64_t i = 0; i < hot; i += ledger::kTileHashes)
            TRY(ledger::prove_inclusion(hashes, i, size));
        auto start = SteadyClock::now();
        ledger::Proof proof;
        for (std::uint64_t i = 0; i < kProofs; ++i)
            proof = TRY(ledger::prove_inclusion(hashes, i * 7919 % hot, size));
        add("inclusion proof, generated hot", seconds_since(start) / kProofs * 1e6, "us", "<= 5");
        const std::uint64_t index = (kProofs - 1) * 7919 % hot;
        const ledger::Bundle bundle =
            TRY(ledger::read_bundle(reader, {index / ledger::kTileHashes}));
        const crypto::Hash leaf = crypto::leaf_hash(bundle.entries[index % ledger::kTileHashes]);
        start = SteadyClock::now();
        for (std::uint64_t i = 0; i < kProofs; ++i)
            TRY_STATUS(ledger::verify_inclusion(leaf, index, size, snapshot.root, proof));
        add("inclusion proof, verified, signatures apart", seconds_since(start) / kProofs * 1e6,
            "us", "<= 4");
        return {};
    }

    /// The longest proof a log of 10⁹ entries can ask for, written out with three cosignatures.
    void exhibit() {
        constexpr std::uint64_t kSize = 1'000'000'000;
        constexpr std::size_t kHashes = 30;
        const auto signer = [&](const std::string& name, ledger::KeyType type) {
            return ledger::NoteSigner(
                name, type,
                crypto::SigningKey::from_seed(crypto::Secret32(context_.random.bytes<32>())));
        };
        ledger::TlogProof proof{
            {},
            kSize - 1,
            ledger::Proof(kHashes),
            ledger::sign_checkpoint({"practice.example/ledger", kSize, {}, {}},
                                    signer("practice.example/ledger", ledger::KeyType::Ed25519))};
        for (const char* name : {"witness.example/a", "witness.example/b", "witness.example/c"})
            proof.checkpoint.note.signatures.push_back(
                signer(name, ledger::KeyType::Cosignature)
                    .cosign(proof.checkpoint.note.text, 1'800'000'000));
        add("proof file at 10^9 entries with three cosignatures",
            static_cast<double>(proof.encode().size()), "bytes", "<= 2,000");
    }

    Status verification(const ledger::Log& log) {
        ledger::DirReader reader(context_.disk, log_dir_);
        const auto policy = ledger::Policy::trusting(log.signer().verifier());
        for (const unsigned threads : {1u, 2u}) {
            ledger::VerifyOptions options;
            options.threads = threads;
            const auto start = SteadyClock::now();
            const auto report = TRY(ledger::verify_log(reader, policy, options));
            add(fmt::format("full verification, {} thread{}", threads, threads == 1 ? "" : "s"),
                static_cast<double>(report.entries_checked) / seconds_since(start), "entries/s",
                threads == 1 ? ">= 3,000,000" : "");
        }
        return {};
    }

    static constexpr std::size_t kQueries = 5;
    Context& context_;
    const std::string dir_;
    const std::string log_dir_;
    Drafts drafts_;
    std::vector<Row> rows_;
};

Result<int> bench(Context& context) {
    const std::string dir =
        join(context.values.text("--dir"), "hygie-bench-" + to_hex(context.random.bytes<4>()));
    TRY_STATUS(context.disk.make_dirs(dir));
    Bench bench(context, dir);
    const Status done = bench.run();
    std::error_code ignored;
    std::filesystem::remove_all(dir, ignored);
    TRY_STATUS(done);
    if (context.json) {
        nlohmann::json rows = nlohmann::json::array();
        for (const Row& row : bench.rows())
            rows.push_back({{"what", row.what},
                            {"value", row.value},
                            {"unit", row.unit},
                            {"reach", row.reach}});
        context.out << rows.dump() << "\n";
    }
    return kExitOk;
}

}  // namespace

std::vector<Command> ledger_bench_commands() {
    return {{.path = {"ledger", "bench"},
             .summary = {"mesure le journal contre ce que permet cette machine",
                         "measures the ledger against what this machine allows"},
             .description = {"Entrées de 200 octets, chiffrées, indexées, tout en marche. La borne "
                             "est la boucle la plus simple qui "
                             "hache, écrit, synchronise et signe, mesurée dans la même minute. "
                             "Écrit dans un dossier neuf qu'il "
                             "retire à la fin.",
                             "Entries of 200 bytes, encrypted, indexed, everything on. The bound "
                             "is the simplest loop that hashes, "
                             "writes, syncs and signs, measured in the same minute. Writes in a "
                             "new folder that it removes at the end."},
             .options = {{.name = "--dir",
                          .placeholder = "DIR",
                          .kind = Kind::Dir,
                          .help = {"le disque à mesurer", "the disk to measure"},
                          .by_default = "."},
                         {.name = "--entries",
                          .placeholder = "N",
                          .kind = Kind::Number,
                          .help = {"taille du journal pour les recherches",
                                   "size of the ledger for the queries"},
                          .by_default = "10000000"},
                         {.name = "--seconds",
                          .placeholder = "N",
                          .kind = Kind::Number,
                          .help = {"durée de chaque mesure", "length of each measurement"},
                          .by_default = "4",
                          .min = 1,
                          .max = 600},
                         {.name = "--rounds",
                          .placeholder = "N",
                          .kind = Kind::Number,
                          .help = {"tours, entrelacés avec la borne",
                                   "rounds, interleaved with the bound"},
                          .by_default = "3",
                          .min = 1,
                          .max = 100}},
             .examples = {{"hygie ledger bench --dir /srv",
                           {"Mesurer le disque des données :", "Measure the data disk:"}},
                          {"hygie ledger bench --entries 100000000",
                           {"Cent millions d'entrées (25 Go) :",
                            "A hundred million entries (25 GB):"}}},
             .run = bench}};
}

}  // namespace hygie::app
