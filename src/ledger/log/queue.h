#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace hygie::ledger {

/// Hands values from one thread to another in order, never more than `limit` at a time: a slow
/// stage slows the one before it instead of filling memory. Who waits is woken after the lock is
/// let go: woken before, a thread only meets the lock, and sleeps and is woken once more.
template <typename T>
class Queue {
  public:
    explicit Queue(std::size_t limit) : limit_(limit) {}

    /// Waits for room. False when the queue was closed: the value was not taken.
    bool push(T value) {
        {
            std::unique_lock lock(mutex_);
            room_.wait(lock, [this] { return closed_ || items_.size() < limit_; });
            if (closed_) return false;
            items_.push_back(std::move(value));
        }
        ready_.notify_one();
        return true;
    }

    /// Puts the value, unless `join(last, value)` made one of it and of the last that waits: true
    /// when it did. For a stage that is slower a call than a value.
    template <typename Join>
    bool push_or_join(T value, Join join) {
        {
            const std::lock_guard lock(mutex_);
            if (!closed_ && !items_.empty() && join(items_.back(), value)) return true;
        }
        return push(std::move(value));
    }

    /// Takes the value even when the queue is full: for a thread that must not wait on itself.
    void push_now(T value) {
        {
            const std::lock_guard lock(mutex_);
            items_.push_back(std::move(value));
        }
        ready_.notify_one();
    }

    /// A value if one is there at once.
    std::optional<T> try_pop() {
        std::unique_lock lock(mutex_);
        return take(lock);
    }

    /// Waits for a value; none when the queue is closed and empty.
    std::optional<T> pop() {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [this] { return closed_ || !items_.empty(); });
        return take(lock);
    }

    /// Waits for a value until `deadline`; none when there is none by then, or never will be.
    std::optional<T> pop_until(std::chrono::steady_clock::time_point deadline) {
        std::unique_lock lock(mutex_);
        ready_.wait_until(lock, deadline, [this] { return closed_ || !items_.empty(); });
        return take(lock);
    }

    /// No more values come in; what is queued can still be taken.
    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        ready_.notify_all();
        room_.notify_all();
    }

    /// Waits until there is room, or nobody may put anything any more, but not beyond `deadline`.
    void wait_for_room(std::chrono::steady_clock::time_point deadline) {
        std::unique_lock lock(mutex_);
        room_.wait_until(lock, deadline, [this] { return closed_ || items_.size() < limit_; });
    }

    bool has_room() {
        const std::lock_guard lock(mutex_);
        return items_.size() < limit_;
    }

    bool drained() {
        const std::lock_guard lock(mutex_);
        return closed_ && items_.empty();
    }

  private:
    std::optional<T> take(std::unique_lock<std::mutex>& lock) {
        if (items_.empty()) return std::nullopt;
        std::optional<T> value(std::move(items_.front()));
        items_.pop_front();
        lock.unlock();
        room_.notify_one();
        return value;
    }

    const std::size_t limit_;
    std::mutex mutex_;
    std::condition_variable ready_;
    std::condition_variable room_;
    std::deque<T> items_;
    bool closed_ = false;
};

}  // namespace hygie::ledger
