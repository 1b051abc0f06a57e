#include "guards/files/gate/closings.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "guards/files/gate/test_kernel.h"

namespace hygie::files {
namespace {

FileKey file_number(int number) {
    return {0, 1, Bytes{1, static_cast<std::uint8_t>(number)}};
}

std::optional<Closing> sort(fan::Event event) {
    const FileKey key = file_number(event.tid);
    return Closing{std::move(event), key};
}

TEST(Closings, AFileThatIsAboutToChangeComesFirst) {
    Kernel kernel;
    Closings closings(kernel.group, sort);
    kernel.tell(fan::kCloseWrite, {1, 2, 3, 2});
    std::vector<int> dealt;
    const auto deal = [&](Closing& closing) { dealt.push_back(closing.event.tid); };
    EXPECT_TRUE(closings.deal_with(file_number(2), deal));
    EXPECT_FALSE(closings.deal_with(file_number(2), deal));
    EXPECT_TRUE(closings.pending());
    while (closings.deal_with_next(deal)) {
    }
    EXPECT_EQ(dealt, (std::vector{2, 2, 1, 3}));
    EXPECT_FALSE(closings.pending());
}

TEST(Closings, NobodyGoesOnWhileAnotherKeepsTheFile) {
    Kernel kernel;
    Closings closings(kernel.group, sort);
    kernel.tell(fan::kCloseWrite, {7});
    std::atomic<bool> begun = false;
    std::atomic<bool> kept = false;
    std::atomic<bool> asked = false;
    std::jthread clerk([&] {
        closings.deal_with_next([&](Closing&) {
            begun = true;
            begun.notify_all();
            asked.wait(false);
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            kept = true;
        });
    });
    begun.wait(false);
    asked = true;
    asked.notify_all();
    EXPECT_FALSE(closings.deal_with(file_number(7), [](Closing&) {}));
    EXPECT_TRUE(kept) << "its bytes were safe before the act went on";
}

TEST(Closings, WhatIsInAnothersHandsIsWaitedFor) {
    Kernel kernel;
    Closings closings(kernel.group, sort);
    kernel.tell(fan::kCloseWrite, {7, 8});
    std::atomic<bool> begun = false;
    std::atomic<bool> told = false;
    std::jthread doorman([&] {
        closings.deal_with_next([&](Closing&) {
            begun = true;
            begun.notify_all();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            told = true;
        });
    });
    begun.wait(false);
    int mine = 0;
    closings.settle([&](Closing& closing) { mine = closing.event.tid; });
    EXPECT_EQ(mine, 8);
    EXPECT_TRUE(told) << "a deletion would have been told before the file that gives it back";
}

TEST(Closings, WhoNeverCeasesToCloseKeepsNobody) {
    Kernel kernel;
    Closings closings(kernel.group, sort);
    kernel.tell(fan::kCloseWrite, {7, 8});
    int dealt = 0;
    EXPECT_TRUE(closings.settle([&](Closing&) {
        if (++dealt < 100) kernel.tell(fan::kCloseWrite, {9, 10});
    }));
    EXPECT_EQ(dealt, 2) << "names were told of only when the flood ended";
    EXPECT_TRUE(closings.pending());
}

TEST(Closings, MoreThanMayWaitIsDealtWithInTurn) {
    Kernel kernel;
    Closings closings(kernel.group, sort);
    constexpr std::size_t kAtOnce = 300;
    constexpr std::size_t kTimes = 10;
    for (std::size_t i = 1; i < kTimes; ++i)
        kernel.tell(fan::kCloseWrite, std::vector<int>(kAtOnce, 1));
    kernel.tell(fan::kCloseWrite, {200});
    int last = 0;
    std::size_t dealt = 0;
    EXPECT_TRUE(closings.deal_with(file_number(200), [&](Closing& closing) {
        last = closing.event.tid;
        ++dealt;
    }));
    EXPECT_EQ(last, 200);
    EXPECT_GT(dealt, (kTimes - 1) * kAtOnce - Closings::kWaitingMax - kAtOnce);
}

}  // namespace
}  // namespace hygie::files
