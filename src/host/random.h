#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace hygie {

/// The door to chance. The real one is the kernel's; only the simulation has a seed.
class Random {
  public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;

    template <std::size_t N>
    std::array<std::uint8_t, N> bytes() {
        std::array<std::uint8_t, N> out;
        fill(out);
        return out;
    }
};

/// getrandom(2); aborts if the kernel has none to give. Thread-safe.
Random& real_random();

}  // namespace hygie
