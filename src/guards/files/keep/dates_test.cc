#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <thread>

#include "guards/files/keep/history.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"
#include "sim/temp_dir.h"

/// When what is written down happened.
namespace hygie::files {
namespace {

class FilesDates : public testing::Test {
  protected:
    void SetUp() override { open(); }
    void open() {
        store_.reset();
        store_ = *Store::open(doors_, "state");
    }
    VersionId now() { return static_cast<VersionId>(clock_.now().time_since_epoch().count()); }
    /// Somebody removed this name, at that time.
    void gone(const std::string& path, VersionId at) {
        const FileKey key(0, 1, Bytes{1, 0, 0, 1});
        ASSERT_TRUE(store_->note_gone(key, path, Cause::Unlink, Act("somebody", at)));
    }
    std::vector<VersionId> dates() {
        std::vector<VersionId> dates;
        const History history = *History::read(doors_, "state");
        for (const Record& record : history.records()) {
            dates.push_back(record.happened);
            EXPECT_LE(record.happened, record.time);
        }
        return dates;
    }

    sim::SimDisk disk_;
    sim::SimClock clock_;
    sim::SimRandom random_{6};
    StoreDoors doors_{disk_, clock_, random_};
    std::unique_ptr<Store> store_;
};

TEST_F(FilesDates, WhatIsToldLateIsDatedByWhenItHappened) {
    const VersionId then = now();
    clock_.advance(std::chrono::seconds(5));
    gone("/share/a", then);
    gone("/share/b", then + 7);
    gone("/share/c", 0);
    const VersionId told = now();
    const auto found = dates();
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0], then);
    EXPECT_EQ(found[1], then + 7);
    EXPECT_GE(found[2], told) << "when it is written down, since nobody says when else";
}

TEST_F(FilesDates, ABeginningOfTheRecordsIsWhatHappenedUntilSomeTime) {
    const VersionId then = now();
    clock_.advance(std::chrono::seconds(5));
    gone("/share/a", then + 9);
    gone("/share/b", then + 4);
    clock_.step(-std::chrono::hours(1));
    gone("/share/c", now());
    open();
    gone("/share/d", then);
    clock_.step(std::chrono::hours(2));
    gone("/share/e", now());
    const auto found = dates();
    EXPECT_EQ(found, (std::vector{then + 9, then + 10, then + 11, then + 12, now()}));
}

TEST_F(FilesDates, NothingHappensAfterItWasWrittenDown) {
    gone("/share/a", now() + 1'000'000'000);
    EXPECT_EQ(dates(), std::vector{now()});
}

TEST_F(FilesDates, WhatManyThreadsTellAtOnceIsInOrderToo) {
    const VersionId then = now();
    clock_.advance(std::chrono::seconds(5));
    {
        std::vector<std::jthread> threads;
        for (VersionId thread = 0; thread < 4; ++thread)
            threads.emplace_back([&, thread] {
                for (VersionId i = 0; i < 500; ++i) gone("/share/a", then + 4 * i + thread);
            });
    }
    const auto found = dates();
    EXPECT_EQ(found.size(), 2'000U);
    EXPECT_TRUE(std::ranges::is_sorted(found, std::ranges::less_equal()));
}

/// Tells what time it is; somebody may do something meanwhile.
class BusyClock final : public Clock {
  public:
    WallTime now() override {
        const WallTime now = real_clock().now();
        if (meanwhile) std::exchange(meanwhile, {})();
        return now;
    }
    SteadyTime steady() override { return real_clock().steady(); }
    void sleep_for(Micros duration) override { real_clock().sleep_for(duration); }
    std::function<void()> meanwhile;
};

/// Files of a real disk, told of late. What is written down needs none.
class FilesDatesOnDisk : public testing::Test {
  protected:
    static constexpr VersionId kSecond = 1'000'000;
    static constexpr std::array kSizes{std::size_t{0}, std::size_t{100}, Store::kSmallBytesMax + 1,
                                       Store::kCopiedBytesMax + 1};
    void SetUp() override {
        ASSERT_TRUE(real_disk().make_dirs(dir_ / "share"));
        auto volume = Volume::open(0, {dir_ / "share"});
        if (!volume) GTEST_SKIP() << "no file handles here: " << volume.error().what.en;
        volume_ = std::move(*volume);
        store_ = *Store::open(doors_, "state");
        ASSERT_TRUE(store_->add_stage(*volume_, dir_ / "stage0"));
    }
    void make(std::size_t size) {
        path_ = fmt::format("{}/{}", dir_ / "share", size);
        write(size, 'a');
        fd_ = UniqueFd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    }
    void write(std::size_t size, char what) {
        EXPECT_TRUE(real_disk().write_file(path_, Bytes(size, static_cast<std::uint8_t>(what))));
    }
    Store::Subject subject() { return {*volume_, fd_.get(), *volume_->key_of(fd_.get()), path_}; }
    Status keep(const Act& act) {
        return store_->keep(subject(), Cause::Commit, act, Store::Effort::Bytes);
    }
    Stamp stamp() const {
        struct stat info{};
        EXPECT_EQ(::fstat(fd_.get(), &info), 0);
        return Stamp::of(info);
    }
    VersionId modified() const { return static_cast<VersionId>(stamp().modified_ns / 1000); }
    VersionId changed() const { return static_cast<VersionId>(stamp().changed_ns / 1000); }
    Record last() {
        const History history = *History::read(doors_, "state");
        const auto end = history.records().rend();
        const auto act = std::find_if(history.records().rbegin(), end, is_act);
        return act == end ? Record() : *act;
    }
    void expect_dated_by(VersionId change) {
        EXPECT_GE(last().happened, change);
        EXPECT_LE(last().happened, change + 15'000) << "and not when it was written down";
    }

    const sim::TempDir dir_;
    std::string path_;
    sim::SimDisk disk_;
    BusyClock clock_;
    sim::SimRandom random_{7};
    StoreDoors doors_{disk_, clock_, random_};
    std::unique_ptr<Volume> volume_;
    std::unique_ptr<Store> store_;
    UniqueFd fd_;
};

TEST_F(FilesDatesOnDisk, BytesAreNotOlderThanTheLastChangeOfTheirFile) {
    for (const std::size_t size : kSizes) {
        make(size);
        ::usleep(30'000);
        const VersionId told = modified() - 5 * kSecond;
        ASSERT_TRUE(keep(Act("somebody", told)));
        expect_dated_by(modified());
        ASSERT_TRUE(store_->note_committed(subject().key, Act("somebody", told)));
        EXPECT_EQ(last().kind, RecordKind::Committed);
        EXPECT_GE(last().happened, changed());
    }
}

TEST_F(FilesDatesOnDisk, NorThanWhatAnotherWritesWhileTheyAreHeld) {
    for (const std::size_t size : kSizes) {
        make(size);
        ::usleep(30'000);
        // When it gets its number.
        clock_.meanwhile = [&] {
            ::usleep(30'000);
            write(size, 'b');
        };
        ASSERT_TRUE(keep(Act("somebody", modified() + 15'000)));
        expect_dated_by(modified());
    }
}

TEST_F(FilesDatesOnDisk, RightsAreNotOlderThanTheLastChangeOfTheirFile) {
    for (const std::size_t size : kSizes) {
        make(size);
        ASSERT_TRUE(keep(Act("somebody", modified())));
        ::usleep(30'000);
        ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
        ::usleep(30'000);
        ASSERT_TRUE(store_->note_attributes(subject(), Act("somebody", modified())));
        EXPECT_EQ(last().kind, RecordKind::Attributes);
        expect_dated_by(changed());
    }
}

}  // namespace
}  // namespace hygie::files
