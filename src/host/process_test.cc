#include "host/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "host/disk.h"
#include "sim/temp_dir.h"

namespace hygie {
namespace {

Result<RunOutcome> shell(const std::string& script, ByteView input = {}, RunLimits limits = {}) {
    return real_process().run({"sh", "-c", script}, input, limits);
}

TEST(RealProcess, GivesInputAndKeepsOutputsAndExitCode) {
    const auto outcome = shell("cat; echo oops >&2; exit 7", as_bytes("bonjour"));
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->exit_code, 7);
    EXPECT_EQ(as_text(outcome->out), "bonjour");
    EXPECT_EQ(as_text(outcome->err), "oops\n");
}

TEST(RealProcess, PassesMoreThanAPipeHoldsBothWays) {
    const Bytes large(3 << 20, 'x');
    const auto outcome = real_process().run({"cat"}, large, {});
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->out, large);
}

TEST(RealProcess, SurvivesAProgramThatReadsNothing) {
    const auto outcome = real_process().run({"true"}, Bytes(3 << 20, 'x'), {});
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->exit_code, 0);
}

TEST(RealProcess, TellsTheSignalThatKilled) {
    EXPECT_EQ(shell("kill -TERM $$")->exit_code, 128 + SIGTERM);
}

TEST(RealProcess, NeverGoesThroughAShell) {
    const auto outcome = real_process().run({"echo", "$HOME; exit 1"}, {}, {});
    ASSERT_TRUE(outcome);
    EXPECT_EQ(as_text(outcome->out), "$HOME; exit 1\n");
}

TEST(RealProcess, StartsProgramsWithTheUsualSignals) {
    struct sigaction before{};
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    ASSERT_EQ(::sigaction(SIGTERM, &ignore, &before), 0);
    const auto outcome = shell("kill -TERM $$; echo still here");
    ::sigaction(SIGTERM, &before, nullptr);
    EXPECT_EQ(outcome->exit_code, 128 + SIGTERM);
}

TEST(RealProcess, SaysWhenThereIsNoSuchProgram) {
    EXPECT_EQ(real_process().run({"hygie-no-such-program"}, {}, {}).error().code, Code::NotFound);
    EXPECT_EQ(real_process().run({}, {}, {}).error().code, Code::BadInput);
}

TEST(RealProcess, KillsAndReapsWhatOutlivesItsTimeout) {
    const sim::TempDir dir;
    RunLimits limits;
    limits.timeout = std::chrono::milliseconds(300);
    const auto outcome = shell("echo $$ >" + dir / "pid" + "; exec sleep 600", {}, limits);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::Unavailable);
    const auto pid = real_disk().read_file(dir / "pid", 32);
    if (pid && !pid->empty()) {  // else it was killed before it could say so
        EXPECT_EQ(::kill(std::stoi(std::string(as_text(*pid))), 0), -1);
    }
}

TEST(RealProcess, DoesNotWaitForGrandchildrenThatKeepThePipe) {
    RunLimits limits;
    limits.timeout = std::chrono::seconds(20);
    const auto outcome = shell("sleep 25 & echo $!", {}, limits);
    ASSERT_TRUE(outcome) << outcome.error().what.en;
    ::kill(std::stoi(std::string(as_text(outcome->out))), SIGKILL);
}

TEST(RealProcess, StopsAProgramThatPrintsTooMuch) {
    RunLimits limits;
    limits.output_bytes_max = 100'000;
    EXPECT_EQ(real_process().run({"yes"}, {}, limits).error().code, Code::Full);
    EXPECT_EQ(shell("yes >&2", {}, limits).error().code, Code::Full);
}

TEST(RealProcess, KnowsWhoAndWhereWeAre) {
    EXPECT_FALSE(real_process().host_name().empty());
    EXPECT_FALSE(real_process().user_name().empty());
    ASSERT_EQ(::setenv("HYGIE_TEST_VARIABLE", "value", 1), 0);
    EXPECT_EQ(real_process().environment("HYGIE_TEST_VARIABLE"), "value");
    ::unsetenv("HYGIE_TEST_VARIABLE");
    EXPECT_EQ(real_process().environment("HYGIE_TEST_VARIABLE"), "");
}

}  // namespace
}  // namespace hygie
