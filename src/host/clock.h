#pragma once

#include "base/time.h"

namespace hygie {

/// The door to time. Real in the product, simulated in tests.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual WallTime now() = 0;
    virtual SteadyTime steady() = 0;
    /// Blocks the calling thread; in simulation time jumps instead.
    virtual void sleep_for(Micros duration) = 0;
};

/// The machine's clock. Thread-safe.
Clock& real_clock();

}  // namespace hygie
