#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "host/clock.h"

namespace hygie::records {

/// How long an answer waits that is to be slowed down.
inline constexpr Micros kSlowed = std::chrono::seconds(1);

/// Gives things later, each after the same time, in the order they came. What still waits when it
/// is destroyed is given at once.
class Slowly {
  public:
    using Task = std::move_only_function<void()>;
    static constexpr std::size_t kWaitingMax = 4096;

    explicit Slowly(Clock& clock);
    ~Slowly();

    /// At once, on this thread, when too many wait already.
    void add(Task task);

  private:
    struct Waiting {
        SteadyTime at;
        Task task;
    };
    void run();
    void wait_until(SteadyTime at);

    Clock& clock_;
    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<Waiting> queue_;
    std::atomic<bool> stopping_ = false;
    std::jthread thread_;
};

}  // namespace hygie::records
