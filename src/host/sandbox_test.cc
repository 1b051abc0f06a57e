#include "host/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace hygie {
namespace {

Bytes word(std::string_view text) {
    return to_bytes(as_bytes(text));
}

/// What the question asks for is tried in the child.
Bytes try_it(ByteView question) {
    const std::string_view what = as_text(question);
    if (what == "open") return word(::open("/etc/passwd", O_RDONLY) < 0 ? "refused" : "opened");
    if (what == "create")
        return word(::open("/tmp/hygie-sandbox-test", O_CREAT | O_WRONLY, 0600) < 0 ? "refused"
                                                                                    : "created");
    if (what == "socket") return word(::socket(AF_INET, SOCK_STREAM, 0) < 0 ? "refused" : "made");
    if (what == "run") return word(::execl("/bin/true", "true", nullptr) < 0 ? "refused" : "ran");
    if (what == "crash") std::abort();
    if (what == "hang")
        while (true) ::getpid();
    if (what == "flood") return Bytes(1U << 20);
    Bytes back = to_bytes(question);
    std::ranges::reverse(back);
    return back;
}

constexpr SandboxLimits kLimits{
    .deadline = std::chrono::milliseconds(500), .answer_bytes_max = 1U << 16, .answers_max = 3};

std::string ask(Sandbox& box, std::string_view question) {
    const Result<Bytes> answer = box.ask(as_bytes(question));
    return answer ? std::string(as_text(*answer)) : "error";
}

TEST(Sandbox, ComputesManyAnswersOverFreshChildren) {
    Sandbox box(try_it, kLimits);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(box, "abc"), "cba");
}

TEST(Sandbox, AnAnswerNobodyTookIsNotThatOfTheNextQuestion) {
    Sandbox box(try_it, kLimits);
    ASSERT_TRUE(box.put(as_bytes("abc")));
    ASSERT_TRUE(box.put(as_bytes("xyz")));
    EXPECT_EQ(as_text(*box.answer()), "zyx");
    EXPECT_EQ(ask(box, "abc"), "cba");
}

TEST(Sandbox, RefusesFilesAndSockets) {
    Sandbox box(try_it, kLimits);
    EXPECT_EQ(ask(box, "open"), "refused");
    EXPECT_EQ(ask(box, "create"), "refused");
    EXPECT_EQ(ask(box, "socket"), "error") << "a socket is an attack: the child ends";
    EXPECT_EQ(ask(box, "run"), "error") << "a program is an attack: the child ends";
    EXPECT_EQ(ask(box, "abc"), "cba");
}

TEST(Sandbox, OutlivesCrashHangAndFlood) {
    Sandbox box(try_it, kLimits);
    for (const char* what : {"crash", "hang", "flood"}) {
        EXPECT_EQ(ask(box, what), "error");
        EXPECT_EQ(ask(box, "abc"), "cba") << "after " << what;
    }
}

}  // namespace
}  // namespace hygie
