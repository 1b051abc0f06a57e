#include "app/line/terminal.h"

#include <gtest/gtest.h>

#include <sstream>

namespace hygie::app {
namespace {

std::string shown(std::string_view text, bool is_terminal = true) {
    std::ostringstream out;
    {
        const TerminalText terminal(out, is_terminal);
        out << text << std::flush;
    }
    return out.str();
}

TEST(TerminalText, ObeysNobody) {
    EXPECT_EQ(shown("a\x1b]0;title\x07z"), "a\\x1b]0;title\\x07z");
    EXPECT_EQ(shown("hidden\x1b[8m, over\rwritten\b"), "hidden\\x1b[8m, over\\x0dwritten\\x08");
    EXPECT_EQ(shown("\xC2\x9B"
                    "8m"),
              "\\xc2\\x9b8m");
    EXPECT_EQ(shown("fdp.\xE2\x80\xAE"
                    "exe"),
              "fdp.\\xe2\\x80\\xaeexe");
    EXPECT_EQ(shown("at the end\x1b"), "at the end\\x1b");
}

TEST(TerminalText, LeavesTextAsItIs) {
    const std::string text = "« Ça va ? » — oui…\n\tœuvre, 한글, Ж, €\r\n";
    EXPECT_EQ(shown(text), text);
    EXPECT_EQ(shown("cut: \xC3"), "cut: \xC3");
}

TEST(TerminalText, LetsOurOwnSequencesPass) {
    for (const std::string ours : {"\x1b[30;107m█▀\x1b[0m\n", "\r\x1b[Kimport 3 / 10 (30 %)"})
        EXPECT_EQ(shown(ours), ours);
}

TEST(TerminalText, HidesNothingBehindAnErasedLine) {
    EXPECT_EQ(shown("held: \r\x1b[Kdelivered"), "held: \\x0d\\x1b\\x5b\\x4bdelivered");
    const std::string progress = "\r\x1b[K1 / 2\r\x1b[K2 / 2\r\x1b[K";
    EXPECT_EQ(shown("begun\n" + progress), "begun\n" + progress);
}

TEST(TerminalText, ChangesNoByteOfAFile) {
    EXPECT_EQ(shown("\x1b[2J\x07", false), "\x1b[2J\x07");
}

TEST(TerminalText, GivesTheStreamBack) {
    std::ostringstream out;
    {
        const TerminalText terminal(out, true);
    }
    out << "\x07";
    EXPECT_EQ(out.str(), "\x07");
}

}  // namespace
}  // namespace hygie::app
