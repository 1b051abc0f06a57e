#include "guards/files/gate/ahead.h"

#include <fcntl.h>

namespace hygie::files {

void Ahead::start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Ahead::stop() {
    thread_ = {};
}

void Ahead::add(const FileKey& key, int fd) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kWaitingMax || queued_.contains(key)) return;
    UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!own) return;
    queued_.insert(key);
    waiting_.push_back({key, std::move(own)});
    filled_.notify_one();
}

void Ahead::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        File file;
        {
            std::unique_lock lock(mutex_);
            if (!filled_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
            file = std::move(waiting_.front());
            waiting_.pop_front();
            queued_.erase(file.key);
        }
        keep_(file);
    }
}

}  // namespace hygie::files
