#include "guards/files/priority.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <latch>
#include <thread>

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

}  // namespace
}  // namespace hygie::files
