#include "access/accounts/throttle.h"

#include <algorithm>

namespace hygie::access {

Micros Throttle::wait_of(unsigned failures) {
    if (failures <= kFreeTries) return Micros::zero();
    constexpr unsigned kDoublingsMax = 20;  // far beyond kWaitMax, far below overflow
    const Micros wait = kWaitFirst * (1U << std::min(failures - kFreeTries - 1, kDoublingsMax));
    return std::min(wait, kWaitMax);
}

Micros Throttle::wait(std::string_view name, SteadyTime now) const {
    const auto mark = marks_.find(name);
    if (mark == marks_.end()) return Micros::zero();
    const SteadyTime until = mark->second.last + wait_of(mark->second.failures);
    if (until <= now) return Micros::zero();
    return std::chrono::ceil<Micros>(until - now);
}

Micros Throttle::failed(std::string_view name, SteadyTime now) {
    auto mark = marks_.find(name);
    if (mark == marks_.end()) {
        make_room(now);
        mark = marks_.emplace(std::string(name), Mark{}).first;
    }
    if (now - mark->second.last >= kForgetAfter) mark->second.failures = 0;
    ++mark->second.failures;
    mark->second.last = now;
    return wait_of(mark->second.failures);
}

void Throttle::succeeded(std::string_view name) {
    if (const auto mark = marks_.find(name); mark != marks_.end()) marks_.erase(mark);
}

/// Forgets the old, then, if need be, the name with the fewest failures and of those the oldest: a
/// flood of new names pushes itself out, not the name under attack.
void Throttle::make_room(SteadyTime now) {
    if (marks_.size() < kNamesMax) return;
    std::erase_if(marks_, [&](const auto& mark) { return now - mark.second.last >= kForgetAfter; });
    if (marks_.size() < kNamesMax) return;
    marks_.erase(std::ranges::min_element(marks_, {}, [](const auto& mark) {
        return std::pair(mark.second.failures, mark.second.last);
    }));
}

}  // namespace hygie::access
