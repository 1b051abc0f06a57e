#include <benchmark/benchmark.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/check.h"
#include "crypto/aead.h"
#include "crypto/ed25519.h"
#include "crypto/key_table.h"
#include "crypto/sha256.h"
#include "crypto/tokens.h"
#include "host/disk.h"
#include "host/random.h"

namespace hygie::crypto {
namespace {

constexpr std::size_t kBatch = 1024;
constexpr std::size_t kEntryBytes = 200;

Secret32 some_key() {
    const Hash hash = sha256(as_bytes("bench"));
    return Secret32(hash);
}

void per_item(benchmark::State& state, std::size_t items) {
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * items));
}

void bench_node_hashes(benchmark::State& state) {
    const std::vector<Hash> children(2 * kBatch, sha256(as_bytes("child")));
    std::vector<Hash> out(kBatch);
    for (auto _ : state) {
        node_hashes(children, out);
        benchmark::DoNotOptimize(out.data());
    }
    per_item(state, kBatch);
}
BENCHMARK(bench_node_hashes);

void bench_leaf_hashes(benchmark::State& state) {
    const auto entry_bytes = static_cast<std::size_t>(state.range(0));
    const Bytes bytes(kBatch * entry_bytes, 7);
    std::vector<ByteView> entries;
    for (std::size_t i = 0; i < kBatch; ++i)
        entries.push_back(ByteView(bytes).subspan(i * entry_bytes, entry_bytes));
    std::vector<Hash> out(kBatch);
    for (auto _ : state) {
        leaf_hashes(entries, out);
        benchmark::DoNotOptimize(out.data());
    }
    per_item(state, kBatch);
}
BENCHMARK(bench_leaf_hashes)->Arg(kEntryBytes)->Arg(300)->Arg(1024);

void bench_leaf_hash(benchmark::State& state) {
    const Bytes entry(kEntryBytes, 7);
    for (auto _ : state) benchmark::DoNotOptimize(leaf_hash(entry));
    per_item(state, 1);
}
BENCHMARK(bench_leaf_hash);

void bench_node_hash(benchmark::State& state) {
    const Hash child = sha256(as_bytes("child"));
    for (auto _ : state) benchmark::DoNotOptimize(node_hash(child, child));
    per_item(state, 1);
}
BENCHMARK(bench_node_hash);

void bench_sha256(benchmark::State& state) {
    const Bytes bytes(static_cast<std::size_t>(state.range(0)), 7);
    for (auto _ : state) benchmark::DoNotOptimize(sha256(bytes));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(bench_sha256)->Arg(32)->Arg(kEntryBytes)->Arg(64 << 10);

void bench_blind(benchmark::State& state) {
    const Secret32 key = some_key();
    for (auto _ : state) benchmark::DoNotOptimize(blind(key, "actor", "810001234567"));
    per_item(state, 1);
}
BENCHMARK(bench_blind);

void bench_derive(benchmark::State& state) {
    const Secret32 key = some_key();
    for (auto _ : state) benchmark::DoNotOptimize(derive(key, "ledger/actor/3"));
}
BENCHMARK(bench_derive);

void bench_seal(benchmark::State& state) {
    const Secret32 key = some_key();
    const Bytes plaintext(static_cast<std::size_t>(state.range(0)), 7);
    Bytes out(plaintext.size() + kTagBytes);
    Nonce nonce{};
    for (auto _ : state) {
        ++nonce[0];
        seal(key, nonce, as_bytes("header"), plaintext, out.data());
        benchmark::DoNotOptimize(out.data());
    }
    per_item(state, 1);
}
BENCHMARK(bench_seal)->Arg(32)->Arg(kEntryBytes)->Arg(16 << 10);

void bench_open(benchmark::State& state) {
    const Secret32 key = some_key();
    const Bytes plaintext(kEntryBytes, 7);
    Bytes sealed(plaintext.size() + kTagBytes);
    seal(key, Nonce{}, as_bytes("header"), plaintext, sealed.data());
    for (auto _ : state) benchmark::DoNotOptimize(open(key, Nonce{}, as_bytes("header"), sealed));
    per_item(state, 1);
}
BENCHMARK(bench_open);

void bench_sign(benchmark::State& state) {
    const SigningKey key = SigningKey::from_seed(some_key());
    const Bytes message(150, 7);
    for (auto _ : state) benchmark::DoNotOptimize(key.sign(message));
}
BENCHMARK(bench_sign);

void bench_verify(benchmark::State& state) {
    const SigningKey key = SigningKey::from_seed(some_key());
    const Bytes message(150, 7);
    const Signature signature = key.sign(message);
    for (auto _ : state) benchmark::DoNotOptimize(verify(key.public_key(), message, signature));
}
BENCHMARK(bench_verify);

/// A key table with one subject in it, on the real disk.
class TableBench : public benchmark::Fixture {
  public:
    void SetUp(const benchmark::State&) override {
        dir_ = (std::filesystem::temp_directory_path() / "hygie-bench-XXXXXX").string();
        HYGIE_CHECK(mkdtemp(dir_.data()) != nullptr, "the benchmark needs a temporary directory");
        table_ = KeyTable::open(real_disk(), real_random(), dir_, some_key()).value();
        for (int i = 0; i < 1000; ++i)
            HYGIE_CHECK(table_->find_or_make("p/" + std::to_string(i), kScope), "no key");
    }
    void TearDown(const benchmark::State&) override {
        table_.reset();
        std::filesystem::remove_all(dir_);
    }

  protected:
    static constexpr KeyScope kScope{1, 2026};
    std::string dir_;
    std::unique_ptr<KeyTable> table_;
};

BENCHMARK_F(TableBench, find_or_make_an_existing_key)(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(table_->find_or_make("p/421", kScope));
}

BENCHMARK_F(TableBench, make_a_key)(benchmark::State& state) {
    std::uint64_t next = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(table_->find_or_make("q/" + std::to_string(++next), kScope));
}

BENCHMARK_F(TableBench, get)(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(table_->get(421));
}

BENCHMARK_F(TableBench, sync_nothing)(benchmark::State& state) {
    HYGIE_CHECK(table_->sync(), "the keys are not durable");
    for (auto _ : state) benchmark::DoNotOptimize(table_->sync());
}

BENCHMARK_F(TableBench, shred_one_subject)(benchmark::State& state) {
    std::uint64_t next = 0;
    for (auto _ : state) {
        state.PauseTiming();
        const std::string subject = "q/" + std::to_string(++next);
        HYGIE_CHECK(table_->find_or_make(subject, kScope) && table_->sync(), "no key");
        state.ResumeTiming();
        benchmark::DoNotOptimize(table_->shred(subject, {}));
    }
}

}  // namespace
}  // namespace hygie::crypto
