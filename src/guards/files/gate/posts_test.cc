#include "guards/files/gate/posts.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <condition_variable>
#include <mutex>
#include <set>

namespace hygie::files {
namespace {

std::set<int> processors_of(pid_t thread) {
    cpu_set_t set{};
    std::set<int> all;
    if (::sched_getaffinity(thread, sizeof set, &set) == 0)
        for (int i = 0; i < CPU_SETSIZE; ++i)
            if (CPU_ISSET(i, &set)) all.insert(i);
    return all;
}

/// Whoever stands there, until told to stop.
struct Watch {
    std::mutex mutex;
    std::condition_variable_any came;
    std::vector<std::set<int>> stand_on;

    void stand(const std::stop_token& stop) {
        std::unique_lock lock(mutex);
        stand_on.push_back(processors_of(0));
        came.notify_all();
        came.wait(lock, stop, [] { return false; });
    }
    void wait_for(std::size_t how_many) {
        std::unique_lock lock(mutex);
        came.wait(lock, [&] { return stand_on.size() >= how_many; });
    }
};

TEST(FilesPosts, OneStandsOnEachProcessorAndNowhereElse) {
    const std::set<int> all = processors_of(0);
    const std::size_t wanted = std::min(all.size(), Posts::kPostsMax);
    Watch watch;
    Posts posts;
    posts.start("watch", [&](const std::stop_token& stop) { watch.stand(stop); });
    watch.wait_for(wanted);
    posts.stop();
    std::set<int> guarded;
    for (const std::set<int>& where : watch.stand_on) {
        ASSERT_EQ(where.size(), 1U) << "else it wakes where it slept last, which may be far away";
        guarded.insert(*where.begin());
    }
    EXPECT_EQ(guarded.size(), wanted);
    EXPECT_EQ(watch.stand_on.size(), wanted);
    EXPECT_EQ(processors_of(0), all) << "who sent them goes wherever it did";
}

TEST(FilesPosts, TheyEndWhenNobodyWantsThemAnyMore) {
    Watch watch;
    {
        Posts posts;
        posts.start("watch", [&](const std::stop_token& stop) { watch.stand(stop); });
    }
    EXPECT_FALSE(watch.stand_on.empty());
}

}  // namespace
}  // namespace hygie::files
