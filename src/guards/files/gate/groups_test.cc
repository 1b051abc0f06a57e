#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/fanotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "guards/files/gate/gate.h"
#include "host/disk.h"
#include "sim/temp_dir.h"

namespace hygie::files {
namespace {

/// The kernel ends no group that has a mark on a file for as long as somebody waits over that file.
TEST(FilesGroups, WhoWaitsAtTheDoorGoesOnWhenTheyEnd) {
    sim::TempDir dir;
    const std::string path = join(dir.path(), "letter");
    const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_TRUE(file);
    auto gate = fan::Group::open(fan::Kind::OldGate);
    auto closings = fan::Group::open(fan::Kind::Closings);
    if (!gate || !closings) GTEST_SKIP() << "not without rights";
    if (::fanotify_mark(gate->fd(), FAN_MARK_ADD, fan::kOpenPerm | FAN_EVENT_ON_CHILD, AT_FDCWD,
                        dir.path().c_str()) != 0)
        GTEST_SKIP() << "not on this file system";
    closings->watch_file(file.get(), fan::kCloseWrite);
    const pid_t reader = ::fork();
    if (reader == 0) {
        ::alarm(10);  // else nothing could end this test
        ::close(gate->fd());
        ::close(closings->fd());
        ::_exit(::open(path.c_str(), O_RDONLY) < 0);
    }
    for (int i = 0; i < 500 && !gate->pending(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    {
        Groups groups;
        groups.gate = std::move(*gate);
        groups.closings = std::move(*closings);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(reader, &status, 0), reader);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace hygie::files
