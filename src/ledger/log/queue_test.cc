#include "ledger/log/queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace hygie::ledger {
namespace {

TEST(Queue, KeepsTheOrder) {
    Queue<int> queue(8);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(queue.push(i));
    queue.push_now(5);
    for (int i = 0; i < 6; ++i) EXPECT_EQ(queue.pop(), i);
    EXPECT_EQ(queue.try_pop(), std::nullopt);
}

TEST(Queue, IsFullAtItsLimitButForWhoMustNotWait) {
    Queue<int> queue(2);
    EXPECT_TRUE(queue.push(1));
    EXPECT_TRUE(queue.has_room());
    EXPECT_TRUE(queue.push(2));
    EXPECT_FALSE(queue.has_room());
    queue.push_now(3);
    EXPECT_EQ(queue.try_pop(), 1);
    EXPECT_FALSE(queue.has_room());
    EXPECT_EQ(queue.try_pop(), 2);
    EXPECT_TRUE(queue.has_room());
}

TEST(Queue, JoinsWhatComesToTheLastThatWaits) {
    Queue<int> queue(2);
    const auto join = [](int& last, int& next) {
        if (last + next > 10) return false;
        last += next;
        return true;
    };
    for (const int value : {4, 5, 6, 3}) EXPECT_TRUE(queue.push_or_join(value, join));
    EXPECT_FALSE(queue.has_room());
    EXPECT_EQ(queue.pop(), 9);
    EXPECT_EQ(queue.pop(), 9);
    queue.close();
    EXPECT_FALSE(queue.push_or_join(1, join));
}

TEST(Queue, WaitsForRoomNoLongerThanAsked) {
    Queue<int> queue(1);
    const auto late = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    queue.wait_for_room(late);
    EXPECT_TRUE(queue.push(1));
    queue.wait_for_room(std::chrono::steady_clock::now());
    EXPECT_FALSE(queue.has_room());
    const std::jthread taker([&] { EXPECT_EQ(queue.pop(), 1); });
    queue.wait_for_room(late);
    EXPECT_TRUE(queue.has_room());
}

TEST(Queue, NeverHoldsMoreThanItsLimit) {
    constexpr int kValues = 20'000;
    constexpr int kLimit = 3;
    Queue<int> queue(kLimit);
    std::atomic<int> pushed = 0;
    const std::jthread producer([&] {
        for (int i = 0; i < kValues; ++i) {
            if (!queue.push(i)) return;
            ++pushed;
        }
    });
    int most = 0;
    for (int popped = 0; popped < kValues; ++popped) {
        most = std::max(most, pushed.load() - popped);
        EXPECT_EQ(queue.pop(), popped);
    }
    EXPECT_LE(most, kLimit);
}

TEST(Queue, WhatWasQueuedBeforeTheCloseComesOutAndNothingElse) {
    Queue<std::unique_ptr<int>> queue(2);
    EXPECT_TRUE(queue.push(std::make_unique<int>(7)));
    EXPECT_FALSE(queue.drained());
    queue.close();
    EXPECT_FALSE(queue.push(std::make_unique<int>(8)));
    EXPECT_FALSE(queue.drained()) << "one is left";
    EXPECT_EQ(**queue.pop(), 7);
    EXPECT_TRUE(queue.drained());
    EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(Queue, CloseWakesWhoeverWaits) {
    Queue<int> full(1);
    Queue<int> empty(1);
    EXPECT_TRUE(full.push(1));
    bool taken = true;
    std::optional<int> got = 0;
    {
        const std::jthread pusher([&] { taken = full.push(2); });
        const std::jthread popper([&] { got = empty.pop(); });
        full.close();
        empty.close();
    }
    EXPECT_FALSE(taken);
    EXPECT_EQ(got, std::nullopt);
    EXPECT_EQ(full.pop(), 1);
}

TEST(Queue, ADeadlineEndsTheWait) {
    Queue<int> queue(1);
    const auto past = std::chrono::steady_clock::time_point::min();
    EXPECT_EQ(queue.pop_until(past), std::nullopt);
    EXPECT_TRUE(queue.push(4));
    EXPECT_EQ(queue.pop_until(past), 4) << "what is there needs no time";
}

}  // namespace
}  // namespace hygie::ledger
