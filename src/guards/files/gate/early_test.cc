#include "guards/files/gate/early.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guards/files/enforce/sealers.h"

namespace hygie::files {
namespace {

FileKey file(int number) {
    return FileKey(0, 1, Bytes{static_cast<std::uint8_t>(number), 0, 0, 1});
}

constexpr pid_t kWriter = 70;

class FilesEarly : public testing::Test {
  protected:
    void SetUp() override {
        for (int i = 0; i < 40; ++i) early_.add(file(i));
    }
    bool change(int number, pid_t pid = kWriter) {
        return early_.is_hasty(file(number), pid, now_);
    }

    EarlyWriters early_;
    SteadyTime now_{std::chrono::hours(1)};
};

TEST_F(FilesEarly, TheThirdFileWithinASecondIsOneTooMany) {
    EXPECT_FALSE(change(0));
    EXPECT_FALSE(change(0)) << "the same once more";
    EXPECT_FALSE(change(1));
    EXPECT_FALSE(change(2, kWriter + 1)) << "another process";
    EXPECT_FALSE(change(99)) << "opened since: that was asked";
    EXPECT_TRUE(change(3));
}

TEST_F(FilesEarly, WhoWritesNowAndThenIsLeftAlone) {
    for (int i = 0; i < 20; ++i) {
        EXPECT_FALSE(change(i));
        now_ += std::chrono::milliseconds(600);
    }
}

TEST_F(FilesEarly, WhoWasFoundHarmlessThreeTimesIsLeftAlone) {
    int found = 0;
    for (int i = 0; i < 40; ++i) found += change(i);
    EXPECT_EQ(found, EarlyWriters::kFoundMax);
}

TEST(FilesEarlyHold, LastsUntilItIsTimeWhateverElseIsJudged) {
    const pid_t child = ::fork();
    if (child == 0)
        for (;;) ::pause();
    Enforcer enforcer{{real_process_control(), real_clock(), real_random()}, nullptr, {}, nullptr};
    Sealers sealers(enforcer);
    const SteadyTime now = real_clock().steady();
    sealers.hold(child, now);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
    EXPECT_TRUE(WIFSTOPPED(status));
    const auto goes_on = [&] {
        return ::waitpid(child, &status, WCONTINUED | WNOHANG) == child && WIFCONTINUED(status);
    };
    // Others are judged meanwhile, and let go.
    EXPECT_TRUE(sealers.held().empty());
    sealers.let_go({});
    sealers.know(child);
    sealers.let_go_since(now - Sealers::kHoldMax);
    EXPECT_FALSE(goes_on());
    sealers.let_go_since(now + Sealers::kLookedAt * 2 - Sealers::kHoldMax);
    EXPECT_TRUE(goes_on());
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
}

}  // namespace
}  // namespace hygie::files
