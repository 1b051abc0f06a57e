#include "guards/files/gate/closings.h"

#include <algorithm>
#include <limits>

#include "host/log.h"

namespace hygie::files {

/// Under the lock: what the kernel has told since. Each closing holds a descriptor; what is not
/// read yet outlives a guard that is killed.
Status Closings::take_in() {
    if (waiting_.size() >= kWaitingMax) return {};
    events_.clear();
    TRY_STATUS(group_.read(events_, kReadBytes));
    for (fan::Event& event : events_) {
        const std::uint64_t number = ++told_;
        std::optional<Closing> closing = sort_(std::move(event));
        if (!closing) continue;
        closing->number = number;
        ++counts_[closing->key];
        waiting_.push_back(std::move(*closing));
    }
    events_.clear();
    return {};
}

/// Under the lock: from waiting to being dealt with.
void Closings::pick_up(const Closing& closing) {
    if (--counts_[closing.key] == 0) counts_.erase(closing.key);
    in_hand_.push_back({closing.key, closing.number});
}

/// Without the lock, then with it again. Its file stays in hand until it is dealt with.
void Closings::hand(Closing& closing, const Deal& deal) {
    deal(closing);
    const std::lock_guard lock(mutex_);
    in_hand_.erase(std::ranges::find(in_hand_, closing.number, &Hand::number));
    put_down_.notify_all();
}

/// The oldest one, unless it came later than that.
std::optional<Closing> Closings::pick_next(std::uint64_t last) {
    const std::lock_guard lock(mutex_);
    if (const Status taken = take_in(); !taken) log::warning("files.closings", taken.error());
    if (waiting_.empty() || waiting_.front().number > last) return std::nullopt;
    Closing next = std::move(waiting_.front());
    waiting_.pop_front();
    pick_up(next);
    return next;
}

bool Closings::deal_with_next(const Deal& deal) {
    std::optional<Closing> next = pick_next(std::numeric_limits<std::uint64_t>::max());
    if (next) hand(*next, deal);
    return next.has_value();
}

bool Closings::deal_with(const FileKey& key, const Deal& deal) {
    bool was_one = false;
    for (;;) {
        std::optional<Closing> mine;
        {
            std::unique_lock lock(mutex_);
            if (const Status taken = take_in(); !taken)
                log::warning("files.closings", taken.error());
            put_down_.wait(lock,
                           [&] { return std::ranges::count(in_hand_, key, &Hand::key) == 0; });
            const bool is_here = counts_.contains(key);
            if (!is_here && !group_.pending()) return was_one;
            const auto found =
                is_here ? std::ranges::find(waiting_, key, &Closing::key) : waiting_.begin();
            // All that waits here is dealt with before more is read.
            if (found == waiting_.end()) continue;
            mine = std::move(*found);
            waiting_.erase(found);
            pick_up(*mine);
        }
        was_one = was_one || mine->key == key;
        hand(*mine, deal);
    }
}

bool Closings::settle(const Deal& deal) {
    std::unique_lock lock(mutex_);
    const std::uint64_t last = told_ + group_.waiting();
    lock.unlock();
    bool was_any = false;
    while (std::optional<Closing> next = pick_next(last)) {
        was_any = true;
        hand(*next, deal);
    }
    lock.lock();
    put_down_.wait(lock, [&] {
        return std::ranges::none_of(in_hand_,
                                    [&](const Hand& hand) { return hand.number <= last; });
    });
    return was_any;
}

bool Closings::pending() {
    const std::lock_guard lock(mutex_);
    return !waiting_.empty() || !in_hand_.empty() || group_.pending();
}

}  // namespace hygie::files
