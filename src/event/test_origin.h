#pragma once

#include <algorithm>

#include "event/ndjson.h"

/// For tests: a fixed time, and chance that has none.
namespace hygie::event {

struct FixedClock final : Clock {
    explicit FixedClock(WallTime at) : at_(at) {}
    WallTime now() override { return at_; }
    SteadyTime steady() override { return {}; }
    void sleep_for(Micros) override {}
    WallTime at_;
};

struct FixedRandom final : Random {
    void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, 0xFF); }
};

struct TestOrigin {
    static constexpr WallTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)};

    FixedClock clock{kNow};
    FixedRandom random;
    LineOrigin origin() {
        return {clock, random, SourceId("default-source"), NodeId("default-node")};
    }
};

}  // namespace hygie::event
