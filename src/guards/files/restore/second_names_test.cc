#include "guards/files/restore/second_names.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guards/files/live.h"
#include "guards/files/restore/restore.h"
#include "sim/temp_dir.h"

namespace hygie::files {
namespace {

/// A file of two names on the real disk, and a guard that is told what becomes of them.
class FilesSecondNames : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(real_disk().make_dirs(share_));
        auto volume = Volume::open(0, {share_});
        if (!volume) GTEST_SKIP() << "no file handles here: " << volume.error().what.en;
        volume_ = std::move(*volume);
        store_ = *Store::open(doors_, state_);
        ASSERT_TRUE(store_->add_stage(*volume_, state_ + "/stage0"));
        ASSERT_TRUE(write_volumes(real_disk(), state_,
                                  {{0, volume_->id(), volume_->type(), state_ + "/stage0"}}));
        write(letter_, "Chère Élodie");
        key_ = keep(letter_, Cause::Baseline, "");
        ASSERT_EQ(::link(letter_.c_str(), second_.c_str()), 0);
        ASSERT_TRUE(store_->note_moved(key_, {}, second_, {}, Cause::Baseline));
        since_ = store_->next_version();
    }

    static void write(const std::string& path, std::string_view text) {
        ASSERT_TRUE(real_disk().write_file(path, as_bytes(text)));
    }
    static std::string read(const std::string& path) {
        const auto bytes = real_disk().read_file(path, 1 << 20);
        return bytes ? std::string(as_text(*bytes)) : "(none)";
    }
    FileKey keep(const std::string& path, Cause cause, const std::string& actor) {
        const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        const FileKey key = *volume_->key_of(fd.get());
        EXPECT_TRUE(
            store_->keep({*volume_, fd.get(), key, path}, cause, actor, Store::Effort::Bytes));
        return key;
    }
    void remove(const std::string& path) {
        ASSERT_EQ(::unlink(path.c_str()), 0);
        ASSERT_TRUE(store_->note_gone(key_, path, Cause::Unlink, "evil"));
    }
    RestoreResult bring_back(const std::string& path = {}) {
        const History history = *History::read(doors_, state_);
        RestoreResult result = *restore(doors_, state_, history, history.plan({since_, {}, path}));
        EXPECT_EQ(result.failed, 0U);
        EXPECT_FALSE(result.unreported);
        return result;
    }
    bool is_one() { return is_one_file(letter_, second_); }

    sim::TempDir dir_;
    std::string share_ = dir_ / "share";
    std::string state_ = dir_ / "state";
    std::string letter_ = share_ + "/lettre.txt";
    std::string second_ = share_ + "/copie.txt";
    StoreDoors doors_{real_disk(), real_clock(), real_random()};
    std::unique_ptr<Volume> volume_;
    std::unique_ptr<Store> store_;
    FileKey key_;
    VersionId since_ = 0;
};

TEST_F(FilesSecondNames, ComeBackToTheFileThatStands) {
    struct stat was{};
    ASSERT_EQ(::stat(letter_.c_str(), &was), 0);
    remove(second_);
    const RestoreResult result = bring_back();
    EXPECT_EQ(result.outcomes.at(0).second_name_of, letter_);
    EXPECT_TRUE(result.outcomes.at(0).is_verified);
    EXPECT_TRUE(is_one());
    struct stat is{};
    ASSERT_EQ(::stat(second_.c_str(), &is), 0);
    EXPECT_EQ(is.st_ino, was.st_ino);
    EXPECT_EQ(is.st_nlink, was.st_nlink);
    EXPECT_NE(read(result.report).find("second_name_of"), std::string::npos);
}

TEST_F(FilesSecondNames, ComeBackToOneFileWhenAllAreGone) {
    const std::string third = share_ + "/troisième.txt";
    ASSERT_EQ(::link(letter_.c_str(), third.c_str()), 0);
    ASSERT_TRUE(store_->note_moved(key_, {}, third, {}, Cause::Baseline));
    since_ = store_->next_version();
    for (const std::string& path : {second_, letter_, third}) remove(path);
    (void)bring_back();
    EXPECT_TRUE(is_one());
    EXPECT_TRUE(is_one_file(letter_, third));
    EXPECT_EQ(read(letter_), "Chère Élodie");
}

TEST_F(FilesSecondNames, GoBackToWhatStoodThereWhenThatIsUndone) {
    write(letter_, "%$#@!");
    keep(letter_, Cause::Commit, "evil");
    const RestoreResult result = bring_back();
    EXPECT_TRUE(is_one());
    EXPECT_EQ(read(second_), "Chère Élodie");
    const RestoreResult undone = *undo(doors_, state_, result.id);
    EXPECT_EQ(undone.failed, 0U);
    EXPECT_TRUE(is_one());
    EXPECT_EQ(read(letter_), "%$#@!");
    // And that in turn.
    EXPECT_EQ(undo(doors_, state_, undone.id)->failed, 0U);
    EXPECT_EQ(read(letter_), "Chère Élodie");
}

TEST_F(FilesSecondNames, LeaveNoNameOfALiveFileAmongTheEvidence) {
    remove(second_);
    write(second_, "%$#@!");
    keep(second_, Cause::Commit, "evil");
    struct stat was{};
    ASSERT_EQ(::stat(letter_.c_str(), &was), 0);
    const RestoreResult result = bring_back();
    EXPECT_TRUE(is_one());
    EXPECT_EQ(undo(doors_, state_, result.id)->failed, 0U);
    EXPECT_EQ(read(second_), "%$#@!");
    struct stat is{};
    ASSERT_EQ(::stat(letter_.c_str(), &is), 0);
    EXPECT_EQ(is.st_nlink, was.st_nlink);
}

TEST_F(FilesSecondNames, AreFilesOfTheirOwnWhereNothingIsWhatItWas) {
    struct stat was{};
    ASSERT_EQ(::stat(letter_.c_str(), &was), 0);
    const auto write_as_of_then = [&](std::string_view text) {
        write(letter_, text);
        const timespec times[2] = {was.st_atim, was.st_mtim};
        ASSERT_EQ(::utimensat(AT_FDCWD, letter_.c_str(), times, 0), 0);
    };
    remove(second_);
    // Other bytes of the same file.
    write_as_of_then("%$#@!%$#@!%$#@");
    (void)bring_back(second_);
    EXPECT_FALSE(is_one());
    EXPECT_EQ(read(second_), "Chère Élodie");
    remove(second_);
    // Equal bytes of another file.
    ASSERT_EQ(::unlink(letter_.c_str()), 0);
    write_as_of_then("Chère Élodie");
    (void)bring_back(second_);
    EXPECT_FALSE(is_one());
    EXPECT_EQ(read(second_), "Chère Élodie");
}

TEST_F(FilesSecondNames, AreNotMadeOfAFileThatWasRenamed) {
    const std::string moved = share_ + "/déplacée.txt";
    remove(second_);
    since_ = store_->next_version();
    ASSERT_EQ(::rename(letter_.c_str(), moved.c_str()), 0);
    ASSERT_TRUE(store_->note_moved(key_, letter_, moved, "someone"));
    (void)bring_back(letter_);
    EXPECT_EQ(read(letter_), "Chère Élodie");
    EXPECT_FALSE(is_one_file(letter_, moved));
}

TEST_F(FilesSecondNames, ThatWentWhileNoGuardLookedComeBackToTheirFile) {
    ASSERT_EQ(::unlink(second_.c_str()), 0);
    const History history = *History::read(doors_, state_);
    const Plan plan = *plan_of(doors_, state_, history, {since_, {}, {}});
    ASSERT_EQ(plan.items.size(), 1U);
    EXPECT_EQ(restore(doors_, state_, history, plan)->failed, 0U);
    EXPECT_TRUE(is_one());
}

}  // namespace
}  // namespace hygie::files
