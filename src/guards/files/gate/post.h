#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <utility>

#include "guards/files/acts/priority.h"

namespace hygie::files {

/// Where the sentry stands: it waits beside whom it waits for, on a processor that somebody else in
/// real time may never give back.
class Post {
  public:
    /// The sentry's own.
    void take_up() { thread_ = ::gettid(); }
    void leave() { thread_ = 0; }
    void note_round() { ++rounds_; }
    /// Its thread, while it stands there.
    pid_t thread() const { return thread_; }

    /// The keeper's, now and then: a sentry that has not come round since may run anywhere.
    void look() {
        const pid_t sentry = thread_;
        const std::uint64_t rounds = rounds_;
        if (std::exchange(seen_, rounds) == rounds && sentry != 0) run_anywhere(sentry);
    }

  private:
    std::atomic<pid_t> thread_ = 0;
    std::atomic<std::uint64_t> rounds_ = 0;
    std::uint64_t seen_ = 0;  ///< the keeper's
};

}  // namespace hygie::files
