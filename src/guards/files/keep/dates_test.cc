#include <gtest/gtest.h>

#include "guards/files/keep/history.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_random.h"

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

}  // namespace
}  // namespace hygie::files
