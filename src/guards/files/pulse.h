#pragma once

#include <cstdint>

#include "base/time.h"

namespace hygie::files {

/// Whether a gate still answers, by its beats as its deadman sees them. Pure. What the one who
/// looks slept through counts for little: the machine, or both, may have stood still.
class Pulse {
  public:
    enum class Says {
        Beating,
        Still,    ///< long enough to be made to go on, once
        Stalled,  ///< … and that was in vain
    };
    static constexpr Micros kStill = std::chrono::seconds(2);
    static constexpr Micros kStalled = std::chrono::seconds(5);
    /// Between two looks no more than this is silence.
    static constexpr Micros kLookMax = std::chrono::milliseconds(500);

    /// Before its first beat a gate is still getting ready.
    Says take(std::uint64_t beats, SteadyTime now);

  private:
    std::uint64_t beats_ = 0;
    SteadyTime looked_{};
    Micros silence_{};
    bool was_roused_ = false;
};

}  // namespace hygie::files
