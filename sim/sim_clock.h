#pragma once

#include <mutex>

#include "host/clock.h"

namespace hygie::sim {

/// A clock that moves only when told, or when somebody sleeps. Thread-safe.
class SimClock final : public Clock {
  public:
    /// Starts in the middle of an ordinary day.
    explicit SimClock(WallTime start = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) +
                                       std::chrono::hours(8))
        : wall_(start) {}

    WallTime now() override {
        const std::lock_guard lock(mutex_);
        return wall_;
    }
    SteadyTime steady() override {
        const std::lock_guard lock(mutex_);
        return steady_;
    }
    void sleep_for(Micros duration) override { advance(duration); }

    /// Time passes: both clocks move.
    void advance(Micros duration) {
        const std::lock_guard lock(mutex_);
        wall_ += duration;
        steady_ += duration;
    }
    /// Somebody sets the wall clock, forward or back; deadlines are not moved.
    void set(WallTime time) {
        const std::lock_guard lock(mutex_);
        wall_ = time;
    }
    void step(Micros forward) {
        const std::lock_guard lock(mutex_);
        wall_ += forward;
    }

  private:
    std::mutex mutex_;
    WallTime wall_;
    SteadyTime steady_{};
};

}  // namespace hygie::sim
