#include <gtest/gtest.h>

#include "app/line/harness.h"
#include "sim/temp_dir.h"

namespace hygie::app {
namespace {

/// A folder that was misspelt is told, not made.
TEST(BackupCommands, AskNothingOfAFolderThatIsNotThere) {
    Harness harness;
    const sim::TempDir dir;
    for (const std::vector<std::string>& more :
         {std::vector<std::string>{"status"},
          {"drill", "--dir", dir.path(), "--repository", dir / "copies", "--password-file",
           dir / "none"}}) {
        std::vector<std::string> args = {"--lang", "en", "backup"};
        args.insert(args.end(), more.begin(), more.end());
        args.insert(args.end(), {"--state", dir / "misspelt"});
        const Ran ran = harness.run(args);
        EXPECT_EQ(ran.code, kExitFailed) << ran.out;
        EXPECT_NE(ran.err, "");
        EXPECT_EQ(ran.out, "");
        EXPECT_FALSE(real_disk().exists(dir / "misspelt")) << more[0];
    }
}

TEST(BackupCommands, SayWhatIsMissingBeforeResticDoes) {
    Harness harness;
    const sim::TempDir dir;
    const Ran ran = harness.run({"--lang", "en", "backup", "now", "--state", dir / "state", "--dir",
                                 dir / "nowhere", "--repository", dir / "copies", "--password-file",
                                 dir / "none"});
    EXPECT_EQ(ran.code, kExitFailed);
    EXPECT_TRUE(ran.err.contains("nowhere")) << ran.err;
}

}  // namespace
}  // namespace hygie::app
