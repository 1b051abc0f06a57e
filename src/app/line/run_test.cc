#include "app/line/run.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "app/line/harness.h"
#include "app/line/parse.h"
#include "app/line/progress.h"
#include "sim/sim_clock.h"

namespace hygie::app {
namespace {

/// A command with every kind of parameter, which prints what it received.
Command echo() {
    return {
        .path = {"tools", "echo"},
        .summary = {"répète", "repeats"},
        .options = {{.name = "-o,--output", .placeholder = "FILE", .kind = Kind::File},
                    {.name = "--count",
                     .placeholder = "N",
                     .kind = Kind::Number,
                     .by_default = "7",
                     .min = 1,
                     .max = 100},
                    {.name = "--age", .placeholder = "D", .kind = Kind::Duration},
                    {.name = "--tag", .placeholder = "TAG", .many = true},
                    {.name = "--fast", .kind = Kind::Flag},
                    {.name = "--color", .placeholder = "C", .choices = {"red", "blue"}}},
        .arguments = {{.name = "DIR", .kind = Kind::Dir, .required = true},
                      {.name = "REST", .many = true}},
        .run = [](Context& context) -> Result<int> {
            const Values& values = context.values;
            context.out << values.text("DIR") << " " << values.number("--count");
            if (values.has("--age")) context.out << " age=" << values.duration("--age").count();
            if (values.has("--output")) context.out << " output=" << values.text("--output");
            if (values.flag("--fast")) context.out << " fast";
            for (const std::string& tag : values.list("--tag")) context.out << " tag=" << tag;
            for (const std::string& rest : values.list("REST")) context.out << " rest=" << rest;
            return kExitOk;
        },
    };
}

Command failing(Code code) {
    return {.path = {"fail"}, .run = [code](Context&) -> Result<int> {
                return fail(code, {"c'est cassé", "it broke"}, {"réparez", "mend it"});
            }};
}

Harness tools() {
    Harness harness;
    harness.commands = {{.path = {"tools"}}, echo()};
    return harness;
}

TEST(Run, GivesACommandItsTypedValues) {
    Harness harness = tools();
    const Ran ran = harness.run({"tools", "echo", "a", "b", "[c]", "--age", "2m", "-o", "x",
                                 "--tag", "t1", "--tag=t2", "--fast", "--count", "12"});
    EXPECT_EQ(ran.code, kExitOk) << ran.err;
    EXPECT_EQ(ran.out, "a 12 age=120000000 output=x fast tag=t1 tag=t2 rest=b rest=[c]");
}

TEST(Run, GivesDefaultsAndLeavesTheRestAbsent) {
    Harness harness = tools();
    EXPECT_EQ(harness.run({"tools", "echo", "a"}).out, "a 7");
}

TEST(Run, ReadsGlobalOptionsAnywhere) {
    Harness harness = tools();
    for (const std::vector<std::string>& args :
         std::vector<std::vector<std::string>>{{"--lang", "en", "tools", "echo", "a"},
                                               {"tools", "--lang=en", "echo", "a"},
                                               {"tools", "echo", "a", "--lang", "en"}})
        EXPECT_EQ(harness.run(args).out, "a 7");
}

TEST(Run, LeavesAnArgumentThatLooksLikeACommandAlone) {
    Harness harness = tools();
    EXPECT_EQ(harness.run({"tools", "echo", "tools"}).out, "tools 7");
    EXPECT_EQ(harness.run({"tools", "echo", "--", "--help"}).out, "--help 7");
    EXPECT_EQ(harness.run({"tools", "echo", "-"}).out, "- 7");
}

TEST(Run, RefusesWhatMakesNoSenseAndSaysWhatToDo) {
    struct Case {
        std::vector<std::string> args;
        std::string what, remedy;
    };
    const std::vector<Case> cases = {
        {{"toolz"}, "unknown command: 'toolz'", "did you mean 'tools'"},
        {{"tools", "ecko", "a"}, "unknown command: 'ecko'", "did you mean 'echo'"},
        {{"zzzzzz"}, "unknown command: 'zzzzzz'", "see 'hygie --help'"},
        {{"tools", "echo"}, "DIR is missing", "see 'hygie tools echo --help'"},
        {{"tools", "echo", " "}, "DIR is empty", "give it a value"},
        {{"tools", "echo", "a", "--cuont", "3"},
         "unknown option: '--cuont'",
         "did you mean '--count'"},
        {{"tools", "echo", "a", "--count"}, "wrong number of values for --count", "--help"},
        {{"tools", "echo", "a", "--count", "1", "--count", "2"}, "--count", "--help"},
        {{"tools", "echo", "a", "--count", "many"},
         "value refused for --count: 'many'",
         "digits only"},
        {{"tools", "echo", "a", "--count", "-1"}, "value refused for --count: '-1'", "digits only"},
        {{"tools", "echo", "a", "--count", "101"},
         "value refused for --count",
         "between 1 and 100"},
        {{"tools", "echo", "a", "--age", "soon"}, "value refused for --age: 'soon'", ""},
        {{"tools", "echo", "a", "--color", "green"}, "value refused for --color", "red, blue"},
        {{"tools", "echo", "a", "--fast=no"}, "--fast", ""},
        {{"--lang", "de", "tools", "echo", "a"},
         "value refused for --lang: 'de'",
         "choose among: fr, en"},
        {{"--lang", "de", "--help"}, "value refused for --lang: 'de'", "choose among: fr, en"},
        {{"tools", "-h", "--lang=de"}, "value refused for --lang: 'de'", "choose among: fr, en"},
        {{"--version", "--lang", "de"}, "value refused for --lang: 'de'", "choose among: fr, en"},
    };
    for (const Case& bad : cases) {
        Harness harness = tools();
        harness.process.variables["LANG"] = "en_GB.UTF-8";
        const Ran ran = harness.run(bad.args);
        EXPECT_EQ(ran.code, kExitUsage) << bad.what;
        EXPECT_EQ(ran.out, "") << bad.what;
        EXPECT_NE(ran.err.find(bad.what), std::string::npos) << ran.err;
        EXPECT_NE(ran.err.find(bad.remedy), std::string::npos) << ran.err;
    }
}

TEST(Run, RefusesAnArgumentTooMany) {
    Harness harness = tools();
    harness.commands[1].arguments.pop_back();
    const Ran ran = harness.run({"--lang", "en", "tools", "echo", "a", "b"});
    EXPECT_EQ(ran.code, kExitUsage);
    EXPECT_NE(ran.err.find("unexpected argument: 'b'"), std::string::npos) << ran.err;
}

TEST(Run, ChoosesTheLanguage) {
    const auto lang = [](const std::vector<std::string>& args,
                         std::map<std::string, std::string> variables) {
        sim::SimProcess process;
        process.variables = std::move(variables);
        return choose_lang(args, process);
    };
    EXPECT_EQ(lang({}, {}), Lang::Fr);
    EXPECT_EQ(lang({}, {{"LANG", "C.UTF-8"}}), Lang::Fr);
    EXPECT_EQ(lang({}, {{"LANG", "en_US.UTF-8"}}), Lang::En);
    EXPECT_EQ(lang({}, {{"LC_ALL", "fr_FR"}, {"LANG", "en_US"}}), Lang::Fr);
    EXPECT_EQ(lang({}, {{"LC_MESSAGES", "en_IE"}, {"LANG", "fr_FR"}}), Lang::En);
    EXPECT_EQ(lang({"--lang", "fr"}, {{"LC_ALL", "en_US"}}), Lang::Fr);
    EXPECT_EQ(lang({"x", "--lang=en"}, {}), Lang::En);
    EXPECT_EQ(lang({"x", "--lang=de"}, {{"LANG", "en_US"}}), Lang::En) << "refused in English";
    EXPECT_EQ(lang({"x", "--", "--lang=en"}, {}), Lang::Fr) << "another program's";
}

TEST(Run, TurnsFailuresIntoExitCodes) {
    for (const auto& [code, exit] :
         std::vector<std::pair<Code, int>>{{Code::Forged, kExitFailed},
                                           {Code::Stale, kExitFailed},
                                           {Code::BadInput, kExitFailed},
                                           {Code::Busy, kExitEnvironment},
                                           {Code::Full, kExitEnvironment},
                                           {Code::Unavailable, kExitEnvironment},
                                           {Code::Io, kExitEnvironment}}) {
        Harness harness;
        harness.commands = {failing(code)};
        EXPECT_EQ(harness.run({"fail"}).code, exit);
    }
}

TEST(Run, PrintsAnErrorWithItsRemedyInTheLanguageOrInJson) {
    Harness harness;
    harness.commands = {failing(Code::Busy)};
    EXPECT_EQ(harness.run({"fail"}).err, "hygie : c'est cassé\n  → réparez\n");
    EXPECT_EQ(harness.run({"fail", "--lang", "en"}).err, "hygie: it broke\n  → mend it\n");
    const nlohmann::json error = nlohmann::json::parse(harness.run({"--json", "fail"}).err);
    EXPECT_EQ(error["error"]["code"], "busy");
    EXPECT_EQ(error["error"]["what"], "c'est cassé");
    EXPECT_EQ(error["error"]["remedy"], "réparez");
    EXPECT_EQ(nlohmann::json::parse(harness.run({"--json", "nope"}).err)["error"]["code"],
              "bad-input");
}

TEST(Run, SurvivesBytesThatAreNotUtf8) {
    Harness harness = tools();
    EXPECT_EQ(harness.run({"\xFF\xFE"}).code, kExitUsage);
    const Ran ran = harness.run({"--json", "\xFF\xFE"});
    EXPECT_TRUE(nlohmann::json::accept(ran.err)) << ran.err;
}

TEST(Run, ShowsHelpForAGroupAndRefusesToDoNothing) {
    Harness harness = tools();
    const Ran bare = harness.run({"tools"});
    EXPECT_EQ(bare.code, kExitUsage);
    EXPECT_NE(bare.err.find("echo"), std::string::npos);
    EXPECT_EQ(harness.run({}).code, kExitUsage);
    const Ran asked = harness.run({"tools", "--help"});
    EXPECT_EQ(asked.code, kExitOk);
    EXPECT_EQ(asked.out, bare.err);
    // Help comes even when the rest of the line is wrong.
    EXPECT_EQ(harness.run({"tools", "echo", "--wrong", "-h"}).code, kExitOk);
    EXPECT_EQ(harness.run({"--version"}).out, std::string("hygie ") + HYGIE_VERSION + "\n");
}

TEST(Run, SaysWhenItsOutputCannotBeWritten) {
    Harness harness;
    harness.commands = {{.path = {"full"}, .run = [](Context& context) -> Result<int> {
                             context.out.setstate(std::ios::badbit);
                             return kExitOk;
                         }}};
    const Ran ran = harness.run({"full"});
    EXPECT_EQ(ran.code, kExitEnvironment);
    EXPECT_NE(ran.err.find("sortie"), std::string::npos);
}

TEST(Progress, PrintsOnATerminalOnlyAndNotTooOften) {
    sim::SimClock clock;
    Harness harness;
    harness.clock = &clock;
    harness.commands = {{.path = {"long"}, .run = [&](Context& context) -> Result<int> {
                             Progress progress(context, {"lus", "read"}, 200);
                             progress.at(50);
                             progress.at(60);
                             clock.sleep_for(std::chrono::seconds(1));
                             progress.at(100);
                             return kExitOk;
                         }}};
    EXPECT_EQ(harness.run({"long"}).err, "");
    harness.err_is_terminal = true;
    EXPECT_EQ(harness.run({"long", "--json"}).err, "");
    clock.sleep_for(std::chrono::seconds(1));
    const std::string err = harness.run({"long"}).err;
    EXPECT_NE(err.find("lus 50 / 200 (25 %)"), std::string::npos) << err;
    EXPECT_EQ(err.find("60"), std::string::npos) << err;
    EXPECT_NE(err.find("lus 100 / 200 (50 %)"), std::string::npos) << err;
    EXPECT_TRUE(err.ends_with("\r\x1b[K")) << err;
}

}  // namespace
}  // namespace hygie::app
