#include "sim/sim_random.h"

#include <algorithm>
#include <cstring>

namespace hygie::sim {

std::uint64_t SimRandom::step() {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

std::uint64_t SimRandom::next() {
    const std::lock_guard lock(mutex_);
    return step();
}

void SimRandom::fill(std::span<std::uint8_t> out) {
    const std::lock_guard lock(mutex_);
    while (!out.empty()) {
        const std::uint64_t word = step();
        const std::size_t size = std::min(out.size(), sizeof word);
        std::memcpy(out.data(), &word, size);
        out = out.subspan(size);
    }
}

}  // namespace hygie::sim
