#include "guards/files/keep/history.h"

#include <gtest/gtest.h>

#include "guards/files/acts/actors.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

namespace hygie::files {
namespace {

/// A state folder written record by record.
class FilesHistory : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(disk_.make_dirs("state"));
        key_ = *state_key(doors_, "state", Absent::Make);
        journal_ = *Journal::open(disk_, random_, StatePaths("state").log, key_,
                                  [](Record&&) { return Status(); });
    }

    static FileKey file(std::uint8_t number) { return FileKey(0, 1, Bytes{number, 0, 0, 1}); }

    void present(VersionId time, std::uint8_t number, const std::string& path, Cause cause,
                 const std::string& actor = "") {
        Record record;
        record.time = time;
        record.key = file(number);
        record.path = path;
        record.size = 10;
        record.place = Place::Staged;
        record.cause = cause;
        record.actor = actor;
        add(record);
    }
    void folder(VersionId time, std::uint8_t number, const std::string& path) {
        Record record;
        record.time = time;
        record.key = file(number);
        record.path = path;
        record.type = FileType::Folder;
        record.place = Place::None;
        record.cause = Cause::Baseline;
        add(record);
    }
    void act(RecordKind kind, VersionId time, std::uint8_t number, const std::string& path,
             const std::string& from, const std::string& actor) {
        Record record;
        record.kind = kind;
        record.time = time;
        record.key = file(number);
        record.path = path;
        record.from = from;
        record.actor = actor;
        add(record);
    }
    void add(const Record& record) { ASSERT_TRUE(journal_->append(record)); }

    static Question since(VersionId time) { return {.since = time, .actor = {}, .path = {}}; }
    Plan plan(const Question& question) { return History::read(doors_, "state")->plan(question); }
    static const PlanItem* item(const Plan& plan, const std::string& path) {
        for (const PlanItem& item : plan.items)
            if (item.path == path) return &item;
        return nullptr;
    }

    sim::SimDisk disk_;
    sim::SimClock clock_;
    sim::SimRandom random_{5};
    StoreDoors doors_{disk_, clock_, random_};
    crypto::Secret32 key_;
    std::unique_ptr<Journal> journal_;
};

TEST_F(FilesHistory, ReplacesWhatWasOverwritten) {
    present(10, 1, "/s/a", Cause::Baseline);
    present(30, 1, "/s/a", Cause::Commit, "evil");
    const Plan found = plan(since(20));
    ASSERT_EQ(found.items.size(), 1U);
    EXPECT_EQ(found.items[0].step, Step::Replace);
    EXPECT_EQ(found.items[0].wanted->version, 10U);
    EXPECT_TRUE(plan(since(30)).items.empty());
}

TEST_F(FilesHistory, BringsBackNamesAndSetsTheLockedOnesAside) {
    present(10, 1, "/s/a", Cause::Baseline);
    act(RecordKind::Moved, 30, 1, "/s/a.locked", "/s/a", "evil");
    present(31, 1, "/s/a.locked", Cause::Commit, "evil");
    const Plan found = plan(since(20));
    ASSERT_TRUE(item(found, "/s/a"));
    EXPECT_EQ(item(found, "/s/a")->step, Step::Recreate);
    EXPECT_EQ(item(found, "/s/a")->wanted->version, 10U);
    ASSERT_TRUE(item(found, "/s/a.locked"));
    EXPECT_EQ(item(found, "/s/a.locked")->step, Step::SetAside);
}

TEST_F(FilesHistory, WhatIsToldLateCountsFromWhenItHappened) {
    present(10, 1, "/s/a", Cause::Baseline);
    present(11, 2, "/s/b", Cause::Baseline);
    // Kept when somebody touched it; that it was whole since 20 is told later.
    present(30, 1, "/s/a", Cause::PreImage);
    Record told;
    told.kind = RecordKind::Committed;
    told.time = 40;
    told.happened = 20;
    told.key = file(1);
    told.path = "/s/a";
    told.version = 30;
    add(told);
    told.kind = RecordKind::Gone;
    told.time = 41;
    told.key = file(2);
    told.path = "/s/b";
    add(told);
    EXPECT_EQ(plan(since(15)).items.size(), 2U);
    EXPECT_TRUE(plan(since(25)).items.empty()) << "all of it was done before";
    const Timeline then = History::read(doors_, "state")->timeline(25);
    ASSERT_TRUE(then.at("/s/a"));
    EXPECT_EQ(then.at("/s/a")->version, 30U);
    EXPECT_FALSE(then.at("/s/b"));
}

TEST_F(FilesHistory, LeavesTheNewFilesOfOthersInPlace) {
    present(10, 1, "/s/a", Cause::Baseline);
    present(30, 1, "/s/a", Cause::Commit, "evil");
    present(31, 2, "/s/new-letter", Cause::Commit, "marie");
    const Plan found = plan(since(20));
    EXPECT_FALSE(item(found, "/s/new-letter"));
    EXPECT_EQ(found.spared, 1U);
}

TEST_F(FilesHistory, TakesBackOneActorAlone) {
    present(10, 1, "/s/a", Cause::Baseline);
    present(11, 2, "/s/b", Cause::Baseline);
    present(25, 1, "/s/a", Cause::Commit, "marie");
    present(30, 1, "/s/a", Cause::Commit, "evil");
    present(31, 2, "/s/b", Cause::Commit, "marie");
    const Plan found = plan({.since = 20, .actor = "evil", .path = {}});
    ASSERT_EQ(found.items.size(), 1U);
    // Marie's edit of the same morning stays.
    EXPECT_EQ(found.items[0].wanted->version, 25U);
}

TEST_F(FilesHistory, AnUnfinishedVersionIsNoState) {
    present(10, 1, "/s/a", Cause::Baseline);
    present(30, 1, "/s/a", Cause::PreImage, "evil");
    present(31, 1, "/s/a", Cause::Commit, "evil");
    EXPECT_EQ(plan(since(30)).items.at(0).wanted->version, 10U);
}

TEST_F(FilesHistory, AVersionThatItsWriterClosedIsOne) {
    present(10, 1, "/s/a", Cause::Baseline);
    present(30, 1, "/s/a", Cause::PreImage, "evil");
    Record committed;
    committed.kind = RecordKind::Committed;
    committed.time = 31;
    committed.key = file(1);
    committed.version = 30;
    committed.actor = "marie";
    add(committed);
    present(40, 1, "/s/a", Cause::Commit, "evil");
    EXPECT_EQ(plan(since(35)).items.at(0).wanted->version, 30U);
}

TEST_F(FilesHistory, FollowsARenamedFolder) {
    Record folder;
    folder.time = 5;
    folder.key = file(9);
    folder.path = "/s/d";
    folder.type = FileType::Folder;
    folder.cause = Cause::Baseline;
    add(folder);
    present(10, 1, "/s/d/a", Cause::Baseline);
    act(RecordKind::Moved, 30, 9, "/s/x", "/s/d", "evil");
    present(31, 1, "/s/x/a", Cause::Commit, "evil");
    const Plan found = plan(since(20));
    EXPECT_EQ(item(found, "/s/d/a")->step, Step::Recreate);
    EXPECT_EQ(item(found, "/s/d/a")->wanted->version, 10U);
    EXPECT_EQ(item(found, "/s/d")->step, Step::Recreate);
    EXPECT_EQ(item(found, "/s/x")->step, Step::SetAside);
    EXPECT_EQ(item(found, "/s/x/a")->step, Step::SetAside);
}

TEST_F(FilesHistory, UnderstandsAnExchange) {
    present(10, 1, "/s/a", Cause::Baseline);
    present(11, 2, "/s/b", Cause::Baseline);
    act(RecordKind::Gone, 30, 2, "/s/b", "", "evil");
    act(RecordKind::Moved, 31, 1, "/s/b", "/s/a", "evil");
    act(RecordKind::Moved, 32, 2, "/s/a", "/s/b", "evil");
    const Plan found = plan(since(20));
    EXPECT_EQ(item(found, "/s/a")->wanted->key, file(1));
    EXPECT_EQ(item(found, "/s/b")->wanted->key, file(2));
    EXPECT_EQ(item(found, "/s/a")->now->key, file(2));
}

/// Each with all that is in it: what came into the place of the other is put aside.
TEST_F(FilesHistory, UnderstandsAnExchangeOfFolders) {
    folder(10, 1, "/s/a");
    present(11, 11, "/s/a/x", Cause::Baseline);
    present(12, 12, "/s/a/y", Cause::Baseline);
    folder(13, 2, "/s/b");
    present(14, 21, "/s/b/z", Cause::Baseline);
    act(RecordKind::Gone, 30, 2, "/s/b", "", "evil");
    act(RecordKind::Moved, 31, 1, "/s/b", "/s/a", "evil");
    act(RecordKind::Moved, 32, 2, "/s/a", "/s/b", "evil");
    act(RecordKind::Gone, 40, 12, "/s/b/y", "", "evil");
    const Plan found = plan(since(20));
    ASSERT_TRUE(item(found, "/s/a/y"));
    EXPECT_EQ(item(found, "/s/a/y")->wanted->key, file(12));
    EXPECT_FALSE(item(found, "/s/a/y")->now);
    EXPECT_EQ(item(found, "/s/b/z")->wanted->key, file(21));
    EXPECT_EQ(item(found, "/s/b/x")->step, Step::SetAside);
    ASSERT_TRUE(item(found, "/s/a/z"));
    EXPECT_EQ(item(found, "/s/a/z")->step, Step::SetAside);
    // What was lost after the exchange comes back to where it was then.
    const Plan later = plan(since(35));
    ASSERT_TRUE(item(later, "/s/b/y"));
    EXPECT_EQ(item(later, "/s/b/y")->step, Step::Recreate);
}

TEST(FilesActors, ReadACommandNameThatLies) {
    const auto stat =
        parse_stat("42 (a) R 7 (b) S 11 42 42 0 -1 4194304 1 0 0 0 1 2 0 0 20 0 1 0 987654 1 1 1");
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->parent, 11);
    EXPECT_EQ(stat->started, 987654U);
    EXPECT_FALSE(parse_stat("42 (a) R 7"));
    EXPECT_FALSE(parse_stat(""));
}

}  // namespace
}  // namespace hygie::files
