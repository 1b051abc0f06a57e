#include "guards/files/enforce/enforcer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <map>
#include <thread>

#include "guards/files/acts/actors.h"
#include "guards/files/enforce/held.h"
#include "host/disk.h"
#include "sim/temp_dir.h"

namespace hygie::files {
namespace {

TEST(Enforcer, FreezesTheDeepestProcessThatStartedItAll) {
    const ProcessId shell{10, 1};
    const ProcessId loop{20, 2};
    const auto child = [&](pid_t pid) {
        Actor actor;
        actor.process = {pid, 3};
        actor.lineage = {{pid - 1, 3}, loop, shell};
        actor.family = shell;
        return actor;
    };
    Actor elsewhere;
    elsewhere.process = elsewhere.family = {9, 5};
    EXPECT_EQ(common_root({child(31), child(41), child(51)}), loop);
    EXPECT_EQ(common_root({child(31)}), (ProcessId{31, 3}));
    EXPECT_EQ(common_root({child(31), elsewhere}), std::nullopt);
}

TEST(Enforcer, KnowsWhoHoldsLocksThatOthersWaitFor) {
    EXPECT_EQ(waited_for("1: POSIX  ADVISORY  WRITE 708 00:1a:300 0 EOF\n"
                         "1: -> POSIX  ADVISORY  WRITE 709 00:1a:300 0 EOF\n"
                         "2: FLOCK  ADVISORY  WRITE 710 00:1a:301 0 EOF\n"),
              std::vector<pid_t>{708});
}

TEST(ProcessControl, ThreadsOfTheKernelAreSentNothing) {
    constexpr pid_t kThreadDaemon = 2;
    const auto stat = stat_of(kThreadDaemon);
    if (!stat || !stat->is_kernel) GTEST_SKIP() << "none to be seen here";
    EXPECT_FALSE(real_process_control().send({kThreadDaemon, stat->started}, 0));
}

TEST(HeldBook, LetsGoWhomAKilledGuardLeftStanding) {
    sim::TempDir dir;
    const pid_t child = ::fork();
    if (child == 0)
        for (;;) ::pause();
    const auto stat = stat_of(child);
    ASSERT_TRUE(stat);
    const ProcessId process{child, stat->started};
    {
        auto book = HeldBook::open(join(dir.path(), "held"));
        ASSERT_TRUE(book);
        Enforcer enforcer{
            {real_process_control(), real_clock(), real_random()}, nullptr, {}, &*book};
        ASSERT_TRUE(enforcer.hold(process));
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
        EXPECT_TRUE(WIFSTOPPED(status));
    }
    auto found = HeldBook::open(join(dir.path(), "held"));
    ASSERT_TRUE(found);
    ASSERT_TRUE(found->add({::getpid(), 1})) << "another process by now: left alone";
    found->release_all();
    int status = 0;
    for (int i = 0; i < 200 && ::waitpid(child, &status, WCONTINUED | WNOHANG) == 0; ++i)
        real_clock().sleep_for(std::chrono::milliseconds(50));
    EXPECT_TRUE(WIFCONTINUED(status));
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
}

/// Most who delete a file or two have ended when they are looked at.
TEST(HeldBook, KeepsNoRoomForWhoEndedBeforeItStoodStill) {
    sim::TempDir dir;
    auto book = HeldBook::open(join(dir.path(), "held"));
    ASSERT_TRUE(book);
    Enforcer enforcer{{real_process_control(), real_clock(), real_random()}, nullptr, {}, &*book};
    constexpr pid_t kNobody = 1 << 22;  // one more than the kernel gives (PID_MAX_LIMIT)
    for (pid_t i = 0; i < static_cast<pid_t>(HeldBook::kSlots); ++i) {
        EXPECT_FALSE(enforcer.hold({kNobody + 2 * i, 1}));
        EXPECT_FALSE(enforcer.hold_now(kNobody + 2 * i + 1));
    }
    EXPECT_TRUE(book->add({::getpid(), 1}));
}

/// Asked for each time something is sealed, before it is written.
class OnSealing final : public Random {
  public:
    std::function<void()> then;
    void fill(std::span<std::uint8_t> out) override {
        if (then) then();
        real_random().fill(out);
    }
};

TEST(Enforcer, WhoStandsAtTheDoorIsAnsweredWhileStopsAreWrittenDown) {
    sim::TempDir dir;
    OnSealing sealing;
    JudgeState state(real_disk(), sealing, dir.path(), crypto::Secret32());
    Enforcer enforcer{{real_process_control(), real_clock(), real_random()}, &state, {}};
    std::vector<std::jthread> doormen;
    std::atomic<int> answered = 0;
    sealing.then = [&] {
        doormen.emplace_back([&] {
            (void)enforcer.is_stopped({});
            ++answered;
        });
        for (int i = 0; i < 500 && answered < static_cast<int>(doormen.size()); ++i)
            real_clock().sleep_for(std::chrono::milliseconds(10));
    };
    enforcer.refuse("somebody", {});
    EXPECT_EQ(answered, 1);
    EXPECT_TRUE(enforcer.thaw("somebody"));
    EXPECT_EQ(answered, 2);
}

/// What was sent to processes that are none, and something that happens while a tree is walked.
class Sent final : public ProcessControl {
  public:
    std::function<void()> meanwhile;
    std::map<pid_t, int> last;
    bool is_ours(pid_t) override { return false; }
    std::vector<ProcessId> tree_of(const ProcessId& root) override {
        if (meanwhile) meanwhile();
        return {root, {root.pid + 1, 1}};
    }
    bool is_waited_for(pid_t) override { return false; }
    bool send(const ProcessId& process, int signal) override {
        last[process.pid] = signal;
        return true;
    }
    std::optional<ProcessId> stop_now(pid_t pid) override { return ProcessId{pid, 1}; }
    bool freeze_group(const std::string&, const std::vector<ProcessId>&) override { return false; }
    void thaw_group(const std::string&) override {}
};

/// Stops process 7, which had been held for a moment, and its child 8.
Sent stopped_while(const std::function<void(Enforcer&, const ProcessId&)>& happens) {
    Sent control;
    Enforcer enforcer{{control, real_clock(), real_random()}, nullptr, {}};
    Actor actor;
    actor.process = actor.family = {7, 1};
    EXPECT_TRUE(enforcer.hold(actor.process));
    control.meanwhile = [&] { happens(enforcer, actor.process); };
    Conclusion conclusion;
    conclusion.rung = Rung::Freeze;
    conclusion.targets = {actor};
    enforcer.stop(conclusion, {});
    control.meanwhile = {};
    return control;
}

TEST(Enforcer, WhoIsLetGoWhileItIsStoppedStandsStill) {
    const Sent sent = stopped_while(
        [](Enforcer& enforcer, const ProcessId& process) { enforcer.release(process); });
    EXPECT_EQ(sent.last, (std::map<pid_t, int>{{7, SIGSTOP}, {8, SIGSTOP}}));
}

TEST(Enforcer, WhoIsThawedWhileItIsStoppedGoesOn) {
    const Sent sent = stopped_while(
        [](Enforcer& enforcer, const ProcessId&) { EXPECT_TRUE(enforcer.thaw("all")); });
    EXPECT_EQ(sent.last, (std::map<pid_t, int>{{7, SIGCONT}})) << "its child is left alone";
}

}  // namespace
}  // namespace hygie::files
