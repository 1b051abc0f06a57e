#include "ledger/proofs/completeness.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "ledger/proofs/completeness_kit.h"

namespace hygie::ledger {
namespace {

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

// ---- answers of a log with its index

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
