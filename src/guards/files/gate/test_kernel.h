#pragma once

#include <gtest/gtest.h>
#include <sys/fanotify.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "guards/files/acts/fanotify.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// For tests: a kernel that tells of acts through a socket, as a group of events would.
class Kernel {
  public:
    Kernel() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()), 0);
        told_ = UniqueFd(ends[1]);
        group = fan::Group(UniqueFd(ends[0]));
    }
    /// An event of this kind by each, all told at once.
    void tell(std::uint64_t kind, const std::vector<pid_t>& by) {
        std::vector<fanotify_event_metadata> events;
        for (const pid_t who : by) {
            fanotify_event_metadata meta{};
            meta.event_len = meta.metadata_len = sizeof meta;
            meta.vers = FANOTIFY_METADATA_VERSION;
            meta.mask = kind;
            meta.fd = FAN_NOFD;
            meta.pid = who;
            events.push_back(meta);
        }
        const std::size_t size = events.size() * sizeof events[0];
        EXPECT_EQ(::write(told_.get(), events.data(), size), static_cast<ssize_t>(size));
    }
    fan::Group group;

  private:
    UniqueFd told_;
};

}  // namespace hygie::files
