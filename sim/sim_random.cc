#include "sim/sim_random.h"

#include <algorithm>
#include <cstring>

namespace hygie::sim {

void SimRandom::fill(std::span<std::uint8_t> out) {
    const std::lock_guard lock(mutex_);
    while (!out.empty()) {
        const std::uint64_t word = chance_.next();
        const std::size_t size = std::min(out.size(), sizeof word);
        std::memcpy(out.data(), &word, size);
        out = out.subspan(size);
    }
}

}  // namespace hygie::sim
