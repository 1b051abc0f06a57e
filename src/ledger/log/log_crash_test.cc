#include <gtest/gtest.h>

#include <map>
#include <random>

#include "ledger/log/layout.h"
#include "ledger/log/log.h"
#include "ledger/tree/log_reader.h"
#include "sim/seeds.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

/// The promises of ledger/README.md under loss of power and death of the process, at any step:
/// nothing acknowledged is lost, the log opens again, and it never signs two histories.
namespace hygie::ledger {
namespace {

constexpr char kDir[] = "log";
constexpr char kOrigin[] = "test.example/crash";

/// What the outside world knows of the log: what it may never take back.
struct World {
    std::map<std::uint64_t, crypto::Hash> acknowledged;  ///< leaf hash by sequence
    std::map<std::uint64_t, crypto::Hash>
        shown;                   ///< root by size, of every checkpoint anybody could see
    std::uint64_t appended = 0;  ///< upper bound of entries that can exist
};

struct Machine {
    explicit Machine(std::uint64_t seed)
        : disk(std::make_unique<sim::SimDisk>(seed)), random(seed) {}
    std::unique_ptr<sim::SimDisk> disk;
    sim::SimClock clock;
    sim::SimRandom random;
    crypto::Secret32 root;

    Doors doors() { return {*disk, clock, random}; }
};

Draft some_draft(std::mt19937_64& choose) {
    event::Event event;
    event.type = event::Type::RecordRead;
    event.time = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24));
    event.source = SourceId("records");
    event.node = NodeId(choose() % 4 == 0 ? "node-2" : "node-1");
    event.actor.id = ActorId("actor-" + std::to_string(choose() % 3));
    event.subject.patient = PatientId("patient-" + std::to_string(choose() % 5));
    event.purpose = std::string(choose() % 300, 'p');
    return *draft_of(event);
}

/// All leaf hashes of the log's files, checked against its tiles by nobody but us; every entry must
/// be readable.
std::vector<crypto::Hash> leaves_of(Log& log, Disk& disk) {
    DirReader reader(disk, kDir);
    const std::uint64_t size = log.applied_size();
    std::vector<crypto::Hash> leaves;
    for (std::uint64_t at = 0; at < size; at += kTileHashes) {
        const auto width =
            static_cast<std::size_t>(std::min<std::uint64_t>(kTileHashes, size - at));
        const auto bundle = read_bundle(reader, {at / kTileHashes, width});
        if (!bundle) {
            ADD_FAILURE() << bundle.error().what.en;
            return leaves;
        }
        for (const ByteView entry : bundle->entries) {
            leaves.push_back(crypto::leaf_hash(entry));
            const auto view = parse_entry(entry);
            EXPECT_TRUE(view && log.keys().unseal(*view, log.sources()))
                << "the key of an entry is lost";
        }
    }
    return leaves;
}

/// One life of the process: opens, works for a while, and ends as the disk decides. False when it
/// did not open.
bool live(Machine& machine, World& world, std::mt19937_64& choose, int rounds) {
    auto opened = Log::open(machine.doors(), kDir, machine.root);
    if (!opened) return false;
    Log& log = **opened;
    const auto watch = [&](const SignedCheckpoint& checkpoint) {
        world.shown[checkpoint.checkpoint.size] = checkpoint.checkpoint.root;
        return std::vector<NoteSignature>();
    };
    for (int round = 0; round < rounds; ++round) {
        std::vector<Draft> drafts;
        for (std::size_t i = 0; i < 1 + choose() % 4; ++i) drafts.push_back(some_draft(choose));
        auto batch = log.seal(drafts);
        if (!batch) return true;
        world.appended = std::max(world.appended, batch->end());
        if (!log.commit(*batch)) return true;
        for (std::size_t i = 0; i < batch->leaves.size(); ++i)
            world.acknowledged[batch->first + i] = batch->leaves[i];
        if (!log.apply(*batch)) return true;
        if (choose() % 3 != 0) continue;
        auto snapshot = log.snapshot();
        if (!snapshot || !log.publish(*snapshot, watch)) return true;
        if (choose() % 3 == 0 && !log.settle(*snapshot)) return true;
    }
    if (choose() % 4 == 0) (void)log.close();
    return true;
}

/// What anybody may have seen, a witness or a reader, the log must remember having signed.
void expect_memory_of_what_was_shown(Disk& disk, const World& world, const std::string& when) {
    const auto served = read_signed(disk, layout::checkpoint(kDir));
    const auto remembered = read_signed(disk, layout::signed_checkpoint(kDir));
    ASSERT_TRUE(served && *served && remembered && *remembered) << when;
    const std::uint64_t size = (*remembered)->checkpoint.size;
    EXPECT_LE((*served)->checkpoint.size, size) << when << ": shown before it was remembered";
    if (!world.shown.empty()) {
        EXPECT_LE(world.shown.rbegin()->first, size)
            << when << ": cosigned before it was remembered";
    }
}

/// Opens the log on an undisturbed disk and holds it against all that was promised.
void expect_promises_kept(Machine& machine, const World& world, const std::string& when) {
    expect_memory_of_what_was_shown(*machine.disk, world, when);
    auto log = Log::open(machine.doors(), kDir, machine.root);
    ASSERT_TRUE(log) << when << ": " << log.error().what.en;
    const std::uint64_t size = (*log)->applied_size();
    EXPECT_LE(size, world.appended + 2)
        << when;  // a registration or a commitment may have gone along
    const auto leaves = leaves_of(**log, *machine.disk);
    ASSERT_EQ(leaves.size(), size) << when;
    for (const auto& [sequence, leaf] : world.acknowledged) {
        ASSERT_LT(sequence, size) << when << ": an acknowledged entry is lost";
        ASSERT_EQ(leaves[sequence], leaf) << when << ": an acknowledged entry changed";
    }
    Tree tree;
    for (std::uint64_t at = 0; at <= size; ++at) {
        const auto shown = world.shown.find(at);
        if (shown != world.shown.end()) {
            ASSERT_EQ(tree.root(), shown->second) << when << ": the log forked at " << at;
        }
        if (at < size) tree.append({&leaves[at], 1}, [](auto, auto, auto) {});
    }
    if (!world.shown.empty()) {
        ASSERT_LE(world.shown.rbegin()->first, size) << when << ": the log went back";
    }
    std::mt19937_64 choose(1);
    const Draft draft = some_draft(choose);
    ASSERT_TRUE((*log)->append({&draft, 1})) << when << ": not writable";
}

void start(Machine& machine) {
    ASSERT_TRUE(Log::init(machine.doors(), kDir, kOrigin, machine.root));
    // init is not acknowledged before it ends; what it made must not be lost after.
    machine.disk->crash(0);
}

/// A machine's first start is where power fails as well as anywhere.
TEST(LogCrash, AnInitCutAtAnyStepIsGoneOnWith) {
    for (std::uint64_t step = 1; step < 1000; ++step) {
        Machine machine(step);
        machine.disk->crash_at_step(step);
        const bool is_whole = Log::init(machine.doors(), kDir, kOrigin, machine.root).has_value();
        machine.disk->crash(step);
        if (!holds_ledger(*machine.disk, kDir)) {
            ASSERT_FALSE(is_whole) << step;
            const Status again = Log::init(machine.doors(), kDir, kOrigin, machine.root);
            ASSERT_TRUE(again) << step << ": " << again.error().what.en;
        }
        auto log = Log::open(machine.doors(), kDir, machine.root);
        ASSERT_TRUE(log) << step << ": " << log.error().what.en;
        std::mt19937_64 choose(1);
        const Draft draft = some_draft(choose);
        ASSERT_TRUE((*log)->append({&draft, 1})) << step;
        if (is_whole) return;
    }
    FAIL() << "an init of a thousand steps";
}

TEST(LogCrash, NoStepOfAShortRunBreaksAPromise) {
    std::uint64_t steps = 0;
    for (std::uint64_t step = 1; step == 1 || step <= steps; ++step) {
        Machine machine(step);
        start(machine);
        World world;
        std::mt19937_64 choose(42);
        if (step == 1) {
            const std::uint64_t before = machine.disk->steps();
            live(machine, world, choose, 6);
            steps = machine.disk->steps() - before;
            ASSERT_GT(steps, 40u);
            continue;
        }
        machine.disk->crash_at_step(machine.disk->steps() + step);
        live(machine, world, choose, 6);
        machine.disk->crash(step);
        expect_promises_kept(machine, world, "step " + std::to_string(step));
        if (testing::Test::HasFatalFailure()) return;
    }
}

TEST(LogCrash, ManyLivesBreakNoPromise) {
    sim::for_each_seed(400, [](std::uint64_t seed) {
        std::mt19937_64 choose(seed);
        Machine machine(seed);
        start(machine);
        World world;
        const int lives = 1 + static_cast<int>(choose() % 5);
        for (int life = 0; life < lives; ++life) {
            const bool power_fails = choose() % 4 != 0;
            if (power_fails)
                machine.disk->crash_at_step(machine.disk->steps() + 1 + choose() % 160);
            live(machine, world, choose, 1 + static_cast<int>(choose() % 30));
            if (power_fails)
                machine.disk->crash(choose());
            else
                machine.disk->kill();
            // The next life starts from what this one left, not from what looking at it changed.
            const std::unique_ptr<sim::SimDisk> found = machine.disk->clone();
            expect_promises_kept(machine, world, "life " + std::to_string(life));
            if (testing::Test::HasFatalFailure()) return;
            machine.disk = found->clone();
        }
    });
}

TEST(LogCrash, FaultsOfTheDiskStopTheLogAndLoseNothing) {
    constexpr sim::Fault kFaults[] = {sim::Fault::WriteFails, sim::Fault::SyncFails};
    sim::for_each_seed(200, [&](std::uint64_t seed) {
        std::mt19937_64 choose(seed);
        Machine machine(seed);
        start(machine);
        World world;
        machine.disk->inject(kFaults[choose() % 2], "", choose() % 40);
        if (choose() % 4 == 0) machine.disk->set_free_bytes(choose() % 30'000);
        live(machine, world, choose, 12);
        machine.disk->set_free_bytes(1 << 30);
        if (choose() % 2 == 0)
            machine.disk->kill();
        else
            machine.disk->crash(seed);
        machine.disk = machine.disk->clone();  // the fault is over
        expect_promises_kept(machine, world, "fault");
    });
}

/// Drafts of `count` traces.
std::vector<Draft> some_drafts(std::size_t count, std::uint64_t seed) {
    std::mt19937_64 choose(seed);
    std::vector<Draft> drafts;
    while (drafts.size() < count) drafts.push_back(some_draft(choose));
    return drafts;
}

/// Appends, and makes the tiles durable that a restart begins with. Closes the log.
void settle_at(Machine& machine, std::size_t drafts) {
    auto log = Log::open(machine.doors(), kDir, machine.root);
    ASSERT_TRUE(log && (*log)->append(some_drafts(drafts, 1)));
    auto snapshot = (*log)->snapshot();
    ASSERT_TRUE(snapshot && (*log)->settle(*snapshot));
}

/// 250 and 600 leave a partial tile on level 0, and on 0 and 1; then the log grows by a little, or
/// not at all.
TEST(LogCrash, TilesARestartNeedsAreNeverWrittenOver) {
    for (const std::size_t size : {250u, 600u}) {
        Machine settled(1);
        start(settled);
        settle_at(settled, size);
        for (std::uint64_t seed = 1; seed <= 30; ++seed) {
            Machine machine(seed);
            machine.disk = settled.disk->clone();
            {
                auto log = Log::open(machine.doors(), kDir, machine.root);
                ASSERT_TRUE(log);
                ASSERT_TRUE((*log)->snapshot());
                ASSERT_TRUE((*log)->append(some_drafts(seed % 3, seed)));
                ASSERT_TRUE((*log)->snapshot());
            }
            machine.disk->crash(seed);
            const auto log = Log::open(machine.doors(), kDir, machine.root);
            ASSERT_TRUE(log) << "size " << size << ", seed " << seed << ": " << log.error().what.en;
        }
    }
}

TEST(LogCrash, PartialTilesStayUntilASettledSizeNeedsThemNoMore) {
    Machine settled(1);
    start(settled);
    settle_at(settled, 250);
    bool done = false;
    for (std::uint64_t step = 1; !done; ++step) {
        ASSERT_LT(step, 100u);
        Machine machine(step);
        machine.disk = settled.disk->clone();
        {
            auto log = Log::open(machine.doors(), kDir, machine.root);
            ASSERT_TRUE(log && (*log)->append(some_drafts(20, step)));
            machine.disk->crash_at_step(machine.disk->steps() + step);
            auto snapshot = (*log)->snapshot();
            done = snapshot && (*log)->publish(*snapshot, {}) && (*log)->settle(*snapshot);
        }
        machine.disk->crash(step);
        const auto log = Log::open(machine.doors(), kDir, machine.root);
        ASSERT_TRUE(log) << "step " << step << ": " << log.error().what.en;
    }
    EXPECT_FALSE(settled.disk->exists("log/tile/0/000"));
}

/// An old copy of the ledger, written on, holds as many entries as were signed, but not the same:
/// from its tiles, from its write-ahead log, or with a batch across the signed size.
TEST(LogCrash, AnotherHistoryThanTheSignedOneIsRefused) {
    Machine machine(9);
    start(machine);
    const auto early = machine.disk->clone();
    const auto write_on = [&](std::size_t drafts, bool close) {
        auto log = Log::open(machine.doors(), kDir, machine.root);
        ASSERT_TRUE(log && (*log)->append(std::vector(drafts, some_drafts(1, 3)[0])));
        auto snapshot = (*log)->snapshot();
        ASSERT_TRUE(snapshot && (*log)->publish(*snapshot, {}));
        ASSERT_TRUE(!close || (*log)->close());
    };
    write_on(5, true);
    const Bytes signed_note = *machine.disk->read_file(layout::signed_checkpoint(kDir), 1 << 20);
    for (const auto& [drafts, close] :
         {std::pair{5u, true}, std::pair{5u, false}, std::pair{8u, false}}) {
        machine.disk = early->clone();
        write_on(drafts, close);
        ASSERT_TRUE(machine.disk->replace_file(layout::signed_checkpoint(kDir), signed_note));
        const auto reopened = Log::open(machine.doors(), kDir, machine.root);
        ASSERT_FALSE(reopened) << drafts << (close ? " closed" : " killed");
        EXPECT_EQ(reopened.error().code, Code::Corrupt);
    }
}

TEST(LogCrash, ALogThatLostWhatItSignedRefusesToGoOn) {
    Machine machine(9);
    start(machine);
    const auto early = machine.disk->clone();
    World world;
    std::mt19937_64 choose(5);
    ASSERT_TRUE(live(machine, world, choose, 20));
    machine.disk->kill();
    ASSERT_FALSE(world.shown.empty());
    // Everything but the memory of what was signed comes back from an old backup.
    const Bytes signed_note = *machine.disk->read_file(layout::signed_checkpoint(kDir), 1 << 20);
    machine.disk = early->clone();
    ASSERT_TRUE(machine.disk->replace_file(layout::signed_checkpoint(kDir), signed_note));
    const auto reopened = Log::open(machine.doors(), kDir, machine.root);
    ASSERT_FALSE(reopened);
    EXPECT_EQ(reopened.error().code, Code::Corrupt);
}

}  // namespace
}  // namespace hygie::ledger
