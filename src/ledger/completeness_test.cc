#include "ledger/completeness.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "event/codec.h"
#include "ledger/completeness_tree.h"
#include "ledger/entry.h"
#include "ledger/memory_log.h"
#include "ledger/tree.h"
#include "sim/chance.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

namespace hygie::ledger {
namespace {

using crypto::Hash;

// ---- proofs for many leaves

std::vector<Hash> some_leaves(std::uint64_t size) {
    std::vector<Hash> leaves;
    for (std::uint64_t i = 0; i < size; ++i)
        leaves.push_back(crypto::sha256(as_bytes(std::to_string(i))));
    return leaves;
}

RC_GTEST_PROP(LeavesProof, LeadsToTheRootAndNowhereElse, ()) {
    sim::Chance chance(*rc::gen::arbitrary<std::uint64_t>());
    const std::uint64_t size = 1 + chance.below(300);
    const std::vector<Hash> leaves = some_leaves(size);
    LeafReader reader(leaves);
    const Hash root = root_of(reader, size).value();
    std::set<std::uint64_t> chosen;
    for (std::uint64_t i = chance.below(8); i > 0; --i) chosen.insert(chance.below(size));
    const std::vector<std::uint64_t> indexes(chosen.begin(), chosen.end());
    std::vector<Hash> proof = prove_leaves(reader, size, indexes).value();
    std::vector<IndexedLeaf> shown;
    for (const std::uint64_t i : indexes) shown.push_back({i, leaves[i]});
    RC_ASSERT(root_from_leaves(size, shown, proof).value() == root);
    if (indexes.size() == 1)
        RC_ASSERT(proof.size() == prove_inclusion(reader, indexes[0], size)->size());

    const auto leads_elsewhere = [&](std::uint64_t claimed, const auto& some, const auto& hashes) {
        const auto found = root_from_leaves(claimed, some, hashes);
        return !found || *found != root;
    };
    if (!shown.empty()) {
        auto changed = shown;
        changed[chance.below(changed.size())].hash[chance.below(32)] ^= 1;
        RC_ASSERT(leads_elsewhere(size, changed, proof));
        changed = shown;
        changed.back().index = size;
        RC_ASSERT(leads_elsewhere(size, changed, proof));
        changed = shown;
        changed.push_back(changed.back());
        RC_ASSERT(leads_elsewhere(size, changed, proof));
    }
    if (!proof.empty()) {
        auto shorter = proof;
        shorter.pop_back();
        RC_ASSERT(leads_elsewhere(size, shown, shorter));
        proof[chance.below(proof.size())][0] ^= 1;
        RC_ASSERT(leads_elsewhere(size, shown, proof));
    }
    proof.push_back(root);
    RC_ASSERT(leads_elsewhere(size, shown, proof));
}

RC_GTEST_PROP(LeavesProof, IsTheSameMadeInStretches, ()) {
    sim::Chance chance(*rc::gen::arbitrary<std::uint64_t>());
    const std::uint64_t size = 1 + chance.below(300);
    const std::uint64_t stretch_leaves = std::uint64_t{1} << chance.below(9);
    const std::vector<Hash> leaves = some_leaves(size);
    LeafReader reader(leaves);
    std::map<std::uint64_t, std::vector<std::uint64_t>> parts;
    std::set<std::uint64_t> chosen;
    for (std::uint64_t i = chance.below(20); i > 0; --i) chosen.insert(chance.below(size));
    for (const std::uint64_t i : chosen) parts[i / stretch_leaves].push_back(i);
    std::vector<StretchProof> stretches;
    for (const auto& [number, some] : parts)
        stretches.push_back(prove_stretch(reader, size, some, stretch_leaves).value());
    const std::vector<std::uint64_t> indexes(chosen.begin(), chosen.end());
    RC_ASSERT(prove_leaves(reader, size, indexes, stretches, stretch_leaves).value() ==
              prove_leaves(reader, size, indexes).value());
}

TEST(LeavesProof, RefusesLeavesOutsideTheTree) {
    const std::vector<Hash> leaves = some_leaves(5);
    LeafReader reader(leaves);
    const std::array<std::uint64_t, 1> beyond{5};
    const std::array<std::uint64_t, 2> twice{3, 3};
    EXPECT_EQ(prove_leaves(reader, 5, beyond).error().code, Code::BadInput);
    EXPECT_EQ(prove_leaves(reader, 5, twice).error().code, Code::BadInput);
}

// ---- a log with its index

/// A log in memory, its tiles and bundles made when asked for.
class MemoryLog final : public LogReader {
  public:
    void append(Bytes entry) {
        nodes_[0].push_back(crypto::leaf_hash(entry));
        entries_.push_back(std::move(entry));
        for (std::size_t level = 1; nodes_[level - 1].size() % kTileHashes == 0; ++level) {
            LeafReader tile(std::span(nodes_[level - 1]).last(kTileHashes));
            nodes_[level].push_back(tile.node(8, 0).value());
        }
    }
    std::uint64_t size() const { return entries_.size(); }
    const Bytes& entry(std::uint64_t index) const { return entries_[index]; }

    Result<Bytes> read(const std::string& path, std::size_t) override {
        Bytes out;
        if (const auto bundle = parse_bundle_path(path)) {
            for (std::size_t i = 0; i < bundle->width; ++i) {
                const Bytes& entry = entries_.at(bundle->index * kTileHashes + i);
                std::array<std::uint8_t, 2> length;
                store_be(length.data(), static_cast<std::uint16_t>(entry.size()));
                hygie::append(out, length);
                hygie::append(out, entry);
            }
            return out;
        }
        const TileId tile = parse_tile_path(path).value();
        for (std::size_t i = 0; i < tile.width; ++i)
            hygie::append(out, nodes_.at(tile.level).at(tile.index * kTileHashes + i));
        return out;
    }

  private:
    std::vector<Bytes> entries_;
    std::vector<std::vector<Hash>> nodes_ = std::vector<std::vector<Hash>>(4);
};

crypto::Token actor(std::uint64_t number) {
    crypto::Token out;
    store_be(out.data(), (number + 1) * 0x9E3779B97F4A7C15);
    return out;
}

NoteSigner signer_named(const std::string& name, std::uint8_t seed) {
    return NoteSigner(
        name, KeyType::Ed25519,
        crypto::SigningKey::from_seed(crypto::Secret32(std::array<std::uint8_t, 32>{seed})));
}

const std::string kOrigin = "log.example/hygie";

/// A small ledger: rows go to the log and to the index, commitments are logged in between.
struct World {
    sim::SimDisk disk;
    sim::SimRandom random{3};
    MemoryLog log;
    std::unique_ptr<QueryIndex> index;
    NoteSigner signer = signer_named(kOrigin, 1);
    Policy policy = Policy::trusting(signer.verifier());
    std::vector<crypto::Token> actors;  ///< of each entry

    explicit World(IndexSizes sizes) {
        index = QueryIndex::open(disk, random, "/index", crypto::Secret32(), sizes).value();
    }

    std::uint64_t add(Header header, ByteView payload, Payload kind) {
        header.sequence = log.size();
        header.time =
            WallTime(Micros(static_cast<std::int64_t>(1'700'000'000'000'000 + header.sequence)));
        log.append(memory::entry_of(header, kind, payload));
        actors.push_back(header.actor);
        const IndexRow row{.sequence = header.sequence, .time = header.time, .actor = header.actor};
        EXPECT_TRUE(index->add({&row, 1}).has_value());
        return header.sequence;
    }
    void act(const crypto::Token& who) {
        Header header;
        header.type = event::Type::RecordRead;
        header.source = 2;
        header.retention = event::Retention::Trace1Year;
        header.actor = who;
        add(header, Bytes(40, 0xAB), Payload::Sealed);
    }
    std::uint64_t log_commitment(const IndexCommitment& commitment) {
        event::Event said;
        said.type = event::Type::IndexCommitted;
        said.retention = event::Retention::System;
        said.detail = commitment.detail();
        Header header;
        header.type = said.type;
        return add(header, event::encode_body(said).value(), Payload::Open);
    }
    void commit() {
        EXPECT_TRUE(index->flush().has_value());
        for (const IndexCommitment& commitment : index->take_commitments())
            index->committed(commitment, log_commitment(commitment));
    }
    SignedCheckpoint checkpoint() {
        TileCache cache(log);
        TileHashes hashes(cache, log.size());
        return sign_checkpoint({kOrigin, log.size(), root_of(hashes, log.size()).value(), {}},
                               signer);
    }
    Result<CompletenessProof> prove(const crypto::Token& who, SequenceRange range) {
        TileCache cache(log);
        return prove_completeness(*index, log, cache, checkpoint(), who, range);
    }
    Result<CompleteAnswer> check(const CompletenessProof& proof) const {
        return check_completeness(proof, policy, {.now = {}, .max_age = {}});
    }
    std::vector<std::uint64_t> traces(const crypto::Token& who, SequenceRange range) const {
        std::vector<std::uint64_t> found;
        for (std::uint64_t s = range.first; s < range.end; ++s)
            if (actors[s] == who) found.push_back(s);
        return found;
    }
};

/// Runs of several blocks and of one, merged and fresh, the last one from a flush.
std::unique_ptr<World> make_world(std::uint64_t seed) {
    sim::Chance chance(seed);
    auto world = std::make_unique<World>(IndexSizes{.run_rows = 2048, .fan_out = 4, .levels = 2});
    while (world->log.size() < 15'000) {
        world->act(chance.odds(1, 3) ? actor(0) : actor(chance.below(60)));
        if (world->log.size() % 5000 == 0)
            while (world->index->merge_step().value()) {
            }
    }
    world->commit();
    return world;
}

World& shared_world() {
    static const std::unique_ptr<World> world = make_world(1);
    return *world;
}

constexpr SequenceRange kAsked{0, 15'000};

TEST(Completeness, HoldsForEveryActor) {
    World& world = shared_world();
    for (std::uint64_t i = 0; i < 62; ++i) {
        const auto proof = world.prove(actor(i), kAsked);
        ASSERT_TRUE(proof.has_value()) << proof.error().what.en;
        const auto answer = world.check(*proof);
        ASSERT_TRUE(answer.has_value()) << answer.error().what.en;
        EXPECT_EQ(answer->entries, world.traces(actor(i), kAsked));
        EXPECT_EQ(CompletenessProof::decode(proof->encode()).value(), *proof);
    }
    EXPECT_TRUE(world.traces(actor(61), kAsked).empty()) << "two of them never acted";
}

RC_GTEST_PROP(Completeness, HoldsForAnyRange, ()) {
    World& world = shared_world();
    const auto first = *rc::gen::inRange<std::uint64_t>(0, 15'000);
    const SequenceRange range{first, *rc::gen::inRange<std::uint64_t>(first + 1, 15'001)};
    const crypto::Token who = actor(*rc::gen::inRange<std::uint64_t>(0, 62));
    const auto proof = world.prove(who, range);
    RC_ASSERT(proof.has_value());
    const auto answer = world.check(*proof);
    RC_ASSERT(answer.has_value());
    RC_ASSERT(answer->entries == world.traces(who, range));
}

TEST(Completeness, HoldsOnAPrunedLedgerFromItsMinimum) {
    const auto world = make_world(2);
    ASSERT_TRUE(world->index->drop_below(9000).has_value());
    EXPECT_EQ(world->prove(actor(1), kAsked).error().code, Code::Stale);
    const auto proof = world->prove(actor(1), {9000, 15'000});
    ASSERT_TRUE(proof.has_value());
    EXPECT_EQ(world->check(*proof)->entries, world->traces(actor(1), {9000, 15'000}));
}

/// Entries of several stretches of the log, which are read side by side.
TEST(Completeness, HoldsWhereSeveralReadersGatherIt) {
    World world({.run_rows = 1 << 16, .fan_out = 4, .levels = 2});
    sim::Chance chance(4);
    while (world.log.size() < 3 * 65'536 + 100) world.act(actor(chance.below(2000)));
    world.commit();
    const SequenceRange all{0, 3 * 65'536};
    for (const std::uint64_t who : {0U, 1999U}) {
        const auto answer = world.check(world.prove(actor(who), all).value());
        ASSERT_TRUE(answer.has_value()) << answer.error().what.en;
        EXPECT_EQ(answer->entries, world.traces(actor(who), all));
    }
}

TEST(Completeness, WaitsForTheCommitments) {
    World world({.run_rows = 16, .fan_out = 4, .levels = 2});
    for (int i = 0; i < 20; ++i) world.act(actor(1));
    EXPECT_EQ(world.prove(actor(1), {0, 20}).error().code, Code::Stale);
    const SignedCheckpoint early = world.checkpoint();
    world.commit();
    EXPECT_TRUE(world.prove(actor(1), {0, 20}).has_value());
    EXPECT_EQ(world.prove(actor(1), {0, world.log.size()}).error().code, Code::Stale)
        << "rows in memory";
    EXPECT_EQ(world.prove(actor(1), {5, 5}).error().code, Code::Stale)
        << "an empty range says nothing";
    TileCache cache(world.log);
    EXPECT_EQ(
        prove_completeness(*world.index, world.log, cache, early, actor(1), {0, 20}).error().code,
        Code::Stale)
        << "the commitments came after that checkpoint";
}

// ---- forgeries

/// Proves the leaves of a changed proof again with the true tree: a forger has the whole log.
void reprove(World& world, CompletenessProof& proof) {
    std::set<std::uint64_t> indexes;
    for (const LoggedEntry& entry : proof.entries) indexes.insert(entry.index);
    for (const RunProof& run : proof.runs) indexes.insert(run.commitment.index);
    TileCache cache(world.log);
    const std::uint64_t size = world.log.size();
    TileHashes hashes(cache, size);
    if (const auto made = prove_leaves(hashes, size, std::vector(indexes.begin(), indexes.end())))
        proof.hashes = *made;
}

/// Leaves out the entries that a run answers for.
void drop_entries_of(const RunProof& run, CompletenessProof& proof) {
    const EntryView entry = parse_entry(run.commitment.bytes).value();
    const Header& header = entry.header;
    const auto body = event::decode_body(
        {header.type, header.time, header.counter, header.retention}, entry.payload);
    const SequenceRange range = IndexCommitment::parse(body->detail)->range;
    std::erase_if(proof.entries, [&](const LoggedEntry& logged) {
        return logged.index >= range.first && logged.index < range.end;
    });
}

using Forge =
    std::function<bool(World&, CompletenessProof&, sim::Chance&)>;  ///< false: does not apply

template <typename T>
T& pick(std::vector<T>& from, sim::Chance& chance) {
    return from[chance.below(from.size())];
}

const std::vector<std::pair<const char*, Forge>> kForgeries{
    {"an entry omitted",
     [](World& world, CompletenessProof& proof, sim::Chance& chance) {
         if (proof.entries.empty()) return false;
         proof.entries.erase(proof.entries.begin() +
                             static_cast<std::ptrdiff_t>(chance.below(proof.entries.size())));
         reprove(world, proof);
         return true;
     }},
    {"an entry of somebody else added",
     [](World& world, CompletenessProof& proof, sim::Chance& chance) {
         const std::uint64_t s = chance.below(15'000);
         if (world.actors[s] == proof.actor) return false;
         const auto at = std::ranges::lower_bound(proof.entries, s, {}, &LoggedEntry::index);
         proof.entries.insert(at, {s, world.log.entry(s)});
         reprove(world, proof);
         return true;
     }},
    {"an entry replaced by somebody else's",
     [](World& world, CompletenessProof& proof, sim::Chance& chance) {
         if (proof.entries.empty()) return false;
         LoggedEntry& entry = pick(proof.entries, chance);
         if (entry.index + 1 >= 15'000 || world.actors[entry.index + 1] == proof.actor)
             return false;
         entry = {entry.index + 1, world.log.entry(entry.index + 1)};
         reprove(world, proof);
         return true;
     }},
    {"an entry's bytes changed",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         if (proof.entries.empty()) return false;
         Bytes& bytes = pick(proof.entries, chance).bytes;
         bytes[chance.below(bytes.size())] ^= static_cast<std::uint8_t>(1 + chance.below(255));
         return true;
     }},
    {"two entries swapped",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         if (proof.entries.size() < 2) return false;
         const std::size_t i = chance.below(proof.entries.size() - 1);
         std::swap(proof.entries[i].bytes, proof.entries[i + 1].bytes);
         return true;
     }},
    {"an entry given twice",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         if (proof.entries.empty()) return false;
         const std::size_t i = chance.below(proof.entries.size());
         proof.entries.insert(proof.entries.begin() + static_cast<std::ptrdiff_t>(i),
                              proof.entries[i]);
         return true;
     }},
    {"another actor named",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         if (proof.entries.empty()) return false;
         proof.actor[chance.below(8)] ^= static_cast<std::uint8_t>(1 + chance.below(255));
         return true;
     }},
    {"an actor named whose blocks are not shown",
     [](World& world, CompletenessProof& proof, sim::Chance& chance) {
         const crypto::Token other = actor(chance.below(60));
         if (world.traces(other, kAsked).empty() || other == proof.actor) return false;
         proof.actor = other;
         proof.entries.clear();
         reprove(world, proof);
         return true;
     }},
    {"a run left out",
     [](World& world, CompletenessProof& proof, sim::Chance& chance) {
         const std::size_t at = chance.below(proof.runs.size());
         drop_entries_of(proof.runs[at], proof);
         proof.runs.erase(proof.runs.begin() + static_cast<std::ptrdiff_t>(at));
         reprove(world, proof);
         return true;
     }},
    {"all runs left out",
     [](World& world, CompletenessProof& proof, sim::Chance&) {
         proof.runs.clear();
         proof.entries.clear();
         reprove(world, proof);
         return true;
     }},
    {"runs out of order",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         const std::size_t i = chance.below(proof.runs.size() - 1);
         std::swap(proof.runs[i], proof.runs[i + 1]);
         return true;
     }},
    {"the range widened",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         proof.range.end = 15'001 + chance.below(1000);
         return true;
     }},
    {"the range narrowed, its entries kept",
     [](World&, CompletenessProof& proof, sim::Chance&) {
         if (proof.entries.empty()) return false;
         proof.range.end = proof.entries.back().index;
         return proof.range.end > 0;
     }},
    {"the range emptied",
     [](World& world, CompletenessProof& proof, sim::Chance&) {
         proof.range = {7, 7};
         proof.entries.clear();
         reprove(world, proof);
         return true;
     }},
    {"a block's bytes changed",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         Bytes& block = pick(pick(proof.runs, chance).blocks, chance);
         block[chance.below(block.size())] ^= static_cast<std::uint8_t>(1 + chance.below(255));
         return true;
     }},
    {"a block without the actor's postings",
     [](World& world, CompletenessProof& proof, sim::Chance& chance) {
         if (proof.entries.empty()) return false;
         for (std::size_t tries = 0; tries < 20; ++tries) {
             Bytes& bytes = pick(pick(proof.runs, chance).blocks, chance);
             auto block = decode_block(bytes, Dimension::Actor, 8192);
             if (!block || block->keys.size() < 2) continue;
             block->counts.pop_back();
             block->offsets.resize(
                 std::accumulate(block->counts.begin(), block->counts.end(), std::size_t{0}));
             block->keys.pop_back();
             bytes = encode_block(*block, 8192);
             return true;
         }
         (void)world;
         return false;
     }},
    {"the blocks of another run",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         const std::size_t i = chance.below(proof.runs.size() - 1);
         std::swap(proof.runs[i].blocks, proof.runs[i + 1].blocks);
         return proof.runs[i].blocks != proof.runs[i + 1].blocks;
     }},
    {"a block left out",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         RunProof& run = pick(proof.runs, chance);
         if (run.blocks.empty()) return false;
         run.blocks.pop_back();
         return true;
     }},
    {"the wrong blocks, well proven, with none of the actor",
     [](World& world, CompletenessProof& proof, sim::Chance& chance) {
         // Shows the blocks of another actor of the same run in their place, and drops the entries.
         const crypto::Token other = actor(chance.below(60));
         const auto theirs = world.prove(other, kAsked);
         const std::size_t at = chance.below(proof.runs.size());
         if (theirs->runs[at].first_block == proof.runs[at].first_block &&
             theirs->runs[at].blocks.size() >= proof.runs[at].blocks.size())
             return false;
         proof.runs[at] = theirs->runs[at];
         drop_entries_of(proof.runs[at], proof);
         reprove(world, proof);
         return true;
     }},
    {"blocks moved",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         RunProof& run = pick(proof.runs, chance);
         run.first_block = chance.odds(1, 2) ? run.first_block + 1 : UINT64_MAX;
         return true;
     }},
    {"another number of blocks",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         RunProof& run = pick(proof.runs, chance);
         run.block_count += chance.odds(1, 2) ? 1 : UINT64_MAX;
         return true;
     }},
    {"no blocks at all",
     [](World& world, CompletenessProof& proof, sim::Chance& chance) {
         RunProof& run = pick(proof.runs, chance);
         if (run.block_count == 0) return false;
         if (chance.odds(1, 2)) run.block_count = 0, run.hashes.clear();
         run.first_block = 0;
         run.blocks.clear();
         proof.entries.clear();
         reprove(world, proof);
         return true;
     }},
    {"a hash of a run's tree changed",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         RunProof& run = pick(proof.runs, chance);
         if (run.hashes.empty()) return false;
         pick(run.hashes, chance)[chance.below(32)] ^= 1;
         return true;
     }},
    {"a needless hash",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         (chance.odds(1, 2) ? proof.hashes : pick(proof.runs, chance).hashes)
             .push_back(empty_root());
         return true;
     }},
    {"a hash of the log's tree changed",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         pick(proof.hashes, chance)[chance.below(32)] ^= 1;
         return true;
     }},
    {"a commitment that is not logged",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         Bytes& bytes = pick(proof.runs, chance).commitment.bytes;
         bytes[chance.below(bytes.size())] ^= static_cast<std::uint8_t>(1 + chance.below(255));
         return true;
     }},
    {"another run's commitment",
     [](World& world, CompletenessProof& proof, sim::Chance& chance) {
         const std::size_t i = chance.below(proof.runs.size() - 1);
         proof.runs[i].commitment = proof.runs[i + 1].commitment;
         reprove(world, proof);
         return true;
     }},
    {"an ordinary entry as commitment",
     [](World& world, CompletenessProof& proof, sim::Chance& chance) {
         const std::uint64_t s = chance.below(15'000);
         pick(proof.runs, chance).commitment = {s, world.log.entry(s)};
         reprove(world, proof);
         return true;
     }},
    {"a smaller tree claimed",
     [](World& world, CompletenessProof& proof, sim::Chance&) {
         Checkpoint smaller = proof.checkpoint.checkpoint;
         smaller.size -= 1;
         proof.checkpoint = sign_checkpoint(smaller, world.signer);
         return true;
     }},
    {"a checkpoint of another log",
     [](World&, CompletenessProof& proof, sim::Chance&) {
         Checkpoint other = proof.checkpoint.checkpoint;
         other.origin = "log.example/other";
         proof.checkpoint = sign_checkpoint(other, signer_named(other.origin, 1));
         return true;
     }},
    {"a checkpoint signed by a stranger",
     [](World&, CompletenessProof& proof, sim::Chance&) {
         proof.checkpoint = sign_checkpoint(proof.checkpoint.checkpoint, signer_named(kOrigin, 66));
         return true;
     }},
    {"a checkpoint with another root",
     [](World&, CompletenessProof& proof, sim::Chance& chance) {
         proof.checkpoint.checkpoint.root[chance.below(32)] ^= 1;
         proof.checkpoint.note.text = proof.checkpoint.checkpoint.encode();
         return true;
     }},
};

TEST(Completeness, RefusesEveryForgery) {
    World& world = shared_world();
    ASSERT_GE(kForgeries.size(), 15u);
    sim::Chance chance(99);
    for (const auto& [name, forge] : kForgeries) {
        int applied = 0;
        for (int i = 0; i < 200 && applied < 12; ++i) {
            auto proof = world.prove(actor(i % 5 == 0 ? 0 : chance.below(62)), kAsked).value();
            if (!forge(world, proof, chance)) continue;
            ++applied;
            const auto answer = world.check(proof);
            ASSERT_FALSE(answer.has_value()) << name;
            EXPECT_EQ(answer.error().code, Code::Forged) << name << ": " << answer.error().what.en;
        }
        EXPECT_GT(applied, 3) << name << " was hardly tried";
    }
}

/// A commitment written by a guard, or sealed, is not the ledger's word, even when it is in the
/// log.
TEST(Completeness, BelievesOnlyTheLedgersOwnCommitments) {
    World world({.run_rows = 16, .fan_out = 4, .levels = 2});
    for (int i = 0; i < 16; ++i) world.act(actor(1));
    const IndexCommitment commitment = world.index->take_commitments().at(0);
    event::Event said;
    said.type = event::Type::IndexCommitted;
    said.detail = commitment.detail();
    said.retention = event::Retention::System;
    Header header;
    header.type = said.type;
    header.source = 5;
    world.index->committed(commitment,
                           world.add(header, event::encode_body(said).value(), Payload::Open));
    EXPECT_EQ(world.check(world.prove(actor(1), {0, 16}).value()).error().code, Code::Forged);
    header.source = 0;
    world.index->committed(commitment, world.add(header, Bytes(40, 1), Payload::Sealed));
    EXPECT_EQ(world.check(world.prove(actor(1), {0, 16}).value()).error().code, Code::Forged);
    world.index->committed(commitment,
                           world.add(header, event::encode_body(said).value(), Payload::Open));
    EXPECT_TRUE(world.check(world.prove(actor(1), {0, 16}).value()).has_value());
}

TEST(IndexCommitments, AreRederivedFromTheLog) {
    World& world = shared_world();
    std::size_t checked = 0;
    for (std::uint64_t s = 0; s < world.log.size(); ++s) {
        const EntryView entry = parse_entry(world.log.entry(s)).value();
        if (entry.header.type != event::Type::IndexCommitted) continue;
        IndexCommitment commitment = commitment_in(entry).value();
        EXPECT_TRUE(check_commitment(world.log, world.log.size(), commitment).has_value());
        // A dishonest one, which an answer alone could not tell from this.
        commitment.roots[0][s % 32] ^= 1;
        EXPECT_EQ(check_commitment(world.log, world.log.size(), commitment).error().code,
                  Code::Forged);
        commitment.roots[0][s % 32] ^= 1;
        --commitment.range.end;
        EXPECT_EQ(check_commitment(world.log, world.log.size(), commitment).error().code,
                  Code::Forged);
        EXPECT_EQ(check_commitment(world.log, 100, commitment).error().code, Code::Forged);
        ++checked;
    }
    EXPECT_GE(checked, 4u);
    const EntryView ordinary = parse_entry(world.log.entry(0)).value();
    EXPECT_EQ(commitment_in(ordinary).error().code, Code::Forged);
}

TEST(CompletenessFile, IsRefusedWhenDamaged) {
    World& world = shared_world();
    const Bytes good = world.prove(actor(3), {0, 3000})->encode();
    EXPECT_EQ(CompletenessProof::decode(as_bytes("hygie-completeness@v2\n")).error().code,
              Code::BadInput);
    sim::Chance chance(4);
    for (int i = 0; i < 3000; ++i) {
        Bytes bad = good;
        if (chance.odds(1, 4))
            bad.resize(chance.below(good.size()));
        else
            bad[chance.below(bad.size())] ^= static_cast<std::uint8_t>(1 + chance.below(255));
        const auto proof = CompletenessProof::decode(bad);
        if (!proof) {
            EXPECT_EQ(proof.error().code, Code::BadInput);
            continue;
        }
        EXPECT_EQ(proof->encode(), bad) << "one spelling";
        const auto answer = world.check(*proof);
        // Only the question itself may be another one, and then its answer is still true.
        if (!answer) continue;
        EXPECT_EQ(answer->entries, world.traces(answer->actor, answer->range));
    }
}

}  // namespace
}  // namespace hygie::ledger
