#include "guards/files/whereabouts.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "guards/files/protection.h"
#include "host/disk.h"

namespace hygie::files {
namespace {

/// A state folder and a share on the file system of this test; /proc is another one.
class FilesWhereabouts : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = "/tmp/hygie-whereabouts-XXXXXX";
        top_ = ::mkdtemp(name.data());
        state_ = top_ + "/state";
        std::filesystem::create_directories(state_ + "/stage0");
        std::filesystem::create_directories(top_ + "/share/folder");
        write_state({top_ + "/share", "/proc/share"});
    }
    void TearDown() override { std::filesystem::remove_all(top_); }

    void write_state(const std::vector<std::string>& dirs) {
        std::vector<Protection> all;
        for (const std::string& dir : dirs) all.push_back({dir, "xfs", true, true, {}});
        ASSERT_TRUE(write_protections(real_disk(), state_, all));
        ASSERT_TRUE(write_volumes(real_disk(), state_, {{0, 7, "xfs", state_ + "/stage0"}}));
    }
    Whereabouts look() const { return *Whereabouts::look(real_disk(), state_); }
    static Plan plan_for(const std::vector<std::string>& paths) {
        Plan plan;
        for (const std::string& path : paths) {
            FileState wanted;
            wanted.key = FileKey(0, 1, Bytes{1, 0, 0, 1});
            plan.items.push_back({Step::Recreate, path, wanted, {}, {}});
        }
        return plan;
    }

    std::string top_;
    std::string state_;
};

TEST_F(FilesWhereabouts, AShareInItsPlaceIsRestoredThere) {
    EXPECT_FALSE(look().is_away(top_ + "/share/folder/letter", 0));
    EXPECT_TRUE(look().has_share(top_ + "/share/folder/letter"));
    EXPECT_TRUE(look().check(plan_for({top_ + "/share/folder/letter"})));
}

TEST_F(FilesWhereabouts, ADeletedShareComesBack) {
    std::filesystem::remove_all(top_ + "/share");
    EXPECT_FALSE(look().has_share(top_ + "/share/letter"));
    EXPECT_TRUE(look().check(plan_for({top_ + "/share/letter"})));
}

TEST_F(FilesWhereabouts, NothingIsWrittenToAnotherFileSystem) {
    const Status checked = look().check(plan_for({top_ + "/share/letter", "/proc/share/letter"}));
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, Code::Unavailable);
    EXPECT_NE(checked.error().what.en.find("/proc/share "), std::string::npos);
    EXPECT_NE(checked.error().remedy.fr.find("--to"), std::string::npos);
    EXPECT_NE(checked.error().remedy.en.find("--to"), std::string::npos);
}

TEST_F(FilesWhereabouts, AShareWhoseDiskIsNotMountedIsAway) {
    std::filesystem::remove_all(state_ + "/stage0");
    EXPECT_FALSE(look().check(plan_for({top_ + "/share/letter"})));
}

TEST_F(FilesWhereabouts, AStateThatWasMountedElsewhereFindsItsShareAway) {
    std::filesystem::rename(state_, top_ + "/moved");
    state_ = top_ + "/moved";
    write_state({"/proc/share"});
    EXPECT_TRUE(look().is_away("/proc/share/letter", 0));
}

TEST_F(FilesWhereabouts, OneShareIsBroughtWhereItIsWanted) {
    const auto plan = look().brought_to("/new", plan_for({"/proc/share/a", "/proc/share/b/c"}));
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->items[0].path, "/new/a");
    EXPECT_EQ(plan->items[1].path, "/new/b/c");
    EXPECT_FALSE(look().brought_to("/new", plan_for({"/proc/share/a", top_ + "/share/b"})));
    EXPECT_FALSE(look().brought_to("/new", plan_for({"/elsewhere/a"})));
}

}  // namespace
}  // namespace hygie::files
