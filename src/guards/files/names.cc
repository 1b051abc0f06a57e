#include "guards/files/names.h"

#include "host/log.h"

namespace hygie::files {

/// Under the lock: what the kernel has told since.
void Names::take_in() {
    if (waiting_.size() >= kWaitingMax) return;
    std::vector<fan::Event> events;
    if (const Status taken = group_.read(events); !taken)
        log::warning("files.names", taken.error());
    for (fan::Event& event : events) {
        if (event.mask & (fan::kDelete | fan::kRename)) owing_.insert(who_(event.tid));
        waiting_.push_back(std::move(event));
    }
}

std::vector<fan::Event> Names::take() {
    const std::lock_guard lock(mutex_);
    take_in();
    std::vector<fan::Event> events(std::make_move_iterator(waiting_.begin()),
                                   std::make_move_iterator(waiting_.end()));
    waiting_.clear();
    in_hand_ = std::move(owing_);
    owing_.clear();
    is_in_hand_ = !events.empty();
    return events;
}

void Names::put_down() {
    const std::lock_guard lock(mutex_);
    in_hand_.clear();
    is_in_hand_ = false;
}

bool Names::pending() {
    const std::lock_guard lock(mutex_);
    return is_in_hand_ || !waiting_.empty() || group_.pending();
}

bool Names::owes(const std::string& actor) {
    const std::lock_guard lock(mutex_);
    take_in();
    return owing_.contains(actor) || in_hand_.contains(actor);
}

}  // namespace hygie::files
