#include "guards/files/judge/sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>

#include "guards/files/judge/victims.h"

namespace hygie::files {
namespace {

Bytes bytes_of(std::string_view text) {
    return to_bytes(as_bytes(text));
}

TEST(Sandbox, SaysWhatTheExaminerSaysInThisProcess) {
    const auto sandboxed = SandboxedExaminer::start();
    ASSERT_TRUE(sandboxed);
    DirectExaminer direct;
    const MemoryContent before(bytes_of("Madame, votre bilan est normal.\n"));
    const MemoryContent after(bytes_of("Madame, votre bilan est à revoir.\n"));
    const auto there = (*sandboxed)->examine(&before, after);
    ASSERT_TRUE(there);
    EXPECT_EQ(*there, *direct.examine(&before, after));
    const auto fresh = (*sandboxed)->examine(nullptr, after);
    ASSERT_TRUE(fresh);
    EXPECT_EQ(*fresh, *direct.examine(nullptr, after));
}

TEST(Sandbox, AgreesOnEveryKindOfRealFile) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    const auto sandboxed = SandboxedExaminer::start();
    ASSERT_TRUE(sandboxed);
    DirectExaminer direct;
    for (std::size_t i = 7; i + 1 < victims().size(); i += 23) {
        const MemoryContent before(victims()[i].bytes);
        const MemoryContent after(victims()[i + 1].bytes);
        const auto there = (*sandboxed)->examine(&before, after);
        ASSERT_TRUE(there) << there.error().what.en << " " << i;
        EXPECT_EQ(*there, *direct.examine(&before, after)) << i;
    }
    EXPECT_EQ((*sandboxed)->deaths(), 0U);
}

/// Unpacking looks for time zones and character sets on the disk: it must do without.
TEST(Sandbox, OutlivesWhatArchivesMakeItLookFor) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    const auto sandboxed = SandboxedExaminer::start();
    ASSERT_TRUE(sandboxed);
    DirectExaminer direct;
    std::size_t packed = 0;
    for (const Victim& victim : victims()) {
        if (format_of(victim.bytes) != Format::Zip || victim.bytes.size() < 2000) continue;
        Bytes damaged = victim.bytes;
        for (std::size_t i = 1024; i < damaged.size(); ++i)
            damaged[i] = static_cast<std::uint8_t>(damaged[i] * 167 + i);
        const MemoryContent before(victim.bytes);
        const MemoryContent after(damaged);
        const auto there = (*sandboxed)->examine(&before, after);
        ASSERT_TRUE(there) << victim.path;
        EXPECT_EQ(there->fate, direct.examine(&before, after)->fate) << victim.path;
        if (++packed == 12) break;
    }
    EXPECT_GT(packed, 3U);
    EXPECT_EQ((*sandboxed)->deaths(), 0U);
}

/// The only child of this process.
pid_t child_of(pid_t pid) {
    pid_t child = 0;
    std::ifstream(fmt::format("/proc/{0}/task/{0}/children", pid)) >> child;
    return child;
}

/// Else everything from then on would be judged by what was found in the file before.
TEST(Sandbox, AWorkerThatIsKilledOverNothingConfusesNoAnswers) {
    const auto sandboxed = SandboxedExaminer::start();
    ASSERT_TRUE(sandboxed);
    DirectExaminer direct;
    const MemoryContent before(bytes_of("Madame, votre bilan est normal.\n"));
    const MemoryContent same(bytes_of("Madame, votre bilan est normal.\n"));
    const MemoryContent after(bytes_of("Madame, votre bilan est à revoir.\n"));
    ASSERT_TRUE((*sandboxed)->examine(&before, after));
    const pid_t keeper = child_of(::getpid());
    const pid_t worker = child_of(keeper);
    ASSERT_GT(worker, 0);
    ASSERT_EQ(::kill(worker, SIGKILL), 0);
    // Until then it could take the next question with it.
    for (int i = 0; i < 500 && child_of(keeper) == worker; ++i) ::usleep(10'000);
    ASSERT_NE(child_of(keeper), worker);
    (void)(*sandboxed)->examine(&before, same);
    for (const MemoryContent* now : {&after, &same, &after}) {
        const auto there = (*sandboxed)->examine(&before, *now);
        ASSERT_TRUE(there);
        EXPECT_EQ(*there, *direct.examine(&before, *now));
    }
    EXPECT_LE((*sandboxed)->deaths(), 1U);
}

/// Without the sanitizer's own `_exit`, which looks for leaks first and needs calls that are
/// closed.
void leave(int code) {
    ::syscall(SYS_exit_group, code);
}

/// What happens to a sandboxed process that tries: its wait status.
int fate_inside(void (*attempt)()) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (!enter_sandbox()) leave(3);
        attempt();
        leave(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

TEST(Sandbox, CanNeitherOpenNorConnectNorStartAnything) {
    const auto is_killed = [](int status) {
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
    };
    const int opening = fate_inside([] {
        if (::open("/etc/passwd", O_RDONLY) < 0 && ::open("/dev/null", O_RDWR) < 0) leave(7);
    });
    EXPECT_TRUE(WIFEXITED(opening) && WEXITSTATUS(opening) == 7);
    EXPECT_TRUE(is_killed(fate_inside([] { (void)::socket(AF_INET, SOCK_STREAM, 0); })));
    EXPECT_TRUE(is_killed(fate_inside([] { (void)::fork(); })));
    EXPECT_TRUE(is_killed(fate_inside([] { (void)::unlink("/nowhere"); })));
    EXPECT_TRUE(is_killed(fate_inside([] { (void)::execl("/bin/true", "true", nullptr); })));
    const int quiet = fate_inside([] {});
    EXPECT_TRUE(WIFEXITED(quiet) && WEXITSTATUS(quiet) == 0);
}

}  // namespace
}  // namespace hygie::files
