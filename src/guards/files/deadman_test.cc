#include "guards/files/deadman.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

#include "guards/files/keep/store.h"
#include "host/disk.h"
#include "sim/temp_dir.h"

namespace hygie::files {
namespace {

constexpr uid_t kSomebody = 1000;
constexpr int kPatienceMs = 10'000;

bool comes_true(const std::function<bool()>& is_so) {
    for (int ms = 0; ms < kPatienceMs; ms += 10) {
        if (is_so()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

bool is_blocked(pid_t pid) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    return stat.find(") D ") != std::string::npos;
}

/// A gate that died, its deadman, and somebody who writes over a file that is not root's.
class FilesDeadman : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(real_disk().make_dirs(share_));
        is_mounted_ = ::mount("none", share_.c_str(), "tmpfs", 0, nullptr) == 0;
        if (!is_mounted_) GTEST_SKIP() << "mounting needs root";
        ASSERT_TRUE(real_disk().write_file(letter_, as_bytes(kText)));
        ASSERT_EQ(::chown(letter_.c_str(), kSomebody, kSomebody), 0);
        ASSERT_EQ(::chmod(letter_.c_str(), 0600), 0);
        for (auto [group, kind] : {std::pair{&groups_.gate, fan::Kind::OldGate},
                                   std::pair{&groups_.closings, fan::Kind::Closings},
                                   std::pair{&groups_.names, fan::Kind::Names}})
            *group = *fan::Group::open(kind);
        if (!groups_.gate.watch_filesystem(share_, fan::kOpenPerm))
            GTEST_SKIP() << "not on this file system";
        gate_dies();
        writer_ = write_over();
        next_ = taken_over();
        ASSERT_TRUE(next_);
        ASSERT_TRUE(comes_true([&] { return is_blocked(writer_) && !groups_.gate.pending(); }));
    }
    void TearDown() override {
        next_.reset();
        groups_ = {};
        if (!is_mounted_) return;
        EXPECT_EQ(::umount2(share_.c_str(), MNT_DETACH), 0);
    }

    void gate_dies() {
        const pid_t gate = ::fork();
        if (gate == 0) {
            const auto deadman = Deadman::start(groups_, {{share_}, &state_, nullptr});
            if (deadman) (*deadman)->guarding();
            ::_exit(!deadman);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(gate, &status, 0), gate);
        ASSERT_EQ(status, 0);
    }
    pid_t write_over() const {
        const pid_t pid = ::fork();
        if (pid != 0) return pid;
        ::alarm(3 * kPatienceMs / 1000);  // else nothing could end this test
        ::_exit(::open(letter_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC) < 0);
    }
    std::optional<Handover> taken_over() const {
        std::optional<Handover> taken;
        const std::string door = StatePaths(state_.path()).handover;
        (void)comes_true([&] { return (taken = take_over(door)).has_value(); });
        return taken;
    }
    /// What is told of, and said to be kept or not; and how the writer ended.
    int hand_over(bool is_kept) {
        next_->starting();
        next_->keep_for_who_waits([&](const UniqueFd& fd, pid_t who) {
            std::string text(kText.size() + 1, '\0');
            const ssize_t size = ::pread(fd.get(), text.data(), text.size(), 0);
            told_.emplace_back(who, text.substr(0, size < 0 ? 0 : static_cast<std::size_t>(size)));
            return is_kept;
        });
        next_->release();
        int status = -1;
        EXPECT_EQ(::waitpid(writer_, &status, 0), writer_);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    /// Once the deadman has ended nobody is asked about.
    std::string letter() {
        next_.reset();
        groups_ = {};
        return std::string(as_text(*real_disk().read_file(letter_, 100)));
    }

    static constexpr std::string_view kText = "Chère Élodie";
    sim::TempDir dir_;
    std::string share_ = dir_ / "share", letter_ = share_ + "/letter";
    bool is_mounted_ = false;
    Anchor state_ = *Anchor::at(real_disk(), dir_ / "state");
    Groups groups_;
    pid_t writer_ = 0;
    std::optional<Handover> next_;
    std::vector<std::pair<pid_t, std::string>> told_;
};

TEST_F(FilesDeadman, WhoWaitedGoesOnOnceTheNextGateHasKeptItsFile) {
    EXPECT_EQ(hand_over(true), 0);
    EXPECT_EQ(told_, (std::vector{std::pair{writer_, std::string(kText)}}));
    EXPECT_EQ(letter(), "");
}

TEST_F(FilesDeadman, WhatTheNextGateCannotKeepIsNotWrittenOver) {
    EXPECT_NE(hand_over(false), 0);
    EXPECT_EQ(letter(), kText);
}

}  // namespace
}  // namespace hygie::files
