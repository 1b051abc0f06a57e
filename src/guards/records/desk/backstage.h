#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hygie::records {

/// A few threads for work that nobody waits for on a connection: exports.
/// What was taken is done before destruction ends, unless it asks stopping().
class Backstage {
  public:
    using Work = std::move_only_function<void()>;
    static constexpr std::size_t kQueueMax = 1024;

    explicit Backstage(std::size_t threads);
    ~Backstage();

    /// False when the queue is full: the work was not taken.
    bool add(Work work);
    bool stopping() const { return stopping_; }

  private:
    void run();

    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<Work> queue_;
    std::atomic<bool> stopping_ = false;
    std::vector<std::jthread> threads_;
};

}  // namespace hygie::records
