#include "guards/files/pulse.h"

#include <algorithm>
#include <utility>

namespace hygie::files {

Pulse::Says Pulse::take(std::uint64_t beats, SteadyTime now) {
    const auto since = std::chrono::duration_cast<Micros>(now - std::exchange(looked_, now));
    if (std::exchange(beats_, beats) != beats || beats == 0) {
        silence_ = {};
        was_roused_ = false;
        return Says::Beating;
    }
    silence_ += std::min(since, kLookMax);
    if (silence_ > kStalled) return Says::Stalled;
    if (silence_ <= kStill || std::exchange(was_roused_, true)) return Says::Beating;
    return Says::Still;
}

}  // namespace hygie::files
