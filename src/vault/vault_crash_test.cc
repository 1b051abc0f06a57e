#include <gtest/gtest.h>

#include <map>
#include <set>

#include "sim/chance.h"
#include "sim/seeds.h"
#include "vault/vault_kit.h"

namespace hygie::vault {
namespace {

using namespace kit;

/// What was acknowledged, and what was asked for when the power went: by "Type/id", the family name
/// of its newest version, empty when deleted.
using Names = std::map<std::string, std::string>;

std::string family_in(const std::string& body) {
    const std::string mark = R"("family":")";
    const std::size_t at = body.find(mark);
    if (at == std::string::npos) return body;
    return body.substr(at + mark.size(), body.find('"', at + mark.size()) - at - mark.size());
}

std::vector<TextWrite> random_writes(sim::Chance& chance, const Names& names, Names& after) {
    std::vector<TextWrite> writes;
    after = names;
    const std::uint64_t first = chance.below(6);
    for (std::uint64_t i = 0; i < 1 + chance.below(3); ++i) {
        const std::string id = "p" + std::to_string((first + i) % 6);
        const bool lives = names.contains(id) && names.at(id) != "deleted";
        if (lives && chance.odds(1, 4)) {
            writes.push_back(remove("Patient", id));
            after[id] = "deleted";
        } else {
            after[id] = "Nom" + std::to_string(chance.below(1000));
            writes.push_back(put(patient(id, after[id])));
        }
    }
    return writes;
}

Names names_in(Vault& vault) {
    Names names;
    for (int i = 0; i < 6; ++i) {
        const std::string id = "p" + std::to_string(i);
        const std::string found = family_in(body_of(vault, "Patient", id));
        if (found != "absent") names[id] = found;
    }
    return names;
}

/// Every stored commit has its event, once, and the other way round.
void expect_whole(Machine& machine, Vault& vault) {
    Verified verified;
    while (!verified.done) verified = vault.verify(std::move(verified), machine.trace, 3).value();
    EXPECT_TRUE(verified.rot.empty()) << describe(verified.rot.front()).en;
    EXPECT_EQ(verified.commits, machine.trace.events().size());
    EXPECT_EQ(machine.trace.repeated, 0);
}

TEST(VaultCrash, LosesNothingAcknowledgedAndTellsTheLedgerEverythingOnce) {
    sim::for_each_seed(150, [](std::uint64_t seed) {
        sim::Chance chance(seed);
        Machine machine;
        machine.disk.crash_at_step(1 + chance.below(180));
        Names kept;
        Names maybe;
        if (auto vault = machine.try_open(); vault) {
            for (int i = 0; i < 20; ++i) {
                Names after;
                const auto writes = random_writes(chance, kept, after);
                maybe = after;
                if (!commit(**vault, writes)) break;
                kept = after;
            }
        }
        machine.disk.crash(seed);
        const auto vault = machine.open();
        ASSERT_TRUE(vault);
        const Names found = names_in(*vault);
        EXPECT_TRUE(found == kept || found == maybe);
        ASSERT_TRUE(commit(*vault, {put(patient("p0", "Dernier"))}));
        expect_whole(machine, *vault);
    });
}

TEST(VaultCrash, TellsNobodyBeforeTheLedgerHasIt) {
    Machine machine;
    const auto vault = machine.open();
    machine.trace.mode = MemoryTrace::Mode::Wait;
    std::promise<void> told;
    auto future = told.get_future();
    std::atomic<bool> done = false;
    commit_later(*vault, {put(patient("p1"))}, [&](Outcome outcome) {
        EXPECT_TRUE(outcome);
        done = true;
        told.set_value();
    });
    while (machine.trace.waiting() == 0) std::this_thread::yield();
    EXPECT_FALSE(done);
    machine.trace.release();
    future.wait();
    EXPECT_TRUE(done);
}

TEST(VaultCrash, TellsTheLedgerAtTheNextStartWhatItMissed) {
    Machine machine;
    auto vault = machine.open();
    ASSERT_TRUE(commit(*vault, {put(patient("p1"))}));
    machine.trace.mode = MemoryTrace::Mode::Fail;
    EXPECT_EQ(commit(*vault, {put(patient("p2"))}).error().code, Code::Io);
    EXPECT_EQ(commit(*vault, {put(patient("p3"))}).error().code, Code::Io);
    EXPECT_EQ(machine.trace.events().size(), 1u);
    vault.reset();
    machine.trace.mode = MemoryTrace::Mode::Keep;
    vault = machine.open();
    EXPECT_EQ(machine.trace.events().size(), 2u);
    EXPECT_EQ(body_of(*vault, "Patient", "p3"), "absent");
    const event::Event second = machine.trace.events().at(2);
    EXPECT_EQ(second.source, SourceId("vault"));
    EXPECT_EQ(second.node, NodeId("box"));
    EXPECT_EQ(second.actor.id, ActorId("10003456789"));
    EXPECT_EQ(second.detail.at("versions"), "1");
    expect_whole(machine, *vault);
}

TEST(VaultCrash, WritesNothingMoreOnceTheDiskFailed) {
    Machine machine;
    const auto vault = machine.open();
    ASSERT_TRUE(commit(*vault, {put(patient("p1"))}));
    machine.disk.inject(sim::Fault::SyncFails, "sqlite");
    EXPECT_EQ(commit(*vault, {put(patient("p1", "Autre"))}).error().code, Code::Io);
    EXPECT_EQ(commit(*vault, {put(patient("p1", "Encore"))}).error().code, Code::Io);
    EXPECT_EQ(machine.trace.events().size(), 1u);
    EXPECT_EQ(family_in(body_of(*vault, "Patient", "p1")), "Durand");
}

TEST(VaultCrash, GoesOnWhenAFullDiskHasRoomAgain) {
    Machine machine;
    const auto vault = machine.open();
    ASSERT_TRUE(commit(*vault, {put(patient("p1"))}));
    machine.disk.set_free_bytes(1000);
    EXPECT_EQ(commit(*vault, {put(patient("p1", "Autre"))}).error().code, Code::Full);
    machine.disk.set_free_bytes(10 << 20);
    ASSERT_TRUE(commit(*vault, {put(patient("p1", "Encore"))}));
    EXPECT_EQ(vault->find("Patient", "p1")->entry.version, 2u);
    expect_whole(machine, *vault);
}

TEST(VaultCrash, AnOlderCopyNeverTakesTheNumbersOfWhatItLost) {
    Machine machine;
    auto vault = machine.open();
    ASSERT_TRUE(commit(*vault, {put(patient("p1"))}));
    vault.reset();
    const auto copy = machine.disk.clone();
    vault = machine.open();
    ASSERT_TRUE(commit(*vault, {put(patient("p2"))}));
    vault.reset();

    const auto restored = Vault::open({*copy, machine.clock, machine.random, machine.trace},
                                      {.dir = "vault", .node = NodeId("box")}, machine.root)
                              .value();
    ASSERT_TRUE(commit(*restored, {put(patient("p3"))}));
    EXPECT_EQ(machine.trace.repeated, 0);
    const Verified verified = restored->verify({}, machine.trace, 100).value();
    ASSERT_EQ(verified.rot.size(), 1u);
    EXPECT_EQ(verified.rot.front(), (Rot{Rot::Kind::Missing, 2, 0}));
}

/// Both go on under the same keys: who holds the disk of each must not find one nonce twice.
TEST(VaultCrash, ARestoredCopySealsUnderNumbersOfItsOwn) {
    Machine machine;
    ASSERT_TRUE(commit(*machine.open(), {put(patient("p1"))}));
    const auto copy = machine.disk.clone();
    const auto rows_of = [](Vault& vault) {
        std::set<std::uint64_t> rows;
        for (int i = 0; i < 5; ++i) {
            EXPECT_TRUE(commit(vault, {put(patient("p1", "Nom" + std::to_string(i)))}));
            rows.insert(vault.find("Patient", "p1")->entry.body);
        }
        return rows;
    };
    std::set<std::uint64_t> rows = rows_of(*machine.open());
    const auto restored = Vault::open({*copy, machine.clock, machine.random, machine.trace},
                                      {.dir = "vault", .node = NodeId("box")}, machine.root)
                              .value();
    rows.merge(rows_of(*restored));
    EXPECT_EQ(rows.size(), 10U);
}

/// The numbers under which bodies are sealed: a nonce used twice would open both.
TEST(VaultCrash, NeverUsesARowNumberTwice) {
    sim::for_each_seed(40, [](std::uint64_t seed) {
        Machine machine;
        std::uint64_t highest = 0;
        for (std::uint64_t life = 0; life < 4; ++life) {
            machine.disk.crash_at_step(machine.disk.steps() + 30 + seed);
            if (auto vault = machine.try_open(); vault) {
                // What is prepared takes numbers, whether it is stored or not.
                while (commit(**vault, {put(patient("p1"))})) {
                    const std::uint64_t row = (*vault)->find("Patient", "p1")->entry.body;
                    EXPECT_GT(row, highest);
                    highest = row;
                }
                ++highest;  // the one that failed was sealed too
            }
            machine.disk.crash(seed + life);
        }
    });
}

}  // namespace
}  // namespace hygie::vault
