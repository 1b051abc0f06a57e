#include "guards/files/acts/actors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <utility>

namespace hygie::files {
namespace {

/// A process of Samba that works for nobody at first.
class LateSession final : public SmbSessions {
  public:
    std::optional<SmbClient> client_of(const ProcessId&) override {
        return SmbClient{std::exchange(is_asked_, true) ? "accueil" : kUnknownUser, "192.0.2.7"};
    }

  private:
    bool is_asked_ = false;
};

TEST(Actors, AreAskedAgainForWhomTheyWorkUntilItIsKnown) {
    LateSession sessions;
    Actors actors(&sessions);
    EXPECT_EQ(actors.of(::getpid()).smb->user, kUnknownUser);
    EXPECT_EQ(actors.of(::getpid()).smb->user, "accueil");
}

TEST(Actors, AnNfsServerIsTheKernelsOrGaneshaUnderRoot) {
    const ProcessStat program;
    const ProcessStat thread{.parent = 2, .started = 5, .is_kernel = true};
    const std::string root = "Name:\tganesha.nfsd\nUid:\t0\t1001\t0\t1001\n";
    const std::string user = "Name:\tganesha.nfsd\nUid:\t1001\t0\t0\t0\n";
    EXPECT_TRUE(is_nfs_server("/usr/bin/ganesha.nfsd", program, root));
    EXPECT_TRUE(is_nfs_server("/usr/bin/ganesha.nfsd (deleted)", program, root));
    EXPECT_FALSE(is_nfs_server("/home/x/ganesha.nfsd", program, user)) << "it would go unstopped";
    EXPECT_FALSE(is_nfs_server("/usr/bin/python3", program, root));
    EXPECT_TRUE(is_nfs_server("", thread, "Name:\tnfsd\nUid:\t0\t0\t0\t0\n"));
    EXPECT_FALSE(is_nfs_server("", program, "Name:\tnfsd\nUid:\t0\t0\t0\t0\n"));
    EXPECT_FALSE(is_nfs_server("", thread, "Name:\tkworker/0:1\nUid:\t0\t0\t0\t0\n"));
}

TEST(Actors, ThreadsOfTheKernelShowByTheirFlags) {
    const auto stat = parse_stat(
        "40 (nfsd) S 2 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "
        "17 1 0 0");
    ASSERT_TRUE(stat);
    EXPECT_TRUE(stat->is_kernel);
    EXPECT_EQ(stat->started, 77U);
    EXPECT_FALSE(stat_of(::getpid())->is_kernel);
}

}  // namespace
}  // namespace hygie::files
