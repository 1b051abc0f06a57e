#include "guards/records/desk/slowly.h"

#include <algorithm>

namespace hygie::records {
namespace {

/// How soon it notices that it is to stop.
constexpr Micros kStep = std::chrono::milliseconds(20);

}  // namespace

Slowly::Slowly(Clock& clock) : clock_(clock), thread_([this] { run(); }) {}

Slowly::~Slowly() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    ready_.notify_all();
}

void Slowly::add(Task task) {
    {
        const std::lock_guard lock(mutex_);
        if (!stopping_ && queue_.size() < kWaitingMax) {
            queue_.push_back({clock_.steady() + kSlowed, std::move(task)});
            ready_.notify_one();
            return;
        }
    }
    task();
}

void Slowly::wait_until(SteadyTime at) {
    while (!stopping_ && clock_.steady() < at)
        clock_.sleep_for(std::min<Micros>(
            kStep, std::chrono::duration_cast<Micros>(at - clock_.steady()) + Micros(1)));
}

void Slowly::run() {
    for (;;) {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        Waiting next = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        wait_until(next.at);
        next.task();
    }
}

}  // namespace hygie::records
