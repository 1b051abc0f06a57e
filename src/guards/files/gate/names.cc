#include "guards/files/gate/names.h"

#include <algorithm>

#include "host/log.h"

namespace hygie::files {

/// Under the lock: what the kernel has told since.
void Names::take_in() {
    if (waiting_.size() >= kWaitingMax) return;
    std::vector<fan::Event> events;
    if (const Status taken = group_.read(events); !taken)
        log::warning("files.names", taken.error());
    for (const fan::Event& event : events)
        if (event.mask & fan::kNameTaken) glimpse_(event.tid);
    for (fan::Event& event : events) {
        if (event.mask & (fan::kNameTaken | fan::kModify))
            if (auto debtor = debtor_(event)) owing_.insert(std::move(*debtor));
        waiting_.push_back(std::move(event));
    }
}

const std::vector<fan::Event>& Names::take() {
    const std::lock_guard lock(mutex_);
    take_in();
    taken_.assign(std::make_move_iterator(waiting_.begin()),
                  std::make_move_iterator(waiting_.end()));
    waiting_.clear();
    in_hand_ = std::move(owing_);
    owing_.clear();
    return taken_;
}

void Names::put_down() {
    const std::lock_guard lock(mutex_);
    in_hand_.clear();
    taken_.clear();
}

bool Names::look() {
    const std::lock_guard lock(mutex_);
    take_in();
    return waiting_.size() < kWaitingMax;
}

bool Names::pending() {
    const std::lock_guard lock(mutex_);
    return !taken_.empty() || !waiting_.empty() || group_.pending();
}

std::optional<Names::OldName> Names::old_name(const std::function<bool(const fan::Event&)>& is_it) {
    const std::lock_guard lock(mutex_);
    take_in();
    const auto found = [&](const fan::Event& event) {
        return (event.mask & fan::kRename) && is_it(event);
    };
    if (const auto it = std::ranges::find_if(taken_, found); it != taken_.end())
        return OldName{it->dir, it->name};
    if (const auto it = std::ranges::find_if(waiting_, found); it != waiting_.end())
        return OldName{it->dir, it->name};
    return std::nullopt;
}

bool Names::owes(const std::string& actor) {
    const std::lock_guard lock(mutex_);
    take_in();
    return owing_.contains(actor) || in_hand_.contains(actor);
}

}  // namespace hygie::files
