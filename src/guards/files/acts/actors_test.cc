#include "guards/files/acts/actors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <utility>

namespace hygie::files {
namespace {

/// A process of Samba that works for nobody at first.
class LateSession final : public SmbSessions {
  public:
    std::optional<SmbClient> client_of(const ProcessId&) override {
        return SmbClient{std::exchange(is_asked_, true) ? "accueil" : kUnknownUser, "192.0.2.7"};
    }

  private:
    bool is_asked_ = false;
};

TEST(Actors, AreAskedAgainForWhomTheyWorkUntilItIsKnown) {
    LateSession sessions;
    Actors actors(&sessions);
    EXPECT_EQ(actors.of(::getpid()).smb->user, kUnknownUser);
    EXPECT_EQ(actors.of(::getpid()).smb->user, "accueil");
}

TEST(Actors, AnNfsServerIsTheKernelsOrGaneshaUnderRoot) {
    const ProcessStat program;
    const ProcessStat thread{.parent = 2, .started = 5, .is_kernel = true};
    const std::string root = "Name:\tganesha.nfsd\nUid:\t0\t1001\t0\t1001\n";
    const std::string user = "Name:\tganesha.nfsd\nUid:\t1001\t0\t0\t0\n";
    EXPECT_TRUE(is_nfs_server("/usr/bin/ganesha.nfsd", program, root));
    EXPECT_TRUE(is_nfs_server("/usr/bin/ganesha.nfsd (deleted)", program, root));
    EXPECT_FALSE(is_nfs_server("/home/x/ganesha.nfsd", program, user)) << "it would go unstopped";
    EXPECT_FALSE(is_nfs_server("/usr/bin/python3", program, root));
    EXPECT_TRUE(is_nfs_server("", thread, "Name:\tnfsd\nUid:\t0\t0\t0\t0\n"));
    EXPECT_FALSE(is_nfs_server("", program, "Name:\tnfsd\nUid:\t0\t0\t0\t0\n"));
    EXPECT_FALSE(is_nfs_server("", thread, "Name:\tkworker/0:1\nUid:\t0\t0\t0\t0\n"));
}

TEST(Actors, ThreadsOfTheKernelShowByTheirFlags) {
    const auto stat = parse_stat(
        "40 (nfsd) S 2 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
        "17 1 0 0");
    ASSERT_TRUE(stat);
    EXPECT_TRUE(stat->is_kernel);
    EXPECT_EQ(stat->started, 77U);
    EXPECT_FALSE(stat_of(::getpid())->is_kernel);
}

/// A thread that runs until it is let go, then sleeps over a read.
class LateReader {
  public:
    LateReader() {
        EXPECT_EQ(::pipe(pipe_.data()), 0);
        thread_ = std::thread([this] {
            tid_ = ::gettid();
            while (!let_go_) {
            }
            char byte = 0;
            EXPECT_EQ(::read(pipe_[0], &byte, 1), 1);
        });
        while (tid_ == 0) std::this_thread::yield();
    }
    ~LateReader() {
        let_go_ = true;
        EXPECT_EQ(::write(pipe_[1], "x", 1), 1);
        thread_.join();
        for (const int fd : pipe_) ::close(fd);
    }
    LateReader(const LateReader&) = delete;
    LateReader& operator=(const LateReader&) = delete;

    void let_go() { let_go_ = true; }
    pid_t tid() const { return tid_; }
    int file() const { return pipe_[0]; }

  private:
    std::array<int, 2> pipe_{-1, -1};
    std::atomic<bool> let_go_ = false;
    std::atomic<pid_t> tid_ = 0;
    std::thread thread_;
};

TEST(Calls, WhoIsRefusedHasBeenWaitedForUntilItSleeps) {
    LateReader reader;
    Calls calls;
    const auto intent = [&](Calls::Wait wait) {
        return calls.intent_of(reader.tid(), fan::kPreAccess, reader.file(), wait);
    };
    EXPECT_EQ(intent(Calls::Wait::Briefly), Intent::Write) << "what cannot be told";
    auto later = std::async(std::launch::async, intent, Calls::Wait::Patiently);
    EXPECT_EQ(later.wait_for(std::chrono::milliseconds(30)), std::future_status::timeout);
    reader.let_go();
    EXPECT_EQ(later.get(), Intent::Read);
}

}  // namespace
}  // namespace hygie::files
