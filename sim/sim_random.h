#pragma once

#include <cstdint>
#include <mutex>

#include "host/random.h"

namespace hygie::sim {

/// Chance that replays: the same seed gives the same bytes (splitmix64, Steele et al. 2014). Fit
/// for tests only, never for keys: it is linked into test programs alone. Thread-safe.
class SimRandom final : public Random {
  public:
    explicit SimRandom(std::uint64_t seed) : state_(seed) {}

    void fill(std::span<std::uint8_t> out) override;
    std::uint64_t next();
    /// Uniform enough for tests: 0 ≤ result < bound.
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    /// True once in `times`, on average.
    bool one_in(std::uint64_t times) { return below(times) == 0; }

  private:
    std::uint64_t step();

    std::mutex mutex_;
    std::uint64_t state_;
};

}  // namespace hygie::sim
