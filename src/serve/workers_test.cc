#include "serve/workers.h"

#include <gtest/gtest.h>

#include <atomic>

namespace hygie::serve {
namespace {

TEST(Workers, FinishWhatTheyTookAndTakeNothingAfterTheEnd) {
    Workers workers(2);
    std::atomic<int> done = 0;
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(workers.run([&] { ++done; }));
    workers.end();
    EXPECT_EQ(done, 100);
    EXPECT_FALSE(workers.run([&] { ++done; }));
    workers.end();
    EXPECT_EQ(done, 100);
}

TEST(Workers, WhoAskOneAnotherAreEndedOneAfterTheOther) {
    Workers answers(2);
    Workers guesses(2);
    std::atomic<int> refused = 0;
    std::atomic<bool> may_go_on = false;
    ASSERT_TRUE(guesses.run([&] {
        may_go_on.wait(false);
        refused += answers.run([] {}) ? 0 : 1;
    }));
    answers.end();
    may_go_on = true;
    may_go_on.notify_all();
    guesses.end();
    EXPECT_EQ(refused, 1);
}

}  // namespace
}  // namespace hygie::serve
