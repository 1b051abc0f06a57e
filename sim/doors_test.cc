#include <gtest/gtest.h>

#include "sim/seeds.h"
#include "sim/sim_clock.h"
#include "sim/sim_fetch.h"
#include "sim/sim_process.h"
#include "sim/sim_random.h"

namespace hygie::sim {
namespace {

TEST(SimClock, MovesOnlyWhenTold) {
    SimClock clock;
    const WallTime wall = clock.now();
    const SteadyTime steady = clock.steady();
    EXPECT_EQ(clock.now(), wall);
    clock.sleep_for(std::chrono::hours(72));
    EXPECT_EQ(clock.now() - wall, std::chrono::hours(72));
    EXPECT_EQ(clock.steady() - steady, std::chrono::hours(72));
    clock.step(-std::chrono::hours(100));
    EXPECT_EQ(clock.now() - wall, -std::chrono::hours(28));
    EXPECT_EQ(clock.steady() - steady, std::chrono::hours(72)) << "deadlines never step back";
    clock.set(wall);
    EXPECT_EQ(clock.now(), wall);
}

TEST(SimRandom, ReplaysFromItsSeed) {
    SimRandom one(7);
    SimRandom same(7);
    SimRandom other(8);
    const auto first = one.bytes<37>();
    EXPECT_EQ(first, same.bytes<37>());
    EXPECT_NE(first, other.bytes<37>());
    EXPECT_NE(first, one.bytes<37>());
}

TEST(SimFetch, AnswersByScriptWithinTheLimit) {
    SimFetch fetch([](const FetchRequest& request) -> Result<FetchResponse> {
        return FetchResponse{200, "text/plain", to_bytes(as_bytes(request.url))};
    });
    FetchRequest request;
    request.url = "http://witness/";
    EXPECT_EQ(as_text(fetch.fetch(request)->body), "http://witness/");
    request.response_bytes_max = 3;
    EXPECT_EQ(fetch.fetch(request).error().code, Code::Full);
}

TEST(SimProcess, RunsByScript) {
    SimProcess process;
    EXPECT_EQ(process.run({"tool"}, {}, {}).error().code, Code::NotFound);
    process.on_run = [](const auto& argv, ByteView input) -> Result<RunOutcome> {
        return RunOutcome{static_cast<int>(argv.size()), to_bytes(input), {}};
    };
    EXPECT_EQ(process.run({"tool", "x"}, {}, {})->exit_code, 2);
    process.variables["LANG"] = "fr_FR.UTF-8";
    EXPECT_EQ(process.environment("LANG"), "fr_FR.UTF-8");
    EXPECT_EQ(process.environment("OTHER"), "");
}

/// Unsets an environment variable, and puts it back at the end.
class Variable {
  public:
    explicit Variable(const char* name) : name_(name) {
        if (const char* value = std::getenv(name)) value_ = value;
        ::unsetenv(name);
    }
    ~Variable() { value_ ? ::setenv(name_, value_->c_str(), 1) : ::unsetenv(name_); }

  private:
    const char* name_;
    std::optional<std::string> value_;
};

TEST(Seeds, RunAsManyAsAskedOrTheOneNamed) {
    const auto seeds_run = [] {
        std::vector<std::uint64_t> seeds;
        for_each_seed(3, [&](std::uint64_t seed) { seeds.push_back(seed); });
        return seeds;
    };
    const Variable many("HYGIE_SIM_SEEDS");
    const Variable one("HYGIE_SIM_SEED");
    EXPECT_EQ(seeds_run(), (std::vector<std::uint64_t>{1, 2, 3}));
    ::setenv("HYGIE_SIM_SEEDS", "2", 1);
    EXPECT_EQ(seeds_run(), (std::vector<std::uint64_t>{1, 2}));
    ::setenv("HYGIE_SIM_SEED", "41", 1);
    EXPECT_EQ(seeds_run(), (std::vector<std::uint64_t>{41, 42}));
    ::unsetenv("HYGIE_SIM_SEEDS");
    EXPECT_EQ(seeds_run(), (std::vector<std::uint64_t>{41}));
}

}  // namespace
}  // namespace hygie::sim
