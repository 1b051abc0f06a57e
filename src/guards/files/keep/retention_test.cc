#include "guards/files/keep/retention.h"

#include <gtest/gtest.h>

#include "guards/files/keep/admission.h"

namespace hygie::files {
namespace {

constexpr VersionId kHour = 3'600'000'000;
constexpr VersionId kDay = 24 * kHour;
constexpr VersionId kNow = 1000 * kDay;

FileKey file(std::uint8_t number) {
    return FileKey(0, 1, Bytes{number, 0, 0, 1});
}

Record present(VersionId time, std::uint8_t number, Cause cause = Cause::Commit) {
    Record record;
    record.time = time;
    record.key = file(number);
    record.path = "/s/" + std::to_string(number);
    record.size = 10;
    record.place = Place::Staged;
    record.cause = cause;
    return record;
}

Record gone(VersionId time, std::uint8_t number) {
    Record record;
    record.kind = RecordKind::Gone;
    record.time = time;
    record.key = file(number);
    record.path = "/s/" + std::to_string(number);
    return record;
}

TEST(FilesRetention, NeverTouchesThePresent) {
    const std::vector<Record> records{present(1, 1, Cause::Baseline)};
    EXPECT_TRUE(chores(records, kNow, {}).empty());
}

TEST(FilesRetention, CountsFromTheDayAVersionWasReplaced) {
    // Three years old, encrypted an hour ago: nothing may go.
    const std::vector<Record> records{present(1, 1, Cause::Baseline), present(kNow - kHour, 1)};
    EXPECT_TRUE(chores(records, kNow, {}).empty());
    const auto later = chores(records, kNow + kDay, {});
    EXPECT_EQ(later, (std::vector<Chore>{{Chore::Duty::Seal, file(1), 1, 10}}));
    EXPECT_TRUE(chores(records, kNow + 100 * kDay, {}).at(0).duty == Chore::Duty::Seal);
    EXPECT_TRUE(chores(records, kNow + 400 * kDay, {}).at(0).duty == Chore::Duty::Drop);
}

TEST(FilesRetention, KeepsADeletedFileFromTheDayItWent) {
    const std::vector<Record> records{present(1, 1, Cause::Baseline), gone(kNow - kHour, 1)};
    EXPECT_TRUE(chores(records, kNow, {}).empty());
    EXPECT_EQ(chores(records, kNow + 2 * kDay, {}).at(0).duty, Chore::Duty::Seal);
}

TEST(FilesRetention, ThinsToTheLastOfEachDay) {
    std::vector<Record> records;
    for (VersionId i = 0; i < 5; ++i) records.push_back(present(10 * kDay + i, 1));
    const auto due = chores(records, 30 * kDay, {});
    // The fifth is the present, the fourth the last of what is past.
    ASSERT_EQ(due.size(), 4U);
    for (const Chore& chore : due) {
        const bool is_last = chore.version == 10 * kDay + 3;
        EXPECT_EQ(chore.duty, is_last ? Chore::Duty::Seal : Chore::Duty::Drop);
        EXPECT_LT(chore.version, 10 * kDay + 4);
    }
}

TEST(FilesRetention, AFileThatMovedIsStillThere) {
    Record moved;
    moved.kind = RecordKind::Moved;
    moved.time = 20;
    moved.key = file(1);
    moved.from = "/s/1";
    moved.path = "/s/x";
    EXPECT_TRUE(chores(std::vector<Record>{present(10, 1), moved}, kNow, {}).empty());
}

TEST(FilesRetention, MarksWhatIsStagedOnceTheSmallAside) {
    Record large = present(1, 1, Cause::Baseline);
    large.size = 1 << 20;
    Record linked = present(2, 2, Cause::Baseline);
    linked.size = large.size;
    linked.place = Place::Linked;
    std::vector<Record> records{large, linked, present(3, 3, Cause::Baseline)};
    EXPECT_EQ(chores(records, kNow, {}),
              (std::vector<Chore>{{Chore::Duty::Mark, file(1), 1, large.size}}));
    Record hashed;
    hashed.kind = RecordKind::Hashed;
    hashed.key = file(1);
    hashed.version = 1;
    records.push_back(hashed);
    EXPECT_TRUE(chores(records, kNow, {}).empty());
}

TEST(FilesAdmission, RefusesTheFlooderBeforeTheOthers) {
    Admission admission;
    const Admission::Time now{};
    constexpr std::uint64_t kGib = std::uint64_t{1} << 30;
    Room room{10 * kGib, 100 * kGib};
    EXPECT_TRUE(admission.admit("marie", 1 << 20, room, now));
    EXPECT_TRUE(admission.admit("flood", 6 * kGib, room, now));
    room.free = 3 * kGib;
    EXPECT_FALSE(admission.admit("flood", 1 << 20, room, now));
    EXPECT_TRUE(admission.admit("marie", 1 << 20, room, now));
    room.free = kGib / 2;
    EXPECT_FALSE(admission.admit("marie", 1 << 20, room, now));
}

}  // namespace
}  // namespace hygie::files
