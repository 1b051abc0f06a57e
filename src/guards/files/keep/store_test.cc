#include "guards/files/keep/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <future>
#include <utility>

#include "guards/files/keep/history.h"
#include "guards/files/live.h"
#include "guards/files/restore/report.h"
#include "guards/files/restore/restore.h"
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

    struct Destroyed {
        FileKey key;
        VersionId version, since;
    };
    Destroyed mark_and_destroy_letter() {
        write(letter_, "Chère Élodie");
        const FileKey key = keep(letter_, Cause::Baseline, "");
        const VersionId version = store_->catalog().find(key)->version;
        EXPECT_TRUE(store_->mark(key, version, {}));
        const VersionId since = store_->next_version();
        write(letter_, "%$#@!");
        keep(letter_, Cause::Commit, "evil");
        return {key, version, since};
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

TEST_F(FilesStore, SaysByWhatEachFileIsProven) {
    const auto [key, version, since] = mark_and_destroy_letter();
    const std::string hash = to_hex(crypto::sha256(as_bytes("Chère Élodie")));
    const auto proof = [&](Hashing hashing) {
        const History history = *History::read(doors_, state_);
        const Plan plan = history.plan({since, {}, {}});
        const RestoreResult result = *restore(doors_, state_, history, plan, hashing);
        EXPECT_EQ(read(letter_), "Chère Élodie");
        EXPECT_EQ(result.outcomes.at(0).hash, hash);
        EXPECT_NE(read(result.report).find(hash), std::string::npos);
        return result.outcomes.at(0).proof;
    };
    EXPECT_EQ(proof(Hashing::WhereNeeded), Proof::Mark);
    EXPECT_EQ(proof(Hashing::Always), Proof::Hash);
    ASSERT_TRUE(store_->seal(key, version));
    EXPECT_EQ(proof(Hashing::WhereNeeded), Proof::Seals);
}

TEST_F(FilesStore, BringsBackNothingInPlaceOfWhatWasMarked) {
    const auto [key, version, since] = mark_and_destroy_letter();
    const UniqueFd kept = *store_->stage(0).open_own(key, version);
    const UniqueFd out(::open(fmt::format("/proc/self/fd/{}", kept.get()).c_str(), O_WRONLY));
    ASSERT_EQ(::pwrite(out.get(), "X", 1, 0), 1);
    const auto is_refused = [&] {
        const Outcome outcome = bring_back(since).outcomes.at(0);
        return outcome.problem && outcome.problem->code == Code::Corrupt && !outcome.is_verified;
    };
    EXPECT_TRUE(is_refused());
    // Nor once it is sealed as it is by now.
    ASSERT_TRUE(store_->seal(key, version));
    EXPECT_TRUE(is_refused());
    EXPECT_EQ(read(letter_), "%$#@!");
}

TEST_F(FilesStore, BringsBackWhatAGuardAtWorkSealsMeanwhile) {
    write(letter_, "Chère Élodie");
    const FileKey key = keep(letter_, Cause::Baseline, "");
    const VersionId version = store_->catalog().find(key)->version;
    const VersionId since = store_->next_version();
    write(letter_, "%$#@!");
    keep(letter_, Cause::Commit, "evil");
    const History history = *History::read(doors_, state_);
    ASSERT_TRUE(store_->seal(key, version));
    const RestoreResult result = *restore(doors_, state_, history, history.plan({since, {}, {}}));
    EXPECT_TRUE(result.outcomes.at(0).is_verified);
    EXPECT_FALSE(result.outcomes.at(0).problem);
    EXPECT_EQ(read(letter_), "Chère Élodie");
}

TEST_F(FilesStore, ComesBackWhereNothingCanBeMovedFromTheEvidence) {
    const std::string other = fmt::format("/dev/shm/hygie-evidence-{}", ::getpid());
    if (!real_disk().make_dirs(other + "/stage0")) GTEST_SKIP() << "no second file system here";
    ASSERT_TRUE(write_volumes(real_disk(), state_,
                              {{0, volume_->id(), volume_->type(), other + "/stage0"}}));
    write(letter_, "Chère Élodie");
    const FileKey key = keep(letter_, Cause::Commit, "");
    const VersionId since = store_->next_version();
    for (const bool is_written_over : {false, true}) {
        ::unlink(letter_.c_str());
        if (is_written_over) write(letter_, "%$#@!");
        if (is_written_over) ::chmod(letter_.c_str(), 0604);
        ASSERT_TRUE(store_->note_gone(key, letter_, Cause::Unlink, "evil"));
        const RestoreResult result = bring_back(since);
        EXPECT_EQ(result.done, 1U);
        EXPECT_EQ(read(letter_), "Chère Élodie");
        EXPECT_EQ(std::distance(std::filesystem::directory_iterator(share_), {}), 1);
        if (!is_written_over) continue;
        const std::string evidence = result.outcomes.at(0).evidence;
        EXPECT_EQ(read(evidence), "%$#@!");
        const RestoreResult undone = *undo(doors_, state_, result.id);
        EXPECT_EQ(undone.done, 1U);
        EXPECT_EQ(read(letter_), "%$#@!");
        EXPECT_EQ(read(evidence), "Chère Élodie");
        struct stat info{};
        ::stat(letter_.c_str(), &info);
        EXPECT_EQ(info.st_mode & 0777U, 0604U);
        EXPECT_EQ(std::distance(std::filesystem::directory_iterator(share_), {}), 1);
    }
    std::filesystem::remove_all(other);
}

TEST_F(FilesStore, AFileWhoseTimeWasSetBeforeItWasWrittenOverComesBack) {
    write(letter_, "Chère Élodie");
    const UniqueFd fd(::open(letter_.c_str(), O_RDONLY | O_CLOEXEC));
    const FileKey key = *volume_->key_of(fd.get());
    const Store::Subject subject{*volume_, fd.get(), key, letter_};
    // Where nothing can be cloned, a second name stands for its bytes.
    ASSERT_TRUE(store_->keep(subject, Cause::Baseline, "", Store::Effort::Cheaply));
    const VersionId since = store_->next_version();
    const timespec times[2] = {{500'000'000, 0}, {500'000'000, 0}};
    ASSERT_EQ(::futimens(fd.get(), times), 0);
    if (!store_->catalog().find(key)->is_held) {
        ASSERT_TRUE(store_->keep(subject, Cause::PreImage, "evil", Store::Effort::Bytes));
    }
    write(letter_, "%$#@!");
    keep(letter_, Cause::Commit, "evil");
    const RestoreResult result = bring_back(since);
    EXPECT_TRUE(result.outcomes.at(0).is_verified);
    EXPECT_EQ(read(letter_), "Chère Élodie");
}

TEST_F(FilesStore, AFileWhoseTimeWasSetBeforeItWasUnlinkedComesBack) {
    write(letter_, "Chère Élodie");
    const UniqueFd fd(::open(letter_.c_str(), O_RDONLY | O_CLOEXEC));
    const FileKey key = *volume_->key_of(fd.get());
    ASSERT_TRUE(store_->keep({*volume_, fd.get(), key, letter_}, Cause::Baseline, "",
                             Store::Effort::Cheaply));
    const VersionId since = store_->next_version();
    const timespec times[2] = {{500'000'000, 0}, {500'000'000, 0}};
    ASSERT_EQ(::futimens(fd.get(), times), 0);
    const bool is_linked = store_->catalog().find(key)->place == Place::Linked;
    ::unlink(letter_.c_str());
    ASSERT_TRUE(store_->note_gone(key, letter_, Cause::Unlink, "evil"));
    const RestoreResult result = bring_back(since);
    EXPECT_EQ(result.done, 1U);
    EXPECT_EQ(result.outcomes.at(0).is_verified, !is_linked) << "nothing says who set its time";
    EXPECT_EQ(read(letter_), "Chère Élodie");
}

nlink_t names_of(const std::string& path) {
    struct stat info{};
    return ::lstat(path.c_str(), &info) == 0 ? info.st_nlink : 0;
}

/// gzip leaves a file alone that has two.
TEST_F(FilesStore, AFileThatLosesItsSecondNameComesBackAllTheSame) {
    write(letter_, "Chère Élodie");
    const UniqueFd fd(::open(letter_.c_str(), O_RDONLY | O_CLOEXEC));
    const FileKey key = *volume_->key_of(fd.get());
    const Store::Subject subject{*volume_, fd.get(), key, letter_};
    ASSERT_TRUE(store_->keep(subject, Cause::Baseline, "", Store::Effort::Cheaply));
    if (store_->catalog().find(key)->place != Place::Linked) GTEST_SKIP() << "clones need none";
    ASSERT_TRUE(store_->end_second_name(subject));
    ASSERT_EQ(names_of(letter_), 2U) << "it stands for the bytes";
    ASSERT_TRUE(store_->keep(subject, Cause::Adopted, "", Store::Effort::Bytes));
    ASSERT_TRUE(store_->end_second_name(subject));
    EXPECT_EQ(names_of(letter_), 1U);
    store_.reset();
    store_ = *Store::open(doors_, state_);
    ASSERT_TRUE(store_->add_stage(*volume_, state_ + "/stage0"));
    EXPECT_FALSE(store_->catalog().find(key)->is_linked) << "else its one name counts for none";
    const VersionId since = store_->next_version();
    ::unlink(letter_.c_str());
    ASSERT_TRUE(store_->note_gone(key, letter_, Cause::Unlink, "evil"));
    EXPECT_TRUE(bring_back(since).outcomes.at(0).is_verified);
    EXPECT_EQ(read(letter_), "Chère Élodie");
}

TEST_F(FilesStore, WhatWasCopiedBeforeAWriteIsNotCopiedAgainByTheNextGuard) {
    write(letter_, "Chère Élodie");
    const UniqueFd fd(::open(letter_.c_str(), O_RDONLY | O_CLOEXEC));
    const Store::Subject subject{*volume_, fd.get(), *volume_->key_of(fd.get()), letter_};
    ASSERT_TRUE(store_->keep(subject, Cause::Baseline, "", Store::Effort::Cheaply));
    const VersionId since = store_->next_version();
    if (!store_->catalog().find(subject.key)->is_held) {
        ASSERT_TRUE(store_->keep(subject, Cause::PreImage, "evil", Store::Effort::Bytes));
    }
    const UniqueFd evil(::open(letter_.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(evil.get(), "%$#@!", 5, 0), 5);
    store_.reset();
    store_ = *Store::open(doors_, state_);
    ASSERT_TRUE(store_->add_stage(*volume_, state_ + "/stage0"));
    ASSERT_TRUE(store_->keep(subject, Cause::Adopted, "", Store::Effort::Bytes));
    bring_back(since);
    EXPECT_EQ(read(letter_), "Chère Élodie");
}

TEST_F(FilesStore, WhatChangedSinceKeepsTheNameThatStandsForIt) {
    write(letter_, "Chère Élodie");
    const UniqueFd fd(::open(letter_.c_str(), O_RDONLY | O_CLOEXEC));
    const FileKey key = *volume_->key_of(fd.get());
    const Store::Subject subject{*volume_, fd.get(), key, letter_};
    ASSERT_TRUE(store_->keep(subject, Cause::Baseline, "", Store::Effort::Cheaply));
    write(letter_, "%$#@!");
    const nlink_t before = names_of(letter_);
    EXPECT_TRUE(store_->end_second_name(subject));
    EXPECT_EQ(names_of(letter_), before);
}

TEST_F(FilesStore, BytesThatAreKeptNeedNoSecondName) {
    write(letter_, std::string(2 * Store::kSmallBytesMax, 'a'));
    keep(letter_, Cause::Commit, "accueil");
    EXPECT_EQ(names_of(letter_), 1U);
}

/// Does something once, at the first look.
class EventfulClock final : public Clock {
  public:
    WallTime now() override {
        if (const auto event = std::exchange(event_, {})) event();
        return real_clock().now();
    }
    SteadyTime steady() override { return real_clock().steady(); }
    void sleep_for(Micros) override {}
    void expect(std::function<void()> event) { event_ = std::move(event); }

  private:
    std::function<void()> event_;
};

/// A doorman seals what loses its second name while the keeper clears up.
TEST_F(FilesStore, WhatIsSealedDuringACompactionStays) {
    const std::string other = share_ + "/other";
    write(other, "Chère Élodie");
    const FileKey gone = keep(other, Cause::Baseline, "");
    const VersionId dropped = store_->catalog().find(gone)->version;
    ASSERT_TRUE(store_->seal(gone, dropped));
    // The next guard begins a pack of its own.
    EventfulClock clock;
    store_.reset();
    store_ = *Store::open({real_disk(), clock, real_random()}, state_);
    ASSERT_TRUE(store_->add_stage(*volume_, state_ + "/stage0"));
    ASSERT_TRUE(store_->drop(gone, dropped));
    write(letter_, "Chère Élodie");
    const FileKey key = keep(letter_, Cause::Baseline, "");
    const VersionId version = store_->catalog().find(key)->version;
    std::future<Status> compaction;
    // Once its bytes are found to lie there already, and before they are named.
    clock.expect([&] {
        compaction = std::async(std::launch::async, [&] { return store_->compact(); });
        (void)compaction.wait_for(std::chrono::milliseconds(200));
    });
    ASSERT_TRUE(store_->seal(key, version));
    ASSERT_TRUE(compaction.valid());
    EXPECT_TRUE(compaction.get());
    Bytes bytes(as_bytes("Chère Élodie").size());
    EXPECT_TRUE(store_->content(key, version, bytes.size())->read_at(0, bytes));
    EXPECT_EQ(as_text(bytes), "Chère Élodie");
    store_.reset();  // before its clock
}

/// A virtual disk: a hundred gigabytes, of which a few pages are written.
class FilesStoreSparse : public FilesStore {
  protected:
    static constexpr off_t kSize = off_t{100} << 30;
    static constexpr off_t kMiddle = kSize / 2 + 12'345;

    void put(off_t at, std::string_view text) {
        const UniqueFd fd(::open(disk_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        ASSERT_EQ(::pwrite(fd.get(), text.data(), text.size(), at),
                  static_cast<ssize_t>(text.size()));
    }
    std::string get(off_t at, std::size_t size) {
        const UniqueFd fd(::open(disk_.c_str(), O_RDONLY | O_CLOEXEC));
        std::string text(size, '?');
        EXPECT_EQ(::pread(fd.get(), text.data(), size, at), static_cast<ssize_t>(size));
        return text;
    }
    FileKey make() {
        put(0, "start");
        put(kMiddle, "middle");
        put(kSize - 3, "end");
        return keep(disk_, Cause::Baseline, "");
    }
    void expect_whole(const RestoreResult& result) {
        ASSERT_TRUE(result.outcomes.at(0).is_verified);
        EXPECT_EQ(get(0, 5) + get(kMiddle, 6) + get(kSize - 3, 3), "startmiddleend");
        EXPECT_EQ(get(kSize / 4, 5), std::string(5, '\0')) << "what was put there is gone";
        struct stat info{};
        ::stat(disk_.c_str(), &info);
        EXPECT_EQ(info.st_size, kSize);
        EXPECT_LT(info.st_blocks, 20'000) << "its holes are holes";
    }

    std::string disk_ = share_ + "/disk.img";
};

TEST_F(FilesStoreSparse, ComesBackWithItsHoles) {
    make();
    const VersionId since = store_->next_version();
    put(kSize / 4, "other");
    put(kMiddle, "broken");
    keep(disk_, Cause::Commit, "evil");
    expect_whole(bring_back(since));
}

TEST_F(FilesStoreSparse, IsMarkedAndComesBackWithItsHoles) {
    const FileKey key = make();
    const VersionId version = store_->catalog().find(key)->version;
    ASSERT_TRUE(store_->mark(key, version, {}));
    const VersionId since = store_->next_version();
    put(kSize / 4, "other");
    put(kMiddle, "broken");
    keep(disk_, Cause::Commit, "evil");
    const RestoreResult result = bring_back(since);
    expect_whole(result);
    EXPECT_EQ(result.outcomes.at(0).proof, Proof::Mark);
    EXPECT_TRUE(result.outcomes.at(0).is_sparse);
}

TEST_F(FilesStoreSparse, IsSealedAndComesBackWithItsHoles) {
    const FileKey key = make();
    const VersionId version = store_->catalog().find(key)->version;
    const VersionId since = store_->next_version();
    put(kSize / 4, "other");
    put(kMiddle, "broken");
    keep(disk_, Cause::Commit, "evil");
    ASSERT_TRUE(store_->seal(key, version));
    EXPECT_FALSE(store_->stage(0).open_version(key, version));
    expect_whole(bring_back(since));
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

/// A guard killed between the event and its record, or a reader who came before the clerk.
TEST_F(FilesStore, RightsOfWhichNobodyToldBeforeItWasReadComeBack) {
    write(letter_, "Chère Élodie");
    ::chmod(letter_.c_str(), 0640);
    const FileKey key = keep(letter_, Cause::Baseline, "");
    const VersionId since = store_->next_version();
    ::chmod(letter_.c_str(), 0600);
    ASSERT_EQ(::setxattr(letter_.c_str(), "user.key", "k", 1, 0), 0);
    keep(letter_, Cause::PreImage, "evil");
    store_.reset();
    store_ = *Store::open(doors_, state_);
    ASSERT_TRUE(store_->add_stage(*volume_, state_ + "/stage0"));
    struct stat info{};
    ASSERT_EQ(::stat(letter_.c_str(), &info), 0);
    ASSERT_EQ(store_->catalog().find(key)->held, Stamp::of(info)) << "no scan will tell either";
    EXPECT_EQ(bring_back(since).done, 1U);
    ASSERT_EQ(::stat(letter_.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0640U);
    EXPECT_LT(::getxattr(letter_.c_str(), "user.key", nullptr, 0), 0);
}

/// What a writer has changed and not left belongs to the version that comes.
TEST_F(FilesStore, TheTimeOfHalfAVersionIsNotTakenForRights) {
    write(letter_, "Chère Élodie");
    const FileKey key = keep(letter_, Cause::Baseline, "");
    const Meta was = store_->catalog().find(key)->meta;
    write(letter_, "Chère Élodix");
    keep(letter_, Cause::PreImage, "evil");
    const History history = *History::read(doors_, state_);
    EXPECT_EQ(history.timeline(~VersionId{0}).at(letter_)->meta, was);
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

TEST_F(FilesStore, BothNamesOfOneFileComeBackAfterBothWereRemoved) {
    const std::string second = share_ + "/second";
    write(letter_, "Chère Élodie");
    ASSERT_EQ(::link(letter_.c_str(), second.c_str()), 0);
    for (const std::string& path : {letter_, second}) {
        const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        ASSERT_TRUE(store_->keep({*volume_, fd.get(), *volume_->key_of(fd.get()), path},
                                 Cause::Baseline, "", Store::Effort::Cheaply));
    }
    const FileKey key = *store_->catalog().at(second);
    EXPECT_TRUE(History::read(doors_, state_)->plan({1, {}, {}}).items.empty());
    const VersionId since = store_->next_version();
    for (const std::string& path : {letter_, second}) {
        ::unlink(path.c_str());
        ASSERT_TRUE(store_->note_gone(key, path, Cause::Unlink, "evil"));
    }
    const RestoreResult result = bring_back(since);
    EXPECT_EQ(result.done, 2U);
    EXPECT_EQ(result.failed, 0U);
    EXPECT_EQ(read(letter_), "Chère Élodie");
    EXPECT_EQ(read(second), "Chère Élodie");
}

TEST_F(FilesStore, AFolderThatComesBackTakesNoOtherNamesAlong) {
    const FileKey folder(0, 1, Bytes{1, 0, 0, 1});
    const FileKey file(0, 1, Bytes{2, 0, 0, 1});
    Known known;
    known.path = "/s/folder";
    known.type = FileType::Folder;
    store_->catalog().set(folder, known);
    known.path = "/s/letter";
    known.type = FileType::Regular;
    store_->catalog().set(file, known);
    ASSERT_TRUE(store_->catalog().remove_name(folder, "/s/folder"));
    store_->catalog().move(folder, {}, "/s/back");
    EXPECT_EQ(store_->catalog().at("/s/letter"), file);
    EXPECT_EQ(store_->catalog().at("/s/back"), folder);
}

TEST_F(FilesStore, WhatTheRecordsDoNotKnowIsSeenOnTheDisk) {
    const std::string lost = share_ + "/lost";
    const std::string same = share_ + "/same";
    for (const std::string& path : {letter_, lost, same}) {
        write(path, "Chère Élodie");
        keep(path, Cause::Baseline, "");
    }
    const VersionId since = store_->next_version();
    ::unlink(lost.c_str());
    struct stat info{};
    ::stat(letter_.c_str(), &info);
    // Written, its time put back, and never closed.
    const UniqueFd open(::open(letter_.c_str(), O_WRONLY | O_CLOEXEC));
    const timespec times[2] = {info.st_atim, info.st_mtim};
    // Until the kernel's clock has ticked.
    for (struct stat now = info; Stamp::of(now) == Stamp::of(info);) {
        ASSERT_EQ(::pwrite(open.get(), "%$#@!", 5, 0), 5);
        ASSERT_EQ(::futimens(open.get(), times), 0);
        ASSERT_EQ(::fstat(open.get(), &now), 0);
    }
    const History history = *History::read(doors_, state_);
    EXPECT_TRUE(history.plan({since, {}, {}}).items.empty());
    // Our own descriptors are no writer's: somebody else holds it.
    int until[2];
    ASSERT_EQ(::pipe2(until, O_CLOEXEC), 0);
    const pid_t holder = ::fork();
    if (holder == 0) {
        ::close(until[1]);
        char byte = 0;
        ::_exit(static_cast<int>(::read(until[0], &byte, 1)));
    }
    const Plan plan = *plan_of(doors_, state_, history, {since, {}, {}});
    ::close(until[0]);
    ::close(until[1]);
    ::waitpid(holder, nullptr, 0);
    ASSERT_EQ(plan.items.size(), 2U);
    const RestoreResult result = *restore(doors_, state_, history, plan);
    EXPECT_EQ(result.failed, 0U);
    for (const std::string& path : {letter_, lost, same}) EXPECT_EQ(read(path), "Chère Élodie");
    // One actor's changes are what the records say.
    EXPECT_TRUE(plan_of(doors_, state_, history, {since, "evil", {}})->items.empty());
}

TEST_F(FilesStore, CountsWhatWasFoundOnTheDiskUnderNobodysName) {
    write(letter_, "Chère Élodie");
    const FileKey key = keep(letter_, Cause::Baseline, "");
    const VersionId since = store_->next_version();
    ::chmod(letter_.c_str(), 0640);
    const UniqueFd fd(::open(letter_.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(store_->note_attributes({*volume_, fd.get(), key, letter_}, "evil"));
    // While no guard looked.
    write(letter_, "%$#@!");
    const History history = *History::read(doors_, state_);
    const Plan plan = *plan_of(doors_, state_, history, {since, {}, {}});
    ASSERT_EQ(plan.items.size(), 1U);
    EXPECT_EQ(changes_of(plan), (std::map<std::string, std::size_t>{{"", 1}, {"evil", 1}}));
    EXPECT_EQ(plan.actors, (std::set<std::string>{"", "evil"}));
}

TEST_F(FilesStore, AnImmutableFlagIsLiftedAndNamed) {
    write(letter_, "Chère Élodie");
    keep(letter_, Cause::Baseline, "");
    const VersionId since = store_->next_version();
    write(letter_, "%$#@!");
    keep(letter_, Cause::Commit, "evil");
    for (const std::string& path : {letter_, share_}) {
        const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        int flags = 0;
        if (::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) < 0) GTEST_SKIP() << "no flags here";
        flags |= FS_IMMUTABLE_FL;
        if (::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags) < 0) GTEST_SKIP() << "may not set flags";
    }
    const RestoreResult result = bring_back(since);
    EXPECT_EQ(result.failed, 0U);
    EXPECT_EQ(result.outcomes.at(0).lifted, (std::vector{letter_, share_}));
    EXPECT_EQ(read(letter_), "Chère Élodie");
}

}  // namespace
}  // namespace hygie::files
