#include "ledger/proofs/verifier.h"

#include <benchmark/benchmark.h>

#include "ledger/proofs/memory_log.h"
#include "ledger/proofs/tile_hashes.h"
#include "ledger/proofs/tlog_proof.h"

namespace hygie::ledger {
namespace {

using namespace memory;

constexpr std::size_t kEntries = 250'000;
constexpr std::size_t kEntryBytes = 200;

/// A log of 200-byte entries.
struct Log {
    Log() {
        Chance chance(1);
        for (std::size_t i = 0; i < kEntries; ++i) {
            Bytes entry = sealed_entry(i, 1 + i % 3, 1 + i / 3, chance);
            const Header header = parse_entry(entry)->header;
            const std::size_t overhead = entry_of(header, Payload::Sealed, {}).size();
            Bytes payload(kEntryBytes - overhead - 1);
            for (std::uint8_t& byte : payload) byte = static_cast<std::uint8_t>(chance());
            entries.push_back(entry_of(header, Payload::Sealed, payload));
        }
        files = tree_files(entries);
        head = sign_checkpoint({"log.example", kEntries, merkle_tree_hash(leaves_of(entries)), {}},
                               key);
        files["checkpoint"] = to_bytes(as_bytes(head.encode()));
    }
    NoteSigner key = signer("log.example", KeyType::Ed25519, 100);
    std::vector<Bytes> entries;
    Files files;
    SignedCheckpoint head;
};

const Log& log() {
    static const Log made;
    return made;
}

void verify_entries(benchmark::State& state) {
    FilesReader reader(log().files);
    const Policy policy = Policy::trusting(log().key.verifier());
    VerifyOptions options;
    options.threads = static_cast<unsigned>(state.range(0));
    for (auto _ : state)
        if (!verify_log(reader, policy, options)) state.SkipWithError("the log does not verify");
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kEntries));
}
BENCHMARK(verify_entries)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

void prove_hot(benchmark::State& state) {
    FilesReader reader(log().files);
    TileCache cache(reader, 4096);
    std::uint64_t index = 0;
    for (std::uint64_t i = 0; i < kEntries; i += kTileHashes)
        (void)cache.get({0, i / kTileHashes, kTileHashes});
    for (auto _ : state) {
        TileHashes hashes(cache, kEntries);
        index = (index + 40'503) % kEntries;
        benchmark::DoNotOptimize(prove_inclusion(hashes, index, kEntries));
    }
}
BENCHMARK(prove_hot);

void check_proof(benchmark::State& state) {
    FilesReader reader(log().files);
    TileCache cache(reader);
    TileHashes hashes(cache, kEntries);
    const auto proof = prove_inclusion(hashes, 777, kEntries).value();
    for (auto _ : state)
        if (!verify_inclusion(crypto::leaf_hash(log().entries[777]), 777, kEntries,
                              log().head.checkpoint.root, proof))
            state.SkipWithError("the proof does not verify");
}
BENCHMARK(check_proof);

}  // namespace
}  // namespace hygie::ledger
