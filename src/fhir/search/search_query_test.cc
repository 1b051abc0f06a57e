#include "fhir/search/search_query.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

using namespace hygie;
using namespace hygie::fhir;

/// By the widest parameter at each link, whether or not the types that it leads to share the next.
TEST(SearchQuery, ChainsHaveFewWays) {
    constexpr std::size_t kTargetsMax = 16;  // of a link that names no type
    std::map<std::string_view, std::size_t> ways;
    for (std::size_t hop = 0; hop < kQueryHopsMax; ++hop) {
        std::map<std::string_view, std::size_t> further;
        for (const TypeDef* type : resource_types())
            for (const SearchParam* param : search_params_of(type->name)) {
                if (param->targets.size() > kTargetsMax) continue;
                std::size_t all = 0;
                for (const auto target : param->targets) all += 1 + ways[target];
                further[type->name] = std::max(further[type->name], all);
            }
        ways = std::move(further);
    }
    EXPECT_LT(
        std::ranges::max_element(ways, {}, [](const auto& one) { return one.second; })->second,
        kQueryWaysMax);
}
