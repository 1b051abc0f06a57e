#include "sim/sim_disk.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "sim/chance.h"
#include "sim/seeds.h"

namespace hygie::sim {
namespace {

constexpr std::uint64_t kCrashes = 300;
constexpr char kAbsent[] = "(absent)";

std::string text_of(Disk& disk, const std::string& path) {
    const auto bytes = disk.read_file(path, 1 << 20);
    return bytes ? std::string(as_text(*bytes)) : kAbsent;
}

/// Everything `look` sees after a loss of power now, over many seeds.
template <typename Look>
auto seen_after_crash(const SimDisk& disk, Look look) {
    std::set<decltype(look(*disk.clone()))> seen;
    for (std::uint64_t seed = 1; seed <= kCrashes; ++seed) {
        const auto copy = disk.clone();
        copy->crash(seed);
        seen.insert(look(*copy));
    }
    return seen;
}

std::set<std::string> contents_after_crash(const SimDisk& disk, const std::string& path) {
    return seen_after_crash(disk, [&](SimDisk& copy) { return text_of(copy, path); });
}

/// A durable file "f" and the handle on it.
std::unique_ptr<File> durable_file(SimDisk& disk, const std::string& text) {
    EXPECT_TRUE(disk.replace_file("f", as_bytes(text)));
    return disk.open("f", Open::ReadWrite).value();
}

std::string repeated(char letter, std::size_t size = 8 * kSectorBytes) {
    return std::string(size, letter);
}

TEST(SimDisk, KeepsWhatWasSynced) {
    SimDisk disk;
    const auto file = durable_file(disk, "old");
    ASSERT_TRUE(file->write_at(0, as_bytes("newer")));
    ASSERT_TRUE(file->sync());
    EXPECT_EQ(contents_after_crash(disk, "f"), std::set<std::string>{"newer"});
}

TEST(SimDisk, TearsUnsyncedWritesBySectorInAnyOrder) {
    SimDisk disk;
    const auto file = durable_file(disk, repeated('a'));
    ASSERT_TRUE(file->write_at(0, as_bytes(repeated('b'))));
    const auto seen = contents_after_crash(disk, "f");
    EXPECT_TRUE(seen.contains(repeated('a'))) << "all of it can be lost";
    EXPECT_TRUE(seen.contains(repeated('b'))) << "all of it can survive";
    bool first_alone = false;
    bool last_alone = false;
    for (const std::string& text : seen) {
        ASSERT_EQ(text.size(), 8 * kSectorBytes);
        for (std::size_t at = 0; at < text.size(); at += kSectorBytes)
            ASSERT_EQ(text.substr(at, kSectorBytes), repeated(text[at], kSectorBytes))
                << "a sector is written as a whole";
        first_alone |= text.front() == 'b' && text.back() == 'a';
        last_alone |= text.front() == 'a' && text.back() == 'b';
    }
    EXPECT_TRUE(first_alone && last_alone) << "the last bytes may survive without the first";
}

TEST(SimDisk, MayKeepALaterWriteAndLoseAnEarlierOne) {
    SimDisk disk;
    const auto file = durable_file(disk, repeated('a', 2 * kSectorBytes));
    ASSERT_TRUE(file->write_at(0, as_bytes("1st")));
    ASSERT_TRUE(file->write_at(kSectorBytes, as_bytes("2nd")));
    const auto seen = seen_after_crash(disk, [](SimDisk& copy) {
        const std::string text = text_of(copy, "f");
        return std::pair(text.starts_with("1st"), text.substr(kSectorBytes).starts_with("2nd"));
    });
    EXPECT_EQ(seen.size(), 4u);
}

TEST(SimDisk, MayKeepAnyVersionOfASector) {
    SimDisk disk;
    const auto file = durable_file(disk, "0");
    for (const char* text : {"1", "2", "3"}) ASSERT_TRUE(file->write_at(0, as_bytes(text)));
    EXPECT_EQ(contents_after_crash(disk, "f"), (std::set<std::string>{"0", "1", "2", "3"}));
}

TEST(SimDisk, GrowsInPartAndWithZeros) {
    SimDisk disk;
    const auto file = durable_file(disk, "");
    ASSERT_TRUE(file->write_at(0, as_bytes(repeated('x', 3 * kSectorBytes + 100))));
    std::set<std::size_t> sizes;
    bool zeros_inside = false;
    bool zeros_before_bytes = false;
    for (const std::string& text : contents_after_crash(disk, "f")) {
        sizes.insert(text.size());
        zeros_inside |= text.find('\0') != std::string::npos;
        zeros_before_bytes |= !text.empty() && text.front() == '\0' && text.back() == 'x';
    }
    EXPECT_TRUE(sizes.contains(0));
    EXPECT_TRUE(sizes.contains(3 * kSectorBytes + 100));
    EXPECT_TRUE(sizes.contains(kSectorBytes)) << "growth reaches the disk block by block";
    EXPECT_TRUE(zeros_inside);
    EXPECT_TRUE(zeros_before_bytes);
}

TEST(SimDisk, MayLoseATruncation) {
    SimDisk disk;
    const auto file = durable_file(disk, repeated('a', 1000));
    ASSERT_TRUE(file->truncate(3));
    const auto seen = contents_after_crash(disk, "f");
    EXPECT_TRUE(seen.contains("aaa"));
    EXPECT_TRUE(seen.contains(repeated('a', 1000)));
    ASSERT_TRUE(file->sync());
    EXPECT_EQ(contents_after_crash(disk, "f"), std::set<std::string>{"aaa"});
    ASSERT_TRUE(file->truncate(6));
    EXPECT_EQ(text_of(disk, "f"), std::string("aaa\0\0\0", 6)) << "what was cut must not reappear";
}

TEST(SimDisk, PreallocatedRoomIsDurableAndKeepsItsSize) {
    SimDisk disk;
    const auto file = durable_file(disk, "head");
    ASSERT_TRUE(file->preallocate(4096));
    ASSERT_TRUE(file->write_at(4, as_bytes("tail")));
    for (const std::string& text : contents_after_crash(disk, "f")) EXPECT_EQ(text.size(), 4096u);
}

TEST(SimDisk, ForgetsANameUntilItsDirectoryIsSynced) {
    SimDisk disk;
    ASSERT_TRUE(disk.make_dirs("d"));
    const auto file = disk.open("d/f", Open::Create).value();
    ASSERT_TRUE(file->write_at(0, as_bytes("x")));
    ASSERT_TRUE(file->sync());
    EXPECT_EQ(contents_after_crash(disk, "d/f"), (std::set<std::string>{"x", kAbsent}));
    ASSERT_TRUE(disk.sync_dir("d"));
    EXPECT_EQ(contents_after_crash(disk, "d/f"), std::set<std::string>{"x"});
    ASSERT_TRUE(disk.remove("d/f"));
    EXPECT_EQ(contents_after_crash(disk, "d/f"), (std::set<std::string>{"x", kAbsent}));
}

TEST(SimDisk, RenamesWhollyOrNotAtAllWhateverBecomesOfTheBytes) {
    SimDisk disk;
    ASSERT_TRUE(disk.replace_file("to", as_bytes("old")));
    ASSERT_TRUE(disk.write_file("from", as_bytes("new")));
    ASSERT_TRUE(disk.sync_dir(""));
    ASSERT_TRUE(disk.rename("from", "to"));
    const auto seen = seen_after_crash(
        disk, [](SimDisk& copy) { return std::pair(text_of(copy, "to"), copy.exists("from")); });
    EXPECT_TRUE(seen.contains({"old", true})) << "the rename may be lost";
    EXPECT_TRUE(seen.contains({"new", false})) << "it may survive";
    EXPECT_TRUE(seen.contains({"", false})) << "it may survive without the unsynced bytes";
    for (const auto& [text, from_is_there] : seen) EXPECT_EQ(text == "old", from_is_there);
}

TEST(SimDisk, MakesDirsAndSyncsAllForGood) {
    SimDisk disk;
    ASSERT_TRUE(disk.make_dirs("a/b/c"));
    EXPECT_EQ(seen_after_crash(disk, [](SimDisk& copy) { return copy.exists("a/b/c"); }),
              std::set<bool>{true});
    ASSERT_TRUE(disk.write_file("a/b/f", as_bytes("x")));
    ASSERT_TRUE(disk.write_file("elsewhere", as_bytes("y")));
    ASSERT_TRUE(disk.sync_all("a"));
    EXPECT_EQ(contents_after_crash(disk, "a/b/f"), std::set<std::string>{"x"});
    EXPECT_TRUE(contents_after_crash(disk, "elsewhere").contains(kAbsent)) << "promised only below";
}

TEST(SimDisk, ReplacesAtomicallyWhereverThePowerFails) {
    SimDisk disk;
    ASSERT_TRUE(disk.replace_file("f", as_bytes("old")));
    for (std::uint64_t step = 1;; ++step) {
        const auto copy = disk.clone();
        copy->crash_at_step(disk.steps() + step);
        const bool done = copy->replace_file("f", as_bytes("new")).has_value();
        auto seen = contents_after_crash(*copy, "f");
        if (done) {
            EXPECT_EQ(seen, std::set<std::string>{"new"});
            EXPECT_EQ(step, 7u) << "create, truncate, write, sync, rename, sync the directory";
            return;
        }
        seen.erase("old");
        seen.erase("new");
        EXPECT_TRUE(seen.empty()) << "step " << step << " shows " << *seen.begin();
    }
}

TEST(SimDisk, ReplaysFromItsSeed) {
    const auto world = [](std::uint64_t seed) {
        SimDisk disk;
        const auto file = durable_file(disk, repeated('a'));
        EXPECT_TRUE(file->write_at(0, as_bytes(repeated('b', 20 * kSectorBytes))));
        EXPECT_TRUE(disk.write_file("g", as_bytes("g")));
        disk.crash(seed);
        return text_of(disk, "f") + text_of(disk, "g");
    };
    std::set<std::string> worlds;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        EXPECT_EQ(world(seed), world(seed));
        worlds.insert(world(seed));
    }
    EXPECT_GT(worlds.size(), 20u);
}

TEST(SimDisk, CutsThePowerAtTheStepAskedForAndStaysOff) {
    SimDisk disk;
    const auto file = durable_file(disk, "x");
    disk.crash_at_step(disk.steps() + 2);
    EXPECT_TRUE(file->write_at(0, as_bytes("y")));
    EXPECT_FALSE(file->sync());
    EXPECT_FALSE(file->sync());
    EXPECT_FALSE(file->size());
    EXPECT_FALSE(disk.open("f", Open::Read));
    EXPECT_FALSE(disk.list(""));
    EXPECT_FALSE(disk.lock("lock"));
    // The sync during which the power failed may have come through, or not.
    EXPECT_EQ(contents_after_crash(disk, "f"), (std::set<std::string>{"x", "y"}));
    disk.crash(1);
    EXPECT_TRUE(disk.open("f", Open::Read));
}

TEST(SimDisk, LeavesOldFilesAndLocksDeadAfterACrash) {
    SimDisk disk;
    const auto file = durable_file(disk, "x");
    auto old_lock = disk.lock("lock").value();
    EXPECT_EQ(disk.lock("lock").error().code, Code::Busy);
    disk.crash(1);
    EXPECT_FALSE(file->write_at(0, as_bytes("ghost")));
    EXPECT_FALSE(file->sync());
    const auto new_lock = disk.lock("lock");
    ASSERT_TRUE(new_lock);
    old_lock.reset();
    EXPECT_EQ(disk.lock("lock").error().code, Code::Busy) << "a dead lock released a live one";
}

TEST(SimDisk, KeepsWhatAKilledProcessWrote) {
    SimDisk disk;
    const auto file = durable_file(disk, "old");
    const auto lock = disk.lock("lock").value();
    ASSERT_TRUE(file->write_at(0, as_bytes("new")));
    disk.kill();
    EXPECT_EQ(text_of(disk, "f"), "new");
    EXPECT_FALSE(file->write_at(0, as_bytes("ghost")));
    EXPECT_TRUE(disk.lock("lock"));
    EXPECT_EQ(contents_after_crash(disk, "f"), (std::set<std::string>{"old", "new"}));
}

TEST(SimDisk, RunsFullAfterAShortWriteAndRecoversWithRoom) {
    SimDisk disk;
    const auto file = durable_file(disk, "");
    disk.set_free_bytes(5);
    const Status refused = file->write_at(0, as_bytes("12345678"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::Full);
    EXPECT_EQ(text_of(disk, "f"), "12345");
    EXPECT_EQ(disk.free_bytes("f"), 0u);
    EXPECT_TRUE(file->write_at(0, as_bytes("abcde"))) << "overwriting needs no room";
    EXPECT_EQ(file->preallocate(6).error().code, Code::Full);
    ASSERT_TRUE(file->truncate(1));
    EXPECT_EQ(disk.free_bytes("f"), 4u);
    ASSERT_TRUE(disk.remove("f"));
    EXPECT_EQ(disk.free_bytes(""), 5u);
}

TEST(SimDisk, FailsAWriteAfterAnyPrefix) {
    std::set<std::string> seen;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        SimDisk disk(seed);
        disk.inject(Fault::WriteFails, "f");
        EXPECT_EQ(disk.write_file("f", as_bytes("abc")).error().code, Code::Io);
        seen.insert(text_of(disk, "f"));
        EXPECT_TRUE(disk.write_file("f", as_bytes("abc"))) << "a fault strikes once";
    }
    EXPECT_EQ(seen, (std::set<std::string>{"", "a", "ab", "abc"}));
}

TEST(SimDisk, LosesForGoodWhatAFailedSyncDropped) {
    std::set<std::string> seen;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        SimDisk disk(seed);
        const auto file = durable_file(disk, "old");
        ASSERT_TRUE(file->write_at(0, as_bytes("new")));
        disk.inject(Fault::SyncFails, "f");
        EXPECT_EQ(file->sync().error().code, Code::Io);
        EXPECT_TRUE(file->sync()) << "the kernel reports the loss once";
        seen.merge(contents_after_crash(disk, "f"));
    }
    EXPECT_EQ(seen, (std::set<std::string>{"old", "new"}));
}

TEST(SimDisk, StrikesWhereAndWhenAsked) {
    SimDisk disk;
    ASSERT_TRUE(disk.write_file("a", as_bytes("\x01")));
    ASSERT_TRUE(disk.write_file("b", as_bytes("\x01")));
    disk.inject(Fault::ReadFails, "a", 1);
    disk.inject(Fault::ReadFlipsABit, "b");
    EXPECT_EQ(text_of(disk, "a"), "\x01");
    EXPECT_EQ(text_of(disk, "a"), kAbsent);
    const std::string flipped = text_of(disk, "b");
    ASSERT_EQ(flipped.size(), 1u);
    EXPECT_EQ(std::popcount(static_cast<unsigned>(flipped[0] ^ 1) & 0xFF), 1);
    EXPECT_EQ(text_of(disk, "b"), "\x01");
}

TEST(SimDisk, RefusesChangesWhileReadOnly) {
    SimDisk disk;
    const auto file = durable_file(disk, "x");
    disk.set_read_only(true);
    EXPECT_EQ(file->write_at(0, as_bytes("y")).error().code, Code::Denied);
    EXPECT_EQ(disk.open("f", Open::ReadWrite).error().code, Code::Denied);
    EXPECT_EQ(disk.open("g", Open::Create).error().code, Code::Denied);
    EXPECT_EQ(disk.remove("f").error().code, Code::Denied);
    EXPECT_EQ(disk.rename("f", "g").error().code, Code::Denied);
    EXPECT_EQ(disk.make_dirs("d").error().code, Code::Denied);
    EXPECT_EQ(disk.lock("lock").error().code, Code::Denied);
    EXPECT_EQ(text_of(disk, "f"), "x");
    disk.set_read_only(false);
    EXPECT_TRUE(disk.remove("f"));
}

TEST(SimDisk, ClonesGoTheirOwnWays) {
    SimDisk disk;
    const auto file = durable_file(disk, repeated('a'));
    ASSERT_TRUE(file->write_at(0, as_bytes("b")));
    const auto copy = disk.clone();
    ASSERT_TRUE(copy->write_file("f", as_bytes("copy")));
    ASSERT_TRUE(file->write_at(0, as_bytes("c")));
    EXPECT_EQ(text_of(*copy, "f"), "copy");
    EXPECT_EQ(text_of(disk, "f").front(), 'c');
    ASSERT_TRUE(copy->remove("f"));
    EXPECT_TRUE(disk.exists("f"));
}

TEST(SimDisk, KeepsAnOpenFileThatLostItsName) {
    SimDisk disk;
    const auto file = durable_file(disk, "x");
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(disk.replace_file("f", as_bytes("y")));
    std::array<std::uint8_t, 1> out{};
    ASSERT_TRUE(file->read_at(0, out));
    EXPECT_EQ(out[0], 'x');
}

TEST(SimDisk, ServesThreadsAtOnce) {
    SimDisk disk;
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 4; ++writer)
        writers.emplace_back([&disk, writer] {
            for (int i = 0; i < 50; ++i)
                EXPECT_TRUE(disk.replace_file(fmt::format("f{}", writer),
                                              as_bytes(fmt::format("{} {}", writer, i))));
        });
    for (std::thread& writer : writers) writer.join();
    for (int writer = 0; writer < 4; ++writer)
        EXPECT_EQ(text_of(disk, fmt::format("f{}", writer)), fmt::format("{} 49", writer));
}

}  // namespace
}  // namespace hygie::sim
