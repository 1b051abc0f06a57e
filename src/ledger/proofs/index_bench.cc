#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/check.h"
#include "event/codec.h"
#include "host/disk.h"
#include "host/random.h"
#include "ledger/index/index.h"
#include "ledger/log/entry.h"
#include "ledger/proofs/completeness.h"
#include "ledger/proofs/memory_log.h"

/// Builds an index of HYGIE_BENCH_ROWS rows (10⁶ by default; 10⁷ and 10⁸ are the figures of the
/// project) over 10⁴ actors, 10⁶ patients and as many objects as rows, all uniform: the least
/// compressible trace there is. Then asks for all traces of one actor, and proves them complete in
/// a log whose entries are made when they are read (its leaf hashes take 32 bytes of memory per
/// row).
namespace hygie::ledger {
namespace {

constexpr std::size_t kBatch = 1024;
constexpr std::uint64_t kActors = 10'000;
constexpr std::uint64_t kPatients = 1'000'000;

std::uint64_t rows_wanted() {
    const char* rows = std::getenv("HYGIE_BENCH_ROWS");
    return rows ? std::stoull(rows) : 1'000'000;
}

/// SplitMix64: keyed tokens look like its output.
crypto::Token token_of(std::uint64_t value) {
    value += 0x9E3779B97F4A7C15;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
    crypto::Token token;
    store_be(token.data(), value ^ (value >> 31));
    return token;
}

crypto::Token actor_token(std::uint64_t number) {
    return token_of(number);
}

std::uint64_t chance_of(std::uint64_t s) {
    return load_be<std::uint64_t>(token_of(s << 8).data());
}

crypto::Token actor_of(std::uint64_t s) {
    return actor_token(chance_of(s) % kActors);
}

std::vector<IndexRow> batch_of(std::uint64_t first, std::uint64_t count) {
    std::vector<IndexRow> rows(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t s = first + i;
        rows[i] = {s, WallTime(Micros(static_cast<std::int64_t>(s))), actor_of(s),
                   token_of(1'000'000'000 + (chance_of(s) >> 16) % kPatients), token_of(~s)};
    }
    return rows;
}

struct Place {
    std::string path = (std::filesystem::temp_directory_path() / "hygie-bench-XXXXXX").string();
    Place() { HYGIE_CHECK(::mkdtemp(path.data()) != nullptr, "a benchmark needs a directory"); }
    ~Place() { std::filesystem::remove_all(path); }

    std::uint64_t bytes() const {
        std::uint64_t total = 0;
        for (const auto& entry : std::filesystem::directory_iterator(path))
            total += entry.file_size();
        return total;
    }
};

crypto::Secret32 bench_key() {
    return crypto::Secret32(std::array<std::uint8_t, 32>{7});
}

struct Built {
    Place place;
    std::unique_ptr<QueryIndex> index;
    double seconds = 0;  ///< spent in the index, without making the rows
};

Built& built() {
    static Built once = [] {
        Built made;
        made.index = *QueryIndex::open(real_disk(), real_random(), made.place.path, bench_key());
        const std::uint64_t wanted = rows_wanted();
        for (std::uint64_t at = 0; at < wanted; at += kBatch) {
            const auto rows = batch_of(at, std::min<std::uint64_t>(kBatch, wanted - at));
            const SteadyTime start = std::chrono::steady_clock::now();
            HYGIE_CHECK(made.index->add(rows).has_value(), "the index takes the rows");
            const std::uint64_t end = made.index->covered_end();
            while ((end % IndexSizes().run_rows == 0 || end == wanted) &&
                   made.index->merge_step().value()) {
            }
            made.seconds +=
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        }
        return made;
    }();
    return once;
}

void BM_IndexBuild(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(&built());
    const auto rows = static_cast<double>(rows_wanted());
    state.counters["rows"] = rows;
    state.counters["ns_per_row"] = built().seconds * 1e9 / rows;
    state.counters["bytes_per_row"] = static_cast<double>(built().place.bytes()) / rows;
    state.counters["runs"] = static_cast<double>(built().index->runs());
}
BENCHMARK(BM_IndexBuild)->Iterations(1)->Unit(benchmark::kMillisecond);

void find_all(benchmark::State& state, Dimension dimension, const crypto::Token& token) {
    std::size_t found = 0;
    for (auto _ : state) {
        const auto ranges = built().index->find(dimension, token, {0, rows_wanted()});
        found = ranges->size();
    }
    state.counters["ranges"] = static_cast<double>(found);
}
void BM_FindActor(benchmark::State& state) {
    find_all(state, Dimension::Actor, actor_token(1234));
}
void BM_FindPatient(benchmark::State& state) {
    find_all(state, Dimension::Patient, token_of(1'000'000'000 + 4321));
}
void BM_FindObject(benchmark::State& state) {
    find_all(state, Dimension::Object, token_of(~std::uint64_t{777}));
}
BENCHMARK(BM_FindActor)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_FindPatient)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_FindObject)->Unit(benchmark::kMillisecond);

void BM_IndexOpen(benchmark::State& state) {
    built();
    for (auto _ : state)
        benchmark::DoNotOptimize(
            *QueryIndex::open(real_disk(), real_random(), built().place.path, bench_key()));
}
BENCHMARK(BM_IndexOpen)->Unit(benchmark::kMillisecond);

void BM_ActorRoot(benchmark::State& state) {
    std::vector<crypto::Token> actors;
    for (const IndexRow& row : batch_of(0, 1 << 20)) actors.push_back(row.actor);
    for (auto _ : state) benchmark::DoNotOptimize(actor_root(0, actors));
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * actors.size()));
}
BENCHMARK(BM_ActorRoot)->Unit(benchmark::kMillisecond);

// ---- a log as large as the index

/// Entry s < rows is a read by actor_of(s), made anew each time; the commitments of the index
/// follow.
class BenchLog final : public LogReader {
  public:
    explicit BenchLog(QueryIndex& index) : rows_(index.covered_end()) {
        HYGIE_CHECK(index.flush().has_value(), "the index flushes");
        for (const IndexCommitment& commitment : index.take_commitments()) {
            event::Event said;
            said.type = event::Type::IndexCommitted;
            said.retention = event::Retention::System;
            said.detail = commitment.detail();
            Header header;
            header.type = said.type;
            header.sequence = size();
            index.committed(commitment, size());
            tail_.push_back(
                memory::entry_of(header, Payload::Open, event::encode_body(said).value()));
        }
        hash_all();
    }

    std::uint64_t size() const { return rows_ + tail_.size(); }

    Result<Bytes> read(const std::string& path, std::size_t) override {
        Bytes out;
        if (const auto bundle = parse_bundle_path(path)) {
            for (std::size_t i = 0; i < bundle->width; ++i) {
                const Bytes entry = entry_at(bundle->index * kTileHashes + i);
                const std::size_t at = out.size();
                out.resize(at + 2);
                store_be(out.data() + at, static_cast<std::uint16_t>(entry.size()));
                append(out, entry);
            }
            return out;
        }
        const TileId tile = parse_tile_path(path).value();
        const crypto::Hash* first = &nodes_[tile.level][tile.index * kTileHashes];
        return to_bytes({first->data(), tile.width * sizeof(crypto::Hash)});
    }

  private:
    Bytes entry_at(std::uint64_t s) const {
        if (s >= rows_) return tail_[s - rows_];
        static const Bytes payload(140, 0xAB);
        Header header;
        header.type = event::Type::RecordRead;
        header.sequence = s;
        header.source = 2;
        header.actor = actor_of(s);
        return memory::entry_of(header, Payload::Sealed, payload);
    }
    void hash_all() {
        nodes_[0].reserve(size());
        for (std::uint64_t s = 0; s < size(); ++s)
            nodes_[0].push_back(crypto::leaf_hash(entry_at(s)));
        for (std::size_t level = 1; level < nodes_.size(); ++level) {
            const auto& below = nodes_[level - 1];
            for (std::size_t at = 0; at + kTileHashes <= below.size(); at += kTileHashes) {
                std::vector<crypto::Hash> tile(
                    below.begin() + static_cast<std::ptrdiff_t>(at),
                    below.begin() + static_cast<std::ptrdiff_t>(at + kTileHashes));
                nodes_[level].push_back(ExpandedTile(std::move(tile)).at(8, 0));
            }
        }
    }

    std::uint64_t rows_;
    std::vector<Bytes> tail_;
    std::array<std::vector<crypto::Hash>, kTileLevelsMax> nodes_;
};

struct Proving {
    BenchLog log{*built().index};
    NoteSigner signer{"bench.example", KeyType::Ed25519,
                      crypto::SigningKey::from_seed(bench_key())};
    SignedCheckpoint checkpoint = sign();

    SignedCheckpoint sign() {
        TileCache cache(log);
        TileHashes hashes(cache, log.size());
        return sign_checkpoint(
            {"bench.example", log.size(), root_of(hashes, log.size()).value(), {}}, signer);
    }
    CompletenessProof prove() {
        TileCache cache(log);
        return prove_completeness(*built().index, log, cache, checkpoint, actor_token(1234),
                                  {0, rows_wanted()})
            .value();
    }
};

Proving& proving() {
    static Proving once;
    return once;
}

void BM_ProveCompleteness(benchmark::State& state) {
    CompletenessProof proof = proving().prove();
    for (auto _ : state) proof = proving().prove();
    state.counters["entries"] = static_cast<double>(proof.entries.size());
    state.counters["bytes"] = static_cast<double>(proof.encode().size());
}
BENCHMARK(BM_ProveCompleteness)->Unit(benchmark::kMillisecond);

void BM_CheckCompleteness(benchmark::State& state) {
    const CompletenessProof proof = proving().prove();
    const Policy policy = Policy::trusting(proving().signer.verifier());
    for (auto _ : state)
        HYGIE_CHECK(check_completeness(proof, policy, {}).has_value(), "an honest proof holds");
}
BENCHMARK(BM_CheckCompleteness)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hygie::ledger
