#include "guards/files/gate/sentry.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <future>

#include "guards/files/gate/test_kernel.h"

namespace hygie::files {
namespace {

constexpr int kSoonMs = 10'000;

class Door final : public JudgeDoor {
  public:
    Stop before(const Change&) override { return {}; }
    void after(Change) override {}
    Lookout lookout() override { return wanted; }
    std::atomic<Lookout> wanted = Lookout::Calm;
};

TEST(FilesSentry, WhoeverDeletesIsSeenWhileTheClerkIsBusy) {
    Kernel kernel;
    Door door;
    std::promise<pid_t> glimpsed;
    Names names(
        kernel.group, [](const fan::Event&) { return std::optional<std::string>(); },
        [&](pid_t who) { glimpsed.set_value(who); });
    Sentry sentry(kernel.group, names, door);
    sentry.start();
    kernel.tell(fan::kDelete, {7});
    sentry.rouse();
    EXPECT_FALSE(sentry.is_on_watch()) << "nobody sealed anything: names are the clerk's alone";
    door.wanted = JudgeDoor::Lookout::Awake;
    sentry.rouse();
    auto seen = glimpsed.get_future();
    ASSERT_EQ(seen.wait_for(std::chrono::milliseconds(kSoonMs)), std::future_status::ready);
    EXPECT_EQ(seen.get(), 7);
    pollfd clerk{sentry.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&clerk, 1, kSoonMs), 1) << "which is wanted";
    EXPECT_EQ(names.take().size(), 1U) << "and finds what there was";
    names.put_down();
    sentry.hear();
    EXPECT_EQ(::poll(&clerk, 1, 0), 0);
}

TEST(FilesSentry, WhatWaitsForTheClerkHasALimit) {
    Kernel kernel;
    Names names(
        kernel.group, [](const fan::Event&) { return std::optional<std::string>(); }, [](pid_t) {});
    for (std::size_t i = 0; i + 1 < Names::kWaitingMax; ++i) {
        kernel.tell(fan::kDelete, {7});
        ASSERT_TRUE(names.look()) << i;
    }
    kernel.tell(fan::kDelete, {7});
    EXPECT_FALSE(names.look()) << "else the sentry would come round for ever, in real time";
    (void)names.take();
    names.put_down();
    EXPECT_TRUE(names.look());
}

}  // namespace
}  // namespace hygie::files
