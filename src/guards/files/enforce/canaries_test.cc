#include "guards/files/enforce/canaries.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "guards/files/content/format.h"
#include "host/clock.h"
#include "sim/temp_dir.h"

namespace hygie::files {
namespace {

namespace fs = std::filesystem;

struct Share {
    sim::TempDir dir;
    std::string share = join(dir.path(), "share");
    JudgeState state{real_disk(), real_random(), join(dir.path(), "state"), crypto::Secret32()};
    Canaries canaries{real_disk(), real_random(), state};

    explicit Share(int folders) {
        for (int i = 0; i < folders; ++i) {
            const fs::path folder = fs::path(share) / ("NOM " + std::to_string(100 + i));
            fs::create_directories(folder);
            std::ofstream(folder / "lettre.txt") << "lettre\n";
        }
        fs::permissions(share, fs::perms(0770));
    }
    std::size_t files() const {
        std::size_t count = 0;
        for (const auto& entry : fs::recursive_directory_iterator(share))
            count += entry.is_regular_file();
        return count;
    }
};

TEST(Canaries, StandFirstAndLastInTheFirstTheLastAndOtherFolders) {
    const Share share(30);
    Canaries canaries = share.canaries;
    const auto count = canaries.plant({share.share}, 10);
    ASSERT_TRUE(count);
    EXPECT_EQ(count->planted, 20U);
    EXPECT_EQ(share.files(), 30U + 20U);
    for (const std::string& folder : {share.share, share.share + "/NOM 129"}) {
        const auto names = real_disk().list(folder);
        ASSERT_TRUE(names);
        EXPECT_TRUE(names->front().name.ends_with(".docx"));
        EXPECT_TRUE(names->back().name.ends_with(".pdf"));
    }
}

TEST(Canaries, AreSoundDocumentsOfWhomTheirFolderBelongsTo) {
    Share share(1);
    ASSERT_TRUE(share.canaries.plant({share.share}, 1));
    const auto planted = share.state.load_canaries();
    ASSERT_TRUE(planted);
    ASSERT_EQ(planted->size(), 2U);
    for (const Canary& canary : *planted) {
        const auto bytes = real_disk().read_file(canary.path, 1 << 20);
        ASSERT_TRUE(bytes);
        const Format format = format_of(*bytes);
        EXPECT_EQ(format, canary.path.ends_with(".docx") ? Format::Zip : Format::Pdf);
        EXPECT_EQ(check(format, *bytes), Soundness::Sound);
        struct stat info{};
        ASSERT_EQ(::stat(canary.path.c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 07777, 0660U);
        EXPECT_LT(WallTime(std::chrono::seconds(info.st_mtim.tv_sec)),
                  real_clock().now() - std::chrono::hours(23));
    }
}

TEST(Canaries, AreRenewedAndTakenAwayButForWhatSomebodyWrote) {
    Share share(5);
    ASSERT_TRUE(share.canaries.plant({share.share}, 3));
    const auto planted = share.state.load_canaries();
    ASSERT_TRUE(planted);
    fs::remove(planted->at(0).path);
    std::ofstream(planted->at(1).path, std::ios::app) << "a note of mine";
    const auto looked = share.canaries.look();
    ASSERT_TRUE(looked);
    EXPECT_EQ(looked->missing, 1U);
    EXPECT_EQ(looked->changed, 1U);
    EXPECT_EQ(looked->standing, 4U);
    ASSERT_TRUE(share.canaries.plant({share.share}, 3));
    EXPECT_EQ(share.canaries.look()->standing, 6U);
    const auto removed = share.canaries.remove();
    ASSERT_TRUE(removed);
    EXPECT_EQ(removed->removed, 6U);
    EXPECT_TRUE(fs::exists(planted->at(1).path)) << "it is somebody's now";
    EXPECT_EQ(share.files(), 5U + 1U);
    // The running guard is told each time.
    EXPECT_EQ(share.state.take_orders()->size(), 3U);
}

}  // namespace
}  // namespace hygie::files
