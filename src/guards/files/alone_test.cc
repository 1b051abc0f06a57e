#include "guards/files/alone.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "host/disk.h"
#include "sim/temp_dir.h"

namespace hygie::files {
namespace {

class FilesAlone : public testing::Test {
  protected:
    void SetUp() override {
        for (const char* dir : {"/srv/a/b", "/srv/c"}) ASSERT_TRUE(real_disk().make_dirs(at(dir)));
    }
    std::string at(const std::string& dir) { return dir_ / "disk" + dir; }
    Result<Alone> hold(const std::vector<std::string>& dirs) {
        std::vector<Alone::Folder> folders;
        for (const std::string& dir : dirs) folders.push_back({at(dir), at("")});
        return Alone::hold(folders, dir_ / "locks");
    }

    sim::TempDir dir_;
};

TEST_F(FilesAlone, OneGuardHasAFolderWhateverItsState) {
    {
        const auto one = hold({"/srv/a"});
        ASSERT_TRUE(one);
        const auto other = hold({"/srv/c", "/srv/a"});
        ASSERT_FALSE(other);
        EXPECT_EQ(other.error().code, Code::Busy);
        EXPECT_NE(other.error().what.fr.find(at("/srv/a")), std::string::npos);
        EXPECT_NE(other.error().what.en.find(at("/srv/a")), std::string::npos);
    }
    EXPECT_TRUE(hold({"/srv/a"})) << "it ended";
}

TEST_F(FilesAlone, NorOneInItNorOneThatHoldsIt) {
    const auto one = hold({"/srv/a"});
    ASSERT_TRUE(one);
    EXPECT_FALSE(hold({"/srv/a/b"}));
    EXPECT_FALSE(hold({"/srv"}));
    EXPECT_FALSE(hold({""}));
    const auto beside = hold({"/srv/c"});
    EXPECT_TRUE(beside) << "two shares of one disk";
}

TEST_F(FilesAlone, OneGuardMayHaveAFolderAndOneInIt) {
    const auto one = hold({"/srv/a", "/srv/a/b", "/srv/a"});
    ASSERT_TRUE(one);
    EXPECT_FALSE(hold({"/srv/a/b"}));
}

TEST_F(FilesAlone, NobodyElseMayTakeTheLocks) {
    ASSERT_TRUE(hold({"/srv/a"}));
    struct stat info{};
    ASSERT_EQ(::stat((dir_ / "locks").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

}  // namespace
}  // namespace hygie::files
