#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <set>

#include "ledger/proofs/forgery_bytes.h"
#include "ledger/proofs/forgery_keys.h"

namespace hygie::ledger::forgery {
namespace {

constexpr std::uint64_t kModest = 20;
constexpr std::size_t kKindsMin = 40;

/// How many instances of each kind are made; HYGIE_FORGERIES=1000 is the full run.
std::uint64_t instances() {
    const char* wanted = std::getenv("HYGIE_FORGERIES");
    return wanted != nullptr ? std::stoull(wanted) : kModest;
}

std::vector<Kind> all_kinds() {
    std::vector<Kind> kinds;
    for (const auto& group :
         {forgeries_of_entries(), forgeries_of_tiles(), forgeries_of_checkpoints(),
          forgeries_with_the_log_key(), forgeries_of_content(), forgeries_of_proofs(),
          forgeries_before_witnesses()})
        kinds.insert(kinds.end(), group.begin(), group.end());
    return kinds;
}

/// Honest logs of several shapes, the last without a partial tile; each has another of its size
/// beside it.
const std::vector<std::pair<World, World>>& worlds() {
    static const std::vector<std::pair<World, World>> made = [] {
        std::vector<std::pair<World, World>> pairs;
        for (const std::size_t size : {300u, 777u, 1025u, 1500u, 768u})
            pairs.emplace_back(World(size, size), World(size, size + 1));
        return pairs;
    }();
    return made;
}

TEST(Forgery, TheHonestLogsVerify) {
    Chance chance(1);
    for (const auto& [world, other] : worlds())
        for (const auto scope : {VerifyOptions::Scope::Whole, VerifyOptions::Scope::SincePin}) {
            Scene scene(world, other, chance);
            scene.options.scope = scope;
            EXPECT_FALSE(scene.changed());
            EXPECT_FALSE(scene.caught());
            EXPECT_TRUE(scene.fools_the_naive());
            const TlogProof proof = proof_of(world, world.pinned);
            show(scene, proof, world.entries[world.pinned]);
            EXPECT_FALSE(*scene.detected);
        }
}

TEST(Forgery, NoneGoesUndetected) {
    const auto kinds = all_kinds();
    std::set<std::string_view> names;
    for (const Kind& kind : kinds) names.insert(kind.name);
    ASSERT_EQ(names.size(), kinds.size());
    ASSERT_GE(kinds.size(), kKindsMin);
    std::uint64_t undetected = 0;
    fmt::print("{:<62} {:>9} {:>10} {:>12}\n", "forgery", "instances", "undetected", "fools naive");
    for (std::size_t k = 0; k < kinds.size(); ++k) {
        std::uint64_t missed = 0;
        std::uint64_t believed = 0;
        for (std::uint64_t i = 0; i < instances(); ++i) {
            Chance chance(k * 1'000'003 + i);
            const auto& [world, other] = worlds()[below(chance, worlds().size())];
            Scene scene(world, other, chance);
            while (!scene.changed()) kinds[k].forge(scene);
            missed += !scene.caught();
            believed += !scene.detected && scene.fools_the_naive();
        }
        undetected += missed;
        fmt::print("{:<62} {:>9} {:>10} {:>12}\n", kinds[k].name, instances(), missed, believed);
        EXPECT_EQ(missed, 0u) << kinds[k].name;
        if (kinds[k].naive == Naive::Fooled) {
            EXPECT_EQ(believed, instances())
                << kinds[k].name << ": not the forgery it is meant to be";
        }
    }
    fmt::print("{} kinds, {} instances, {} undetected\n", kinds.size(), kinds.size() * instances(),
               undetected);
}

}  // namespace
}  // namespace hygie::ledger::forgery
