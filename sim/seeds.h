#pragma once

#include <errno.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

namespace hygie::sim {

/// Runs a property, a callable taking the seed, over seeds 1, 2, 3… and stops at the first that
/// breaks a GoogleTest expectation, printing the command that replays it. HYGIE_SIM_SEED=n runs
/// exactly that seed; HYGIE_SIM_SEEDS=n runs n of them instead of `modest`, from HYGIE_SIM_SEED
/// when both are set.
template <typename Property>
void for_each_seed(std::uint64_t modest, Property property) {
    std::uint64_t first = 1;
    std::uint64_t count = modest;
    if (const char* many = std::getenv("HYGIE_SIM_SEEDS")) count = std::stoull(many);
    if (const char* one = std::getenv("HYGIE_SIM_SEED")) {
        first = std::stoull(one);
        if (!std::getenv("HYGIE_SIM_SEEDS")) count = 1;
    }
    for (std::uint64_t seed = first; seed - first < count; ++seed) {
        property(seed);
        if (!testing::Test::HasFailure()) continue;
        const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
        std::cerr << "seed " << seed << " fails; replay: HYGIE_SIM_SEED=" << seed << ' '
                  << program_invocation_name << " --gtest_filter=" << test.test_suite_name() << '.'
                  << test.name() << '\n';
        return;
    }
}

}  // namespace hygie::sim
