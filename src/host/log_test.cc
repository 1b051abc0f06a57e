#include "host/log.h"

#include <gtest/gtest.h>

#include "base/sensitive.h"
#include "host/disk.h"
#include "sim/temp_dir.h"

namespace hygie::log {
namespace {

// What may be a field, and what may not: a person's identifier or a text made at run time does not
// even compile.
static_assert(std::is_constructible_v<Field, Literal, int>);
static_assert(std::is_constructible_v<Field, Literal, bool>);
static_assert(std::is_constructible_v<Field, Literal, NodeId>);
static_assert(!std::is_constructible_v<Field, Literal, std::string>);
static_assert(!std::is_constructible_v<Field, Literal, std::string_view>);
static_assert(!std::is_constructible_v<Field, Literal, const char*>);
static_assert(!std::is_constructible_v<Field, Literal, PatientId>);
static_assert(!std::is_constructible_v<Field, Literal, ActorId>);
static_assert(!std::is_constructible_v<Field, Literal, ObjectId>);
static_assert(!std::is_constructible_v<Field, Literal, Sensitive<int>>);

const hygie::Error kBroken{
    Code::Io, {"disque \"cassé\"", "broken \"disk\""}, {"changez\nle", "change\nit"}, {}};

TEST(Log, WritesALineForPeople) {
    const std::string line = line_of(
        {}, WallTime{}, Level::Info, "ledger.opened", nullptr,
        {{"size", 3u}, {"offset", -1}, {"fresh", true}, {"node", NodeId("n1")}, {"mode", "full"}});
    EXPECT_EQ(line,
              "1970-01-01T00:00:00.000000Z info ledger.opened size=3 offset=-1 fresh=true node=n1 "
              "mode=full");
    EXPECT_EQ(line_of({}, WallTime{}, Level::Error, "x", &kBroken, {}),
              "1970-01-01T00:00:00.000000Z error x: disque \"cassé\" → changez le");
}

TEST(Log, WritesALineForPrograms) {
    const Settings settings{.json = true, .lang = Lang::En};
    EXPECT_EQ(
        line_of(settings, WallTime{}, Level::Warning, "x", &kBroken,
                {{"n", 1}, {"took", Micros(1'500'000)}}),
        R"({"time":"1970-01-01T00:00:00.000000Z","level":"warning","event":"x","n":1,"took":1.5,)"
        R"("error":"broken \"disk\"","remedy":"change\u000ait"})");
}

TEST(Log, WritesToAFileFromTheLevelAsked) {
    const sim::TempDir dir;
    ASSERT_TRUE(start({.level = Level::Warning, .file = dir / "log"}, real_clock()));
    info("too.small");
    warning("kept", {{"n", 7}});
    error("kept.too", kBroken);
    const Result<Bytes> text = real_disk().read_file(dir / "log", 1 << 20);
    ASSERT_TRUE(text);
    EXPECT_EQ(as_text(*text).find("too.small"), std::string_view::npos);
    EXPECT_NE(as_text(*text).find(" warning kept n=7\n"), std::string_view::npos);
    EXPECT_NE(as_text(*text).find(" error kept.too: disque"), std::string_view::npos);
    ASSERT_TRUE(start({.level = Level::Warning}, real_clock()));
}

TEST(Log, SaysWhenItsFileCannotBeOpened) {
    const Status started = start({.file = "/proc/no/such/log"}, real_clock());
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Code::Io);
}

TEST(Log, KnowsItsLevels) {
    EXPECT_EQ(level_named("warning").value_or(Level::Debug), Level::Warning);
    EXPECT_FALSE(level_named("loud"));
}

}  // namespace
}  // namespace hygie::log
