#include "guards/files/store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guards/files/history.h"
#include "guards/files/report.h"
#include "guards/files/restore.h"
#include "sim/sim_random.h"
#include "sim/temp_dir.h"

namespace hygie::files {
namespace {

/// A store on the real disk, fed as the gate feeds it.
class FilesStore : public testing::Test {
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
    }

    void write(const std::string& path, std::string_view text) {
        ASSERT_TRUE(real_disk().write_file(path, as_bytes(text)));
    }
    std::string read(const std::string& path) {
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
    RestoreResult bring_back(VersionId since) {
        const History history = *History::read(doors_, state_);
        return *restore(doors_, state_, history, history.plan({since, {}, {}}));
    }

    sim::TempDir dir_;
    std::string share_ = dir_ / "share";
    std::string state_ = dir_ / "state";
    std::string letter_ = share_ + "/lettre à Élodie.txt";
    StoreDoors doors_{real_disk(), real_clock(), real_random()};
    std::unique_ptr<Volume> volume_;
    std::unique_ptr<Store> store_;
};

TEST_F(FilesStore, BringsBackWhatWasStaged) {
    write(letter_, "Chère Élodie");
    ::chmod(letter_.c_str(), 0640);
    keep(letter_, Cause::Baseline, "");
    const VersionId since = store_->next_version();
    write(letter_, "%$#@!");
    ::chmod(letter_.c_str(), 0600);
    keep(letter_, Cause::Commit, "evil");
    const RestoreResult result = bring_back(since);
    EXPECT_EQ(result.done, 1U);
    EXPECT_TRUE(result.outcomes.at(0).is_verified);
    EXPECT_EQ(read(letter_), "Chère Élodie");
    struct stat info{};
    ::stat(letter_.c_str(), &info);
    EXPECT_EQ(info.st_mode & 07777U, 0640U);
}

TEST_F(FilesStore, BringsBackWhatWasSealedAndNoLongerStaged) {
    write(letter_, "Chère Élodie");
    const FileKey key = keep(letter_, Cause::Baseline, "");
    const VersionId version = store_->catalog().find(key)->version;
    const VersionId since = store_->next_version();
    write(letter_, "%$#@!");
    keep(letter_, Cause::Commit, "evil");
    ASSERT_TRUE(store_->seal(key, version));
    EXPECT_FALSE(store_->stage(0).open_version(key, version));
    const RestoreResult result = bring_back(since);
    EXPECT_TRUE(result.outcomes.at(0).is_verified);
    EXPECT_EQ(read(letter_), "Chère Élodie");
}

TEST_F(FilesStore, SaysWhichBytesAreGoneAndRestoresTheRest) {
    write(letter_, "Chère Élodie");
    const FileKey key = keep(letter_, Cause::Baseline, "");
    const VersionId version = store_->catalog().find(key)->version;
    const VersionId since = store_->next_version();
    write(letter_, "%$#@!");
    keep(letter_, Cause::Commit, "evil");
    ASSERT_TRUE(store_->drop(key, version));
    const RestoreResult result = bring_back(since);
    EXPECT_EQ(result.failed, 1U);
    ASSERT_TRUE(result.outcomes.at(0).problem);
    EXPECT_EQ(result.outcomes.at(0).problem->code, Code::NotFound);
    EXPECT_EQ(read(letter_), "%$#@!");
}

TEST_F(FilesStore, UndoesARestore) {
    write(letter_, "Chère Élodie");
    keep(letter_, Cause::Baseline, "");
    const VersionId since = store_->next_version();
    write(letter_, "a later text");
    keep(letter_, Cause::Commit, "marie");
    const RestoreResult result = bring_back(since);
    EXPECT_EQ(read(letter_), "Chère Élodie");
    ASSERT_TRUE(undo(doors_, state_, result.id));
    EXPECT_EQ(read(letter_), "a later text");
}

TEST_F(FilesStore, NoticesAReportThatWasChanged) {
    write(letter_, "Chère Élodie");
    keep(letter_, Cause::Baseline, "");
    const VersionId since = store_->next_version();
    write(letter_, "%$#@!");
    keep(letter_, Cause::Commit, "evil");
    const RestoreResult result = bring_back(since);
    EXPECT_TRUE(verify_report(doors_, state_, result.id));
    std::string text = read(result.report);
    text[text.find("\"done\":true") + 7] = 'T';
    write(result.report, text);
    EXPECT_FALSE(verify_report(doors_, state_, result.id));
}

TEST_F(FilesStore, FindsWhatAKilledGuardStaged) {
    write(letter_, "Chère Élodie");
    const UniqueFd fd(::open(letter_.c_str(), O_RDONLY | O_CLOEXEC));
    const FileKey key = *volume_->key_of(fd.get());
    // Staged, and dead before a word of it was written down.
    const VersionId version = store_->next_version();
    ASSERT_TRUE(store_->stage(0).keep(fd.get(), key, version));
    store_.reset();
    store_ = *Store::open(doors_, state_);
    ASSERT_TRUE(store_->add_stage(*volume_, state_ + "/stage0"));
    bool is_found = false;
    const History history = *History::read(doors_, state_);
    for (const Record& record : history.records())
        is_found = is_found || (record.time == version && record.cause == Cause::Adopted);
    EXPECT_TRUE(is_found);
    EXPECT_GT(store_->next_version(), version);
}

}  // namespace
}  // namespace hygie::files
