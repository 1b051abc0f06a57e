#include "guards/files/gate/post.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <semaphore>
#include <thread>

namespace hygie::files {
namespace {

int processors_of(pid_t thread) {
    cpu_set_t set{};
    return ::sched_getaffinity(thread, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

TEST(FilesPost, ASentryThatDoesNotComeRoundIsFreedAndNoOther) {
    const int all = processors_of(::getpid());
    if (all < 2) GTEST_SKIP() << "one processor alone";
    Post post;
    std::binary_semaphore round(0);
    std::binary_semaphore done(0);
    std::jthread sentry([&] {
        post.take_up();
        run_beside(::sched_getcpu());
        for (int i = 0; i < 4; ++i) {
            round.acquire();
            post.note_round();
            done.release();
        }
    });
    const auto come_round = [&] {
        round.release();
        done.acquire();
    };
    for (int i = 0; i < 3; ++i) {
        come_round();
        post.look();
        EXPECT_EQ(processors_of(post.thread()), 1) << "it is where it is wanted";
    }
    post.look();
    EXPECT_EQ(processors_of(post.thread()), all);
    come_round();
}

TEST(FilesPost, WhoLeftIsLookedForNoMore) {
    if (processors_of(::getpid()) < 2) GTEST_SKIP() << "one processor alone";
    Post post;
    post.take_up();
    run_beside(::sched_getcpu());
    post.leave();
    post.look();
    EXPECT_EQ(processors_of(0), 1) << "whoever was its thread may be another's by now";
    run_beside(std::nullopt);
}

}  // namespace
}  // namespace hygie::files
