#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <utility>

#include "ledger/proofs/completeness_kit.h"

namespace hygie::ledger {
namespace {

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

}  // namespace
}  // namespace hygie::ledger
