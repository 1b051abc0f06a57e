#include "guards/files/acts/priority.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <latch>
#include <mutex>
#include <string>
#include <thread>

#include "guards/files/acts/urgent_mutex.h"

namespace hygie::files {
namespace {

int processors_of(pid_t thread) {
    cpu_set_t set{};
    return ::sched_getaffinity(thread, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

TEST(FilesPriority, WhoWaitsBesideAnotherIsFreedByAThird) {
    const int all = processors_of(::getpid());
    if (all < 2) GTEST_SKIP() << "one processor alone";
    pid_t tid = 0;
    std::latch beside(1);
    std::latch done(1);
    std::jthread clerk([&] {
        tid = ::gettid();
        run_beside(::sched_getcpu());
        beside.count_down();
        done.wait();
    });
    beside.wait();
    EXPECT_EQ(processors_of(tid), 1);
    run_anywhere(tid);
    EXPECT_EQ(processors_of(tid), all);
    done.count_down();
}

/// What the kernel goes by, whatever the thread asked for: below zero in real time (proc(5), 18).
int rank_of(pid_t thread) {
    constexpr int kRank = 18;
    std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string word;
    std::getline(stat, word, ')');
    for (int field = 2; field < kRank - 1; ++field) stat >> word;
    int rank = 0;
    stat >> rank;
    return rank;
}

TEST(FilesPriority, WhoHoldsWhatTheUrgentWaitForIsAsUrgent) {
    UrgentMutex mutex;
    const pid_t holder = ::gettid();
    std::atomic<bool> is_urgent = false;
    std::latch tried(1);
    std::unique_lock held(mutex);
    std::jthread waiter([&] {
        set_urgency("waiter", Urgency::Door);
        is_urgent = ::sched_getscheduler(0) != SCHED_OTHER;
        tried.count_down();
        const std::scoped_lock lock(mutex);
    });
    tried.wait();
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (is_urgent && rank_of(holder) >= 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
    const int rank = rank_of(holder);
    held.unlock();
    if (!is_urgent) GTEST_SKIP() << "not without rights";
    EXPECT_LT(rank, 0);
}

}  // namespace
}  // namespace hygie::files
