#pragma once

#include <mutex>

#include "host/random.h"
#include "sim/chance.h"

namespace hygie::sim {

/// A Random whose bytes replay from a seed. It is linked into test programs alone. Thread-safe.
class SimRandom final : public Random {
  public:
    explicit SimRandom(std::uint64_t seed) : chance_(seed) {}

    void fill(std::span<std::uint8_t> out) override;

  private:
    std::mutex mutex_;
    Chance chance_;
};

}  // namespace hygie::sim
