#include "link/spool.h"

#include <gtest/gtest.h>

#include <thread>

#include "host/clock.h"
#include "link/test_kit.h"
#include "sim/seeds.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

namespace hygie::link {
namespace {

using Opened = Result<std::unique_ptr<Spool>>;

class SpoolTest : public testing::Test {
  protected:
    Opened open(const SpoolOptions& options = spool_options(), std::uint8_t key = 1,
                std::uint8_t sealing = 9) {
        return Spool::open(disk_, random_, signing_key(key), secret(sealing), options);
    }
    static SpoolOptions small_segments() {
        SpoolOptions options = spool_options();
        options.segment_bytes = 700;
        options.seal_every = 4;
        return options;
    }
    /// All requests after a counter.
    static std::vector<std::string> requests(Spool& spool, std::uint64_t after = 0) {
        std::vector<std::string> out;
        while (after < spool.last()) {
            const auto batch = spool.read(after);
            EXPECT_TRUE(batch.has_value());
            if (!batch) break;
            for (const StampedBody& event : batch->events) {
                EXPECT_EQ(event.stamp.counter, ++after);
                out.push_back(request_of(event));
            }
        }
        return out;
    }
    Bytes contents(const std::string& path) { return disk_.read_file(path, 1 << 30).value(); }
    std::vector<std::string> files() {
        std::vector<std::string> paths;
        const auto entries = disk_.list("spool");
        for (const DirEntry& entry : *entries) paths.push_back("spool/" + entry.name);
        return paths;
    }
    std::vector<std::string> segments() {
        std::vector<std::string> paths = files();
        std::erase_if(paths, [](const std::string& path) { return !path.ends_with(".spool"); });
        return paths;
    }

    sim::SimDisk disk_;
    sim::SimRandom random_{3};
};

TEST_F(SpoolTest, CountsFromOneAndGivesBackInOrder) {
    auto spool = open(small_segments()).value();
    std::vector<std::string> expected;
    for (std::uint64_t i = 1; i <= 40; ++i) {
        expected.push_back("r" + std::to_string(i));
        EXPECT_EQ(spool->append(an_event(expected.back())), i);
    }
    EXPECT_EQ(requests(*spool), expected);
    EXPECT_EQ(requests(*spool, 33).front(), "r34");
    EXPECT_EQ(requests(*spool, 12).front(), "r13");
    spool.reset();
    spool = open(small_segments()).value();
    EXPECT_EQ(requests(*spool), expected);
    EXPECT_EQ(spool->append(an_event("next")), 41u);
}

TEST_F(SpoolTest, SealsComeWhenDueAndVerify) {
    auto spool = open(small_segments()).value();
    for (int i = 0; i < 6; ++i) ASSERT_TRUE(spool->append(an_event("x")).has_value());
    Batch batch = spool->read(0).value();
    ASSERT_TRUE(batch.seal.has_value());
    EXPECT_EQ(batch.seal->at.counter, 4u);
    const Seal read = *batch.seal;
    const Point end = follow(batch);
    EXPECT_EQ(*batch.seal, read);
    EXPECT_TRUE(verify(read, spool->self()));
    event::Event heartbeat;
    ASSERT_TRUE(spool->append(heartbeat).has_value());
    EXPECT_EQ(spool->read(4).value().seal->at.counter, 7u);
    EXPECT_EQ(spool->read(6).value().after, end);
}

TEST_F(SpoolTest, AcknowledgedSegmentsAreRemovedOthersKept) {
    auto spool = open(small_segments()).value();
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(spool->append(an_event("x")).has_value());
    const std::uint64_t before = spool->bytes();
    ASSERT_TRUE(spool->acknowledge(20).has_value());
    EXPECT_LT(spool->bytes(), before);
    EXPECT_GT(spool->base(), 0u);
    EXPECT_LE(spool->base(), 20u);
    EXPECT_EQ(requests(*spool, 20).size(), 20u);
    EXPECT_FALSE(spool->read(spool->base() - 1).has_value());
    ASSERT_TRUE(spool->acknowledge(40).has_value());
    EXPECT_FALSE(spool->acknowledge(41).has_value());
    const std::uint64_t base = spool->base();
    spool.reset();
    spool = open(small_segments()).value();
    EXPECT_EQ(spool->base(), base);
    EXPECT_EQ(spool->last(), 40u);
}

TEST_F(SpoolTest, FullIsSaidAndRoomComesBack) {
    SpoolOptions options = spool_options();
    options.max_bytes = 2 << 20;
    options.segment_bytes = 1 << 20;
    auto spool = open(options).value();
    std::uint64_t kept = 0;
    Result<std::uint64_t> last = 0;
    while ((last = spool->append(an_event("x", 50'000)))) kept = *last;
    EXPECT_EQ(last.error().code, Code::Full);
    EXPECT_FALSE(last.error().remedy.fr.empty());
    EXPECT_EQ(spool->last(), kept);
    EXPECT_LE(spool->bytes(), options.max_bytes);
    EXPECT_EQ(requests(*spool).size(), kept);
    ASSERT_TRUE(spool->acknowledge(kept).has_value());
    EXPECT_EQ(spool->append(an_event("y", 50'000)), kept + 1);
}

TEST_F(SpoolTest, AFullDiskTakesNothingAndUsesNoCounter) {
    auto spool = open(small_segments()).value();
    ASSERT_TRUE(spool->append(an_event("a")).has_value());
    disk_.set_free_bytes(50);
    EXPECT_EQ(spool->append(an_event("lost")).error().code, Code::Full);
    EXPECT_EQ(spool->append(an_event("lost", 3000)).error().code, Code::Full);
    disk_.set_free_bytes(1 << 20);
    EXPECT_EQ(spool->append(an_event("b")), 2u);
    spool.reset();
    EXPECT_EQ(requests(*open(small_segments()).value()), (std::vector<std::string>{"a", "b"}));
}

TEST_F(SpoolTest, AFailedSyncIsFinal) {
    auto spool = open().value();
    disk_.inject(sim::Fault::SyncFails);
    EXPECT_EQ(spool->append(an_event("a")).error().code, Code::Io);
    EXPECT_EQ(spool->append(an_event("b")).error().code, Code::Io);
    EXPECT_EQ(spool->last(), 0u);
}

TEST_F(SpoolTest, NothingReadableAboutAPersonLiesOnDisk) {
    auto spool = open().value();
    ASSERT_TRUE(spool->append(an_event("request-of-dr-martin", 200)).has_value());
    for (const std::string& path : files()) {
        const Bytes file = contents(path);
        for (const char* secret_text :
             {"10003456789", "INS-2-85", "martin", "pppp", "mail", "cabinet"})
            EXPECT_EQ(as_text(file).find(secret_text), std::string_view::npos) << secret_text;
    }
}

TEST_F(SpoolTest, BelongsToOneSourceOneKeyOneProcess) {
    auto spool = open().value();
    EXPECT_EQ(open().error().code, Code::Busy);
    spool.reset();
    EXPECT_EQ(open(spool_options(), 2).error().code, Code::Denied);
    SpoolOptions other = spool_options();
    other.source = SourceId("files");
    EXPECT_EQ(open(other).error().code, Code::Denied);
    EXPECT_EQ(open(spool_options(), 1, 8).error().code, Code::Corrupt);
    other = spool_options("elsewhere");
    other.source = SourceId("a\nb");
    EXPECT_EQ(open(other).error().code, Code::BadInput);
    other = spool_options("elsewhere");
    other.max_bytes = 1000;
    EXPECT_EQ(open(other).error().code, Code::BadInput);
    EXPECT_TRUE(open().has_value());
}

TEST_F(SpoolTest, BadEventsAreRefusedWhole) {
    auto spool = open().value();
    std::vector<event::Event> events{an_event("a"), an_event("b")};
    events[1].type = event::Type::KeyShredded;
    EXPECT_EQ(spool->append(events).error().code, Code::BadInput);
    events[1] = an_event("b", 70'000);
    EXPECT_EQ(spool->append(events).error().code, Code::BadInput);
    events.assign(kBatchEventsMax + 1, an_event("a"));
    EXPECT_EQ(spool->append(events).error().code, Code::BadInput);
    events.clear();
    EXPECT_EQ(spool->append(events).error().code, Code::BadInput);
    events.assign(kBatchEventsMax, an_event("a"));
    EXPECT_EQ(spool->append(events), kBatchEventsMax);
}

TEST_F(SpoolTest, ManyThreadsShareSyncsAndLoseNothing) {
    auto spool = open(small_segments()).value();
    std::mutex mutex;
    std::map<std::uint64_t, std::string> given;
    {
        std::vector<std::jthread> writers;
        for (int w = 0; w < 4; ++w)
            writers.emplace_back([&, w] {
                for (int i = 0; i < 50; ++i) {
                    const std::string request = std::to_string(w) + "-" + std::to_string(i);
                    const auto counter = spool->append(an_event(request));
                    const std::lock_guard held(mutex);
                    EXPECT_TRUE(given.emplace(counter.value(), request).second);
                }
            });
    }
    const std::vector<std::string> stored = requests(*spool);
    ASSERT_EQ(stored.size(), 200u);
    for (const auto& [counter, request] : given) EXPECT_EQ(stored[counter - 1], request);
}

TEST_F(SpoolTest, ACutTailIsDroppedDamageInsideIsNot) {
    auto spool = open().value();
    std::vector<std::uint64_t> sizes;
    for (int i = 0; i < 4; ++i) {
        ASSERT_TRUE(spool->append(an_event(std::to_string(i))).has_value());
        sizes.push_back(spool->bytes());
    }
    spool.reset();
    const std::string path = segments().front();
    const Bytes whole = contents(path);
    for (std::uint64_t size = sizes[2]; size < sizes[3]; ++size) {
        ASSERT_TRUE(disk_.write_file(path, ByteView(whole).first(size)).has_value());
        spool = open().value();
        EXPECT_EQ(spool->last(), 3u);
        EXPECT_EQ(spool->append(an_event("again")), 4u);
        EXPECT_EQ(requests(*spool).back(), "again");
        spool.reset();
    }
    for (std::uint64_t at = 0; at < sizes[2]; at += 7) {
        Bytes damaged = whole;
        damaged[at] ^= 0x10;
        ASSERT_TRUE(disk_.write_file(path, damaged).has_value());
        const Opened opened = open();
        ASSERT_FALSE(opened.has_value()) << at;
        EXPECT_EQ(opened.error().code, Code::Corrupt);
        EXPECT_EQ(contents(path), damaged);
    }
}

TEST_F(SpoolTest, RecordsAndSegmentsCannotChangePlaces) {
    auto spool = open(small_segments()).value();
    for (int i = 0; i < 12; ++i) ASSERT_TRUE(spool->append(an_event("x")).has_value());
    spool.reset();
    const std::vector<std::string> paths = segments();
    ASSERT_GE(paths.size(), 3u);
    ASSERT_TRUE(disk_.remove(paths[1]).has_value());
    spool = open(small_segments()).value();
    std::uint64_t after = 0;
    Result<Batch> batch = spool->read(0);
    while (batch && after < spool->last()) {
        after += batch->events.size();
        batch = spool->read(after);
    }
    EXPECT_FALSE(batch.has_value());
    spool.reset();
    ASSERT_TRUE(disk_.write_file(paths[0], contents(paths[2])).has_value());
    EXPECT_EQ(open(small_segments()).error().code, Code::Corrupt);
}

TEST_F(SpoolTest, RecordsOfAnotherHistoryDoNotOpen) {
    // Two spools of one source and key, as after an old copy was put back.
    std::vector<Bytes> files;
    std::vector<std::uint64_t> starts;
    for (const std::string history : {"a", "b"}) {
        sim::SimDisk disk;
        auto spool = Spool::open(disk, random_, signing_key(), secret(9), spool_options()).value();
        starts = {spool->bytes()};
        for (int i = 0; i < 3; ++i) {
            ASSERT_TRUE(spool->append(an_event(history + std::to_string(i))).has_value());
            starts.push_back(spool->bytes());
        }
        files.push_back(disk.read_file("spool/00000000000000000000.spool", 1 << 20).value());
    }
    ASSERT_EQ(files[0].size(), files[1].size());
    std::copy(files[1].begin() + static_cast<std::ptrdiff_t>(starts[1]), files[1].end(),
              files[0].begin() + static_cast<std::ptrdiff_t>(starts[1]));
    ASSERT_TRUE(disk_.make_dirs("spool").has_value());
    ASSERT_TRUE(disk_.write_file("spool/00000000000000000000.spool", files[0]).has_value());
    EXPECT_EQ(open().error().code, Code::Corrupt);
}

TEST_F(SpoolTest, WhatAKilledProcessWroteIsDurableBeforeItIsSent) {
    const std::string path = "spool/00000000000000000000.spool";
    const auto start = [&](sim::SimDisk& disk) {
        return Spool::open(disk, random_, signing_key(), secret(9), spool_options()).value();
    };
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        sim::SimDisk disk(seed);
        const std::uint64_t head_bytes = start(disk)->bytes();
        // A record written in full; the process dies before it could sync it.
        const auto ahead = disk.clone();
        ASSERT_TRUE(start(*ahead)->append(an_event("x", 2000)).has_value());
        const Bytes whole = ahead->read_file(path, 1 << 20).value();
        ASSERT_TRUE(disk.open(path, Open::ReadWrite)
                        .value()
                        ->write_at(head_bytes, ByteView(whole).subspan(head_bytes))
                        .has_value());
        ASSERT_EQ(start(disk)->last(), 1u);
        disk.crash(seed);
        EXPECT_EQ(start(disk)->last(), 1u);
    }
}

TEST_F(SpoolTest, RemovingSegmentsLeavesNoHoleWhateverACrashKeeps) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        for (std::uint64_t step = 1; step <= 12; ++step) {
            sim::SimDisk disk(seed);
            auto spool =
                Spool::open(disk, random_, signing_key(), secret(9), small_segments()).value();
            for (int i = 0; i < 16; ++i) ASSERT_TRUE(spool->append(an_event("x")).has_value());
            disk.crash_at_step(disk.steps() + step);
            (void)spool->acknowledge(15);
            spool.reset();
            disk.crash(seed);
            spool = Spool::open(disk, random_, signing_key(), secret(9), small_segments()).value();
            EXPECT_EQ(requests(*spool, spool->base()).size(), 16 - spool->base());
        }
    }
}

/// One life of a guard: appends and acknowledgements until the power goes.
struct Life {
    std::vector<std::string> acknowledged;  ///< by counter - 1
    std::uint64_t delivered = 0;            ///< what left the guard: its counters are taken
    std::vector<Bytes> bodies;              ///< of what left

    void live(sim::SimDisk& disk, Random& random, int from) {
        SpoolOptions options = spool_options();
        options.segment_bytes = 900;
        options.seal_every = 3;
        const auto opened = Spool::open(disk, random, signing_key(), secret(9), options);
        if (!opened) return;
        Spool& spool = **opened;
        check(spool);
        acknowledged.resize(spool.last(), "?");
        for (int i = 0; i < 8; ++i) {
            const std::string request = std::to_string(from + i);
            const auto counter = spool.append(an_event(request));
            if (!counter) return;
            ASSERT_EQ(*counter, acknowledged.size() + 1);
            acknowledged.push_back(request);
            if (i % 3 == 2 && (!deliver(spool) || !spool.acknowledge(delivered))) return;
        }
    }
    bool deliver(Spool& spool) {
        while (delivered < spool.last()) {
            const auto batch = spool.read(delivered);
            if (!batch) return false;
            for (const StampedBody& event : batch->events) bodies.push_back(event.body);
            delivered += batch->events.size();
        }
        return true;
    }
    /// Everything promised is there, nothing that left has changed.
    void check(Spool& spool) {
        ASSERT_GE(spool.last(), acknowledged.size());
        ASSERT_LE(spool.base(), delivered);
        std::uint64_t counter = spool.base();
        while (counter < spool.last()) {
            const auto batch = spool.read(counter);
            ASSERT_TRUE(batch.has_value());
            for (const StampedBody& event : batch->events) {
                ASSERT_EQ(event.stamp.counter, ++counter);
                if (counter <= delivered) {
                    ASSERT_EQ(event.body, bodies[counter - 1]);
                }
                if (counter <= acknowledged.size() && acknowledged[counter - 1] != "?") {
                    ASSERT_EQ(request_of(event), acknowledged[counter - 1]);
                }
            }
        }
    }
};

TEST(SpoolCrash, AtEveryStepNothingPromisedIsLostAndNoCounterServesTwice) {
    sim::SimRandom random(5);
    for (std::uint64_t step = 1;; ++step) {
        std::uint64_t steps = 0;
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            sim::SimDisk disk(seed);
            Life life;
            life.live(disk, random, 0);
            disk.crash_at_step(disk.steps() + step);
            const std::uint64_t before = disk.steps();
            life.live(disk, random, 100);
            steps = disk.steps() - before;
            disk.crash(seed * 1000 + step);
            life.live(disk, random, 200);
            ASSERT_FALSE(testing::Test::HasFatalFailure()) << "step " << step << " seed " << seed;
            disk.kill();
            life.live(disk, random, 300);
            ASSERT_GE(life.acknowledged.size(), 24u) << "step " << step << " seed " << seed;
        }
        if (steps < step) break;
    }
}

}  // namespace
}  // namespace hygie::link
