#include "guards/files/acts/volume.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "sim/temp_dir.h"

namespace hygie::files {
namespace {

class FilesVolume : public testing::Test {
  protected:
    std::string at(const std::string& name) const { return folder_ / name; }
    UniqueFd make(const std::string& name) const {
        return UniqueFd(::open(at(name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    }
    /// As Git makes its objects: under a passing name first.
    UniqueFd make_beside(const std::string& passing, const std::string& name) const {
        UniqueFd fd = make(passing);
        EXPECT_EQ(::link(at(passing).c_str(), at(name).c_str()), 0);
        EXPECT_EQ(::unlink(at(passing).c_str()), 0);
        return fd;
    }

    sim::TempDir folder_;
};

TEST_F(FilesVolume, ANameThatIsGoneIsTheOneItWasWhetherThereAreOthersOrNot) {
    const UniqueFd fd = make_beside("passing", "object");
    EXPECT_EQ(Volume::path_of(fd.get()), at("passing"));
    ASSERT_EQ(::unlink(at("object").c_str()), 0);
    EXPECT_EQ(Volume::path_of(fd.get()), at("passing"));
}

TEST_F(FilesVolume, AFileMayBeCalledDeleted) {
    const UniqueFd fd = make("notes (deleted)");
    EXPECT_EQ(Volume::path_of(fd.get()), at("notes (deleted)"));
    const UniqueFd gone = make_beside("other", "kept");
    const UniqueFd namesake = make("other (deleted)");
    EXPECT_EQ(Volume::path_of(gone.get()), at("other"));
    EXPECT_EQ(Volume::path_of(namesake.get()), at("other (deleted)"));
}

}  // namespace
}  // namespace hygie::files
