#include "guards/files/gate/closings.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/fanotify.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <thread>

namespace hygie::files {
namespace {

FileKey file_number(int number) {
    return {0, 1, Bytes{1, static_cast<std::uint8_t>(number)}};
}

/// A kernel that tells of closings through a socket, as a group of events would.
class Kernel {
  public:
    Kernel() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()), 0);
        told_ = UniqueFd(ends[1]);
        group = fan::Group(UniqueFd(ends[0]));
    }
    void close(const std::vector<int>& files) {
        std::vector<fanotify_event_metadata> events;
        for (const int file : files) {
            fanotify_event_metadata meta{};
            meta.event_len = meta.metadata_len = sizeof meta;
            meta.vers = FANOTIFY_METADATA_VERSION;
            meta.mask = fan::kCloseWrite;
            meta.fd = -1;
            meta.pid = file;
            events.push_back(meta);
        }
        const std::size_t size = events.size() * sizeof events[0];
        EXPECT_EQ(::write(told_.get(), events.data(), size), static_cast<ssize_t>(size));
    }
    fan::Group group;

  private:
    UniqueFd told_;
};

std::optional<Closing> sort(fan::Event event) {
    const FileKey key = file_number(event.tid);
    return Closing{std::move(event), key};
}

TEST(Closings, AFileThatIsAboutToChangeComesFirst) {
    Kernel kernel;
    Closings closings(kernel.group, sort);
    kernel.close({1, 2, 3, 2});
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
    kernel.close({7});
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
    kernel.close({7, 8});
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
    kernel.close({7, 8});
    int dealt = 0;
    EXPECT_TRUE(closings.settle([&](Closing&) {
        if (++dealt < 100) kernel.close({9, 10});
    }));
    EXPECT_EQ(dealt, 2) << "names were told of only when the flood ended";
    EXPECT_TRUE(closings.pending());
}

TEST(Closings, MoreThanMayWaitIsDealtWithInTurn) {
    Kernel kernel;
    Closings closings(kernel.group, sort);
    constexpr std::size_t kAtOnce = 300;
    constexpr std::size_t kTimes = 10;
    for (std::size_t i = 1; i < kTimes; ++i) kernel.close(std::vector<int>(kAtOnce, 1));
    kernel.close({200});
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
