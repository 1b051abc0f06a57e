#pragma once

#include <cstdint>

namespace hygie::sim {

/// A stream of choices that replays from its seed (splitmix64, Steele, Lea and Flood 2014). One
/// thread at a time.
class Chance {
  public:
    explicit Chance(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        state_ += 0x9E3779B97F4A7C15u;
        std::uint64_t word = state_;
        word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
        word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
        return word ^ (word >> 31);
    }
    /// Even enough for tests: 0 ≤ result < bound.
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    /// True `part` times out of `whole`, on average.
    bool odds(std::uint64_t part, std::uint64_t whole) { return below(whole) < part; }

  private:
    std::uint64_t state_;
};

}  // namespace hygie::sim
