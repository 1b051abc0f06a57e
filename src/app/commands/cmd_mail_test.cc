#include <gtest/gtest.h>

#include "app/line/harness.h"
#include "sim/temp_dir.h"

namespace hygie::app {
namespace {

TEST(MailCommands, TellWhichNamesOfAMemoryMeanNothing) {
    const sim::TempDir dir;
    const auto put = [&](const std::string& name, std::string_view text) {
        ASSERT_TRUE(real_disk().write_file(dir / name, as_bytes(text)).has_value());
    };
    put("letter.eml", "From: a@b.example\r\nSubject: x\r\n\r\nBonjour\r\n");
    put("memory.json", R"({"suppliers":[{"name":"Labo","iban":"FR7630006000011234567890189"}]})");
    Harness harness;
    const auto judge = [&](const std::string& history) {
        return harness.run(
            {"--lang", "en", "mail", "judge", dir / "letter.eml", "--history", history});
    };
    for (const std::string& history : {dir / "memory.json", dir.path()}) {
        const Ran told = judge(history);
        EXPECT_EQ(told.code, kExitOk) << told.err;
        EXPECT_TRUE(told.err.contains("memory.json: 'suppliers.iban' means nothing")) << told.err;
        EXPECT_FALSE(told.err.contains("FR76")) << "what it says is nobody's";
    }
    put("memory.json",
        R"({"suppliers":[{"name":"Labo","ibans":["FR7630006000011234567890189"]}]})");
    EXPECT_EQ(judge(dir.path()).err, "");
}

}  // namespace
}  // namespace hygie::app
