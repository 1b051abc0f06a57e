#include "guards/files/gate/sentry.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/socket.h>

#include <array>
#include <future>

namespace hygie::files {
namespace {

constexpr int kSoonMs = 10'000;

/// A kernel that tells of deletions through a socket, as a group of events would.
class Kernel {
  public:
    Kernel() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()), 0);
        told_ = UniqueFd(ends[1]);
        group = fan::Group(UniqueFd(ends[0]));
    }
    void remove_by(pid_t who) {
        fanotify_event_metadata meta{};
        meta.event_len = meta.metadata_len = sizeof meta;
        meta.vers = FANOTIFY_METADATA_VERSION;
        meta.mask = fan::kDelete;
        meta.fd = FAN_NOFD;
        meta.pid = who;
        EXPECT_EQ(::write(told_.get(), &meta, sizeof meta), static_cast<ssize_t>(sizeof meta));
    }
    fan::Group group;

  private:
    UniqueFd told_;
};

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
    kernel.remove_by(7);
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
        kernel.remove_by(7);
        ASSERT_TRUE(names.look()) << i;
    }
    kernel.remove_by(7);
    EXPECT_FALSE(names.look()) << "else the sentry would come round for ever, in real time";
    (void)names.take();
    names.put_down();
    EXPECT_TRUE(names.look());
}

}  // namespace
}  // namespace hygie::files
