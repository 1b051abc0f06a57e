#include "ledger/log/wal.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "sim/seeds.h"
#include "sim/sim_disk.h"

namespace hygie::ledger {
namespace {

constexpr char kDir[] = "wal";

struct Record {
    std::uint64_t first;
    Bytes framed;
    bool operator==(const Record&) const = default;
};

Bytes frame(std::span<const std::string> entries) {
    Bytes out(kWalHeaderBytes);
    for (const std::string& entry : entries) {
        std::uint8_t size[2];
        store_be(size, static_cast<std::uint16_t>(entry.size()));
        append(out, size);
        append(out, as_bytes(entry));
    }
    return out;
}

/// Appends one record of `entries` and returns what replay must give back.
Record write(Wal& wal, std::uint64_t first, std::span<const std::string> entries) {
    Bytes buffer = frame(entries);
    const Bytes framed(buffer.begin() + kWalHeaderBytes, buffer.end());
    std::vector<crypto::Hash> leaves;
    for (const std::string& entry : entries) leaves.push_back(crypto::leaf_hash(as_bytes(entry)));
    EXPECT_TRUE(wal.append(first, leaves, buffer));
    return {first, framed};
}

std::vector<Record> replayed(Disk& disk, std::uint64_t from) {
    std::vector<Record> records;
    const Status done =
        Wal::replay(disk, kDir, from, [&](std::uint64_t first, ByteView framed, auto leaves) {
            std::size_t count = 0;
            EXPECT_TRUE(for_each_entry(framed, [&](ByteView entry) {
                EXPECT_EQ(leaves[count++], crypto::leaf_hash(entry));
                return true;
            }));
            records.push_back({first, to_bytes(framed)});
            return Status{};
        });
    EXPECT_TRUE(done);
    return records;
}

TEST(Wal, SyncedRecordsSurviveAnyCrash) {
    sim::for_each_seed(300, [](std::uint64_t seed) {
        sim::SimDisk disk(seed);
        auto wal = Wal::create(disk, kDir, 1);
        ASSERT_TRUE(wal);
        std::vector<Record> synced;
        std::uint64_t next = 0;
        for (std::uint64_t i = 0; i < seed % 9; ++i) {
            const std::vector<std::string> entries(1 + (seed + i) % 4,
                                                   std::string(100 * (i + 1), 'e'));
            synced.push_back(write(**wal, next, entries));
            next += entries.size();
            ASSERT_TRUE((*wal)->sync());
        }
        const Record lost = write(**wal, next, std::vector<std::string>{std::string(3000, 'x')});
        wal->reset();
        disk.crash(seed);
        const auto found = replayed(disk, 0);
        ASSERT_GE(found.size(), synced.size());
        ASSERT_LE(found.size(), synced.size() + 1);
        EXPECT_TRUE(std::equal(synced.begin(), synced.end(), found.begin()));
        if (found.size() > synced.size()) {
            EXPECT_EQ(found.back(), lost);
        }
    });
}

TEST(Wal, AnyFlippedBitEndsTheReplayBeforeIt) {
    EXPECT_TRUE(rc::check([] {
        sim::SimDisk disk;
        auto wal = Wal::create(disk, kDir, 1);
        std::vector<Record> written;
        for (std::uint64_t i = 0; i < 4; ++i)
            written.push_back(write(
                **wal, i, std::vector<std::string>{std::string(50, static_cast<char>('a' + i))}));
        const std::string path = join(kDir, "0000000001.wal");
        constexpr std::size_t kRecordBytes = kWalHeaderBytes + 2 + 50;
        Bytes bytes = *disk.read_file(path, 2 * kWalGrowBytes);
        const auto bit = *rc::gen::inRange<std::size_t>(kWalHeaderBytes * 8,
                                                        (kWalHeaderBytes + 4 * kRecordBytes) * 8);
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
        RC_ASSERT(disk.write_file(path, bytes).has_value());
        const auto found = replayed(disk, 0);
        const std::size_t hit = (bit / 8 - kWalHeaderBytes) / kRecordBytes;
        RC_ASSERT(found.size() == hit);
        RC_ASSERT(std::equal(found.begin(), found.end(), written.begin()));
    }));
}

/// A reused segment holds older records behind the new ones; they must never come back.
TEST(Wal, ReusedSegmentsDoNotBringBackWhatTheyHeld) {
    sim::SimDisk disk;
    auto wal = Wal::create(disk, kDir, 1);
    const std::vector<std::string> big(1, std::string(60'000, 'o'));
    std::uint64_t next = 0;
    // Fill two segments, settle both, write on: the third is one of them.
    for (; next * 60'000 < 2 * kWalSegmentBytes + 400'000; ++next) write(**wal, next, big);
    ASSERT_TRUE((*wal)->sync());
    ASSERT_TRUE((*wal)->release(next));
    const std::uint64_t settled = next;
    std::vector<Record> fresh;
    for (; next < settled + kWalSegmentBytes / 60'000; ++next)
        fresh.push_back(write(**wal, next, big));
    ASSERT_TRUE((*wal)->sync());
    EXPECT_EQ(replayed(disk, settled), fresh);
}

TEST(Wal, SmallRecordsFindTheirFileLongEnough) {
    sim::SimDisk disk;
    auto wal = Wal::create(disk, kDir, 1);
    const std::string path = join(kDir, "0000000001.wal");
    std::vector<Record> written{write(**wal, 0, std::vector<std::string>{"first"})};
    const std::uint64_t length = *disk.file_size(path);
    EXPECT_GE(length, kWalGrowBytes);
    for (std::uint64_t i = 1; i < 100; ++i)
        written.push_back(write(**wal, i, std::vector<std::string>{std::string(5'000, 'e')}));
    EXPECT_EQ(*disk.file_size(path), length);
    for (std::uint64_t i = 100; i < 300; ++i)
        written.push_back(write(**wal, i, std::vector<std::string>{std::string(5'000, 'e')}));
    EXPECT_GE(*disk.file_size(path), 2 * kWalGrowBytes);
    EXPECT_EQ(replayed(disk, 0), written);
}

TEST(Wal, AFreshStartForgetsEarlierRuns) {
    sim::SimDisk disk;
    auto old = Wal::create(disk, kDir, 1);
    write(**old, 0, std::vector<std::string>{"old"});
    ASSERT_TRUE((*old)->sync());
    old->reset();
    auto wal = Wal::create(disk, kDir, 2);
    ASSERT_TRUE(wal);
    disk.crash(3);
    EXPECT_TRUE(replayed(disk, 0).empty());
}

TEST(Wal, BrokenFramingIsSeen) {
    const auto always = [](ByteView) { return true; };
    EXPECT_TRUE(for_each_entry({}, always));
    EXPECT_FALSE(for_each_entry(Bytes{0}, always));
    EXPECT_FALSE(for_each_entry(Bytes{0, 2, 'a'}, always));
    EXPECT_TRUE(for_each_entry(Bytes{0, 1, 'a', 0, 0}, always));
}

}  // namespace
}  // namespace hygie::ledger
