#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "app/line/harness.h"
#include "sim/temp_dir.h"

namespace hygie::app {
namespace {

using nlohmann::json;

/// Runs `hygie demo` with little in it, and `meanwhile` with what it announced.
Ran run_demo(std::vector<std::string> more, const std::function<void(const json&)>& meanwhile) {
    Harness harness;
    harness.when_ready = [&](const std::string& printed) { meanwhile(json::parse(printed)); };
    more.insert(more.begin(), {"demo", "--json", "--events", "300"});
    return harness.run(more);
}

/// Runs a printed command line, but for the program's name, in this process.
Ran run_line(const std::string& line) {
    std::istringstream words(line);
    std::vector<std::string> args{std::istream_iterator<std::string>(words), {}};
    args[0] = "--json";
    return Harness().run(args);
}

json verify(const json& ready) {
    const Ran ran = run_line(ready["commands"][0]);
    EXPECT_EQ(ran.code, kExitOk) << ran.err;
    return ran.code == kExitOk ? json::parse(ran.out) : json();
}

TEST(Demo, PrintsACommandThatVerifiesWithTwoWitnesses) {
    const Ran ran = run_demo({}, [](const json& ready) {
        const json report = verify(ready);
        EXPECT_GE(report["size"], 300);
        EXPECT_GE(report["witnesses"].size(), 2);
        EXPECT_EQ(ready["witnesses"].size(), 3);
        EXPECT_TRUE(std::string(ready["key"]).starts_with(std::string(report["origin"]) + "+"));
    });
    EXPECT_EQ(ran.code, kExitOk) << ran.err;
    EXPECT_EQ(ran.err, "");
}

TEST(Demo, LeavesNothingBehindUnlessAskedTo) {
    std::string passing;
    run_demo({}, [&](const json& ready) {
        passing = ready["state"];
        EXPECT_TRUE(real_disk().exists(passing));
    });
    EXPECT_FALSE(real_disk().exists(passing));
}

TEST(Demo, ContinuesTheSameLogWhenStartedAgain) {
    sim::TempDir dir;
    const std::vector<std::string> keep = {"--state", dir / "kept"};
    const std::string pin = " --pin " + (dir / "pin");
    json first;
    std::uint64_t size = 0;
    run_demo(keep, [&](json ready) {
        ready["commands"][0] = std::string(ready["commands"][0]) + pin;
        first = ready;
        size = verify(ready)["size"];
    });
    run_demo(keep, [&](json ready) {
        EXPECT_EQ(ready["key"], first["key"]);
        // The pin refuses any log that is not a continuation of the one it came from.
        ready["commands"][0] = std::string(ready["commands"][0]) + pin;
        const json report = verify(ready);
        EXPECT_GT(report["first"], 0);
        EXPECT_GE(report["size"], size);
        EXPECT_LT(report["size"], 600) << "the first acts were appended twice";
    });
}

TEST(Demo, TouchesNoFolderThatHoldsSomethingElse) {
    sim::TempDir dir;
    const std::string file = dir / "letter";
    ASSERT_TRUE(real_disk().write_file(file, as_bytes("dear")));
    const Ran ran = run_demo({"--state", dir.path()}, [](const json&) { FAIL(); });
    EXPECT_EQ(ran.code, kExitFailed);
    EXPECT_EQ(real_disk().list(dir.path())->size(), 1);
}

TEST(Demo, RefusesSoFewEventsThatNothingIsProven) {
    Harness harness;
    EXPECT_EQ(harness.run({"demo", "--events", "42"}).code, kExitUsage);
}

}  // namespace
}  // namespace hygie::app
