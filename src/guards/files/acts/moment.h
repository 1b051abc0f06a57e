#pragma once

#include <algorithm>

#include "base/time.h"

namespace hygie::files {

/// When something was done that is told later: between two times.
struct Moment {
    WallTime after{};
    WallTime before = WallTime::max();

    /// The kernel's clock for files is that coarse: what was changed bears the tick before.
    static constexpr Micros kTick = std::chrono::milliseconds(10);

    /// The latest that it can have been, when what it changed bears this time of change, which
    /// later acts move on and nobody else sets. Its clock may have been set back since. Of bytes
    /// that changed again the store says when (Store::keep).
    WallTime latest(std::int64_t changed_ns) const {
        const WallTime changed(
            std::chrono::duration_cast<Micros>(std::chrono::nanoseconds(changed_ns)));
        return std::min(std::max(changed + kTick, after), before);
    }
};

}  // namespace hygie::files
