#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include <set>

#include "crypto/sha256.h"
#include "guards/files/content/excerpt.h"
#include "guards/files/keep/journal.h"
#include "guards/files/keep/packs.h"
#include "sim/seeds.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

/// Power cuts under the journal and the packs: what was acknowledged is there, whole.
namespace hygie::files {
namespace {

crypto::Secret32 test_key() {
    crypto::Secret32 key;
    sim::SimRandom(7).fill(key.mutable_view());
    return key;
}

class BytesContent final : public Content {
  public:
    explicit BytesContent(Bytes bytes) : bytes_(std::move(bytes)) {}
    std::uint64_t size() const override { return bytes_.size(); }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
        if (offset >= bytes_.size()) return 0;
        const std::size_t size = std::min<std::size_t>(out.size(), bytes_.size() - offset);
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), size, out.begin());
        return size;
    }

  private:
    Bytes bytes_;
};

Record record_number(std::uint64_t number) {
    Record record;
    record.time = record.happened = number;
    record.key = FileKey(0, 1, Bytes{1, 2, 3, static_cast<std::uint8_t>(number)});
    record.path = "/share/Patients/MARTIN_Élodie/" + std::to_string(number);
    record.meta.mode = 0100640;
    record.meta.modified_ns = -5;
    record.meta.attributes = {{"user.k", Bytes{1, 2}}};
    record.size = number * 3;
    record.place = Place::Staged;
    record.actor = "smb:marie@192.0.2.7";
    record.cause = Cause::Commit;
    record.hash = Bytes(32, 9);
    record.chunks = {ChunkId{4}, ChunkId{5}};
    return record;
}

std::vector<Record> read_back(Disk& disk) {
    std::vector<Record> records;
    const Status read = Journal::read(disk, "log", test_key(), [&](Record&& record) {
        records.push_back(std::move(record));
        return Status();
    });
    EXPECT_TRUE(read) << (read ? "" : read.error().what.en);
    return records;
}

/// Appends in a few lives of the process; returns how many records were acknowledged by sync().
std::uint64_t write_lives(sim::SimDisk& disk, sim::SimRandom& random) {
    std::uint64_t durable = 0;
    std::uint64_t next = 1;
    for (int life = 0; life < 3; ++life) {
        next = durable + 1;
        auto journal =
            Journal::open(disk, random, "log", test_key(), [&](Record&& record) -> Status {
                next = record.time + 1;
                return {};
            });
        if (!journal) return durable;
        for (int i = 0; i < 6; ++i) {
            const std::vector<Record> two{record_number(next), record_number(next + 1)};
            if (!(*journal)->append(two)) return durable;
            next += 2;
            if (i % 2 == 0) continue;
            if (!(*journal)->sync()) return durable;
            durable = next - 1;
        }
    }
    return durable;
}

TEST(FilesJournal, KeepsEveryAcknowledgedRecordThroughAPowerCut) {
    sim::SimDisk dry;
    sim::SimRandom dry_random(1);
    write_lives(dry, dry_random);
    const std::uint64_t steps = dry.steps();
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        sim::SimDisk disk;
        sim::SimRandom random(seed);
        disk.crash_at_step(1 + seed % steps);
        const std::uint64_t durable = write_lives(disk, random);
        disk.crash(seed);
        // A guard that comes back opens for writing, then everything is read again.
        auto journal =
            Journal::open(disk, random, "log", test_key(), [](Record&&) { return Status(); });
        ASSERT_TRUE(journal) << "seed " << seed << ": " << journal.error().what.en;
        const std::vector<Record> records = read_back(disk);
        ASSERT_GE(records.size(), durable) << "seed " << seed;
        for (std::size_t i = 0; i < records.size(); ++i)
            ASSERT_EQ(records[i], record_number(i + 1)) << "seed " << seed;
    }
}

TEST(FilesJournal, KeepsWhatAKilledGuardAppended) {
    sim::SimDisk disk;
    sim::SimRandom random(3);
    {
        auto journal =
            Journal::open(disk, random, "log", test_key(), [](Record&&) { return Status(); });
        ASSERT_TRUE(journal);
        ASSERT_TRUE((*journal)->append(record_number(1)));
        disk.kill();
    }
    EXPECT_EQ(read_back(disk).size(), 1U);
}

TEST(FilesJournal, HoldsNoNameInClear) {
    sim::SimDisk disk;
    sim::SimRandom random(3);
    auto journal =
        Journal::open(disk, random, "log", test_key(), [](Record&&) { return Status(); });
    ASSERT_TRUE(journal);
    ASSERT_TRUE((*journal)->append(record_number(1)));
    const std::vector<DirEntry> entries = *disk.list("log");
    for (const DirEntry& entry : entries) {
        const Bytes bytes = *disk.read_file("log/" + entry.name, 1 << 20);
        EXPECT_EQ(as_text(bytes).find("MARTIN"), std::string_view::npos);
        EXPECT_EQ(as_text(bytes).find("marie"), std::string_view::npos);
    }
}

TEST(FilesJournal, RefusesASegmentThatWasTakenOut) {
    sim::SimDisk disk;
    sim::SimRandom random(3);
    for (int life = 0; life < 3; ++life) {
        auto journal =
            Journal::open(disk, random, "log", test_key(), [](Record&&) { return Status(); });
        ASSERT_TRUE(journal);
        ASSERT_TRUE((*journal)->append(record_number(1)));
    }
    ASSERT_TRUE(disk.remove("log/0000000000000002.log"));
    EXPECT_FALSE(Journal::read(disk, "log", test_key(), [](Record&&) { return Status(); }));
}

TEST(FilesPacks, KeepEverySyncedVersionThroughAPowerCut) {
    const auto bytes_of = [](std::uint64_t number) {
        Bytes bytes(3000 + 700 * number);
        sim::SimRandom(number).fill(bytes);
        return bytes;
    };
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        sim::SimDisk disk;
        sim::SimRandom random(seed);
        disk.crash_at_step(2 + seed % 30);
        std::vector<Packs::Put> durable;
        for (int life = 0; life < 2; ++life) {
            auto packs = Packs::open(disk, random, "packs", test_key());
            if (!packs) break;
            for (std::uint64_t i = 0; i < 5; ++i) {
                const auto put = (*packs)->put(BytesContent(bytes_of(i)));
                if (!put || !(*packs)->sync()) break;
                durable.push_back(*put);
            }
        }
        disk.crash(seed);
        std::shared_ptr<Packs> packs = *Packs::open(disk, random, "packs", test_key());
        // A torn chunk must not pass for one that is here: put them all again, then read.
        for (std::uint64_t i = 0; i < 5; ++i) {
            const auto put = packs->put(BytesContent(bytes_of(i)));
            ASSERT_TRUE(put && packs->sync()) << "seed " << seed;
            Bytes back(put->size);
            ASSERT_TRUE(packed_content(packs, put->chunks, put->size)->read_at(0, back))
                << "seed " << seed;
            ASSERT_EQ(back, bytes_of(i)) << "seed " << seed;
        }
        for (const Packs::Put& put : durable)
            for (const ChunkId& id : put.chunks) ASSERT_TRUE(packs->get(id)) << "seed " << seed;
    }
}

TEST(FilesPacks, KeepEqualBytesOnce) {
    sim::SimDisk disk;
    sim::SimRandom random(1);
    auto packs = *Packs::open(disk, random, "packs", test_key());
    const Bytes bytes(2 * Packs::kChunkBytes, 7);
    ASSERT_TRUE(packs->put(BytesContent(bytes)));
    const std::uint64_t once = packs->bytes();
    ASSERT_TRUE(packs->put(BytesContent(bytes)));
    EXPECT_EQ(packs->bytes(), once);
    EXPECT_LT(once, bytes.size() / 100);
}

/// Zeros that a file system keeps as holes.
class HoleyContent final : public Content {
  public:
    explicit HoleyContent(Bytes bytes) : bytes_(std::move(bytes)) {}
    std::uint64_t size() const override { return bytes_.size(); }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
        return MemoryContent(bytes_).read_at(offset, out);
    }
    std::uint64_t next_data(std::uint64_t offset) const override {
        while (offset < bytes_.size() && bytes_[offset] == 0) ++offset;
        return offset;
    }

  private:
    Bytes bytes_;
};

/// Mebibytes of a content: each nothing but zeros, or not; and a last piece.
Bytes mebibytes(const std::vector<bool>& full, std::size_t tail) {
    Bytes bytes(full.size() * Packs::kChunkBytes + tail);
    for (std::size_t i = 0; i < full.size(); ++i)
        if (full[i]) bytes[i * Packs::kChunkBytes + 77] = 1;
    return bytes;
}

TEST(FilesPacks, NameWrittenZerosAndHolesAlikeAndTellWhereTheyAre) {
    sim::SimDisk disk;
    sim::SimRandom random(1);
    auto packs = *Packs::open(disk, random, "packs", test_key());
    std::set<crypto::Hash> hashes;
    std::size_t contents = 0;
    const std::vector<std::vector<bool>> shapes{
        {}, {true}, {false}, {true, false}, {false, true}, {false, false}, {true, false, true}};
    for (const std::vector<bool>& full : shapes)
        for (const std::size_t tail : {std::size_t{1}, std::size_t{4096}}) {
            const Bytes bytes = mebibytes(full, tail);
            const Packs::Put read = *packs->put(BytesContent(bytes));
            const Packs::Put skipped = *packs->put(HoleyContent(bytes));
            EXPECT_EQ(read.hash, skipped.hash);
            EXPECT_EQ(read.chunks, skipped.chunks);
            EXPECT_EQ(read.size, skipped.size);
            EXPECT_EQ(read.size, bytes.size());
            const bool is_plain = std::ranges::count(full, false) == 0;
            EXPECT_EQ(read.hash == crypto::sha256(bytes), is_plain);
            hashes.insert(read.hash);
            ++contents;
        }
    EXPECT_EQ(hashes.size(), contents);
}

RC_GTEST_PROP(FilesRecord, SpellsTheSameBytesAgain, (std::uint64_t number, std::string path)) {
    Record record = record_number(number);
    record.path = path;
    record.happened = *rc::gen::element(number, number / 2 + 1);
    record.kind = *rc::gen::element(RecordKind::Present, RecordKind::Gone, RecordKind::Committed);
    const Bytes bytes = encode(record);
    const auto back = decode_record(bytes);
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == record);
    RC_ASSERT(encode(*back) == bytes);
}

}  // namespace
}  // namespace hygie::files
