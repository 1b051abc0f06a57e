#include "guards/files/restore/settle.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guards/files/live.h"
#include "guards/files/restore/restore.h"
#include "host/process.h"
#include "sim/temp_dir.h"

namespace hygie::files {
namespace {

bool runs(const std::vector<std::string>& argv) {
    const auto done = real_process().run(argv, {}, {});
    return done && done->exit_code == 0;
}

/// Bytes are copied there, and its log is known without asking the kernel for it.
constexpr const char* kXfsWithoutClones = "xfs_without_clones";

/// A file system in an image of its own, on which nobody but the test writes: nothing else syncs
/// it. A copy of the image is what a power cut at that moment leaves.
class SettledImage : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "mounting an image needs root";
        ASSERT_TRUE(real_disk().make_dirs(mount_));
        ASSERT_TRUE(runs({"truncate", "-s", "400M", image_}));
        ASSERT_TRUE(runs(maker()));
        is_mounted_ = runs({"mount", "-o", "loop", image_, mount_});
        if (!is_mounted_) GTEST_SKIP() << "no image can be mounted here";
        // What stood there before.
        write("version", text_);
        write("letter", "chiffre");
        write("old name", text_);
        ASSERT_TRUE(real_disk().sync_all(mount_));
    }
    void TearDown() override {
        if (!is_mounted_) return;
        EXPECT_TRUE(runs({"umount", mount_}));
    }

    std::vector<std::string> maker() const {
        const std::string kind = GetParam();
        if (kind == kXfsWithoutClones) return {"mkfs.xfs", "-q", "-m", "reflink=0", image_};
        return {"mkfs." + kind, "-q", image_};
    }
    void write(const std::string& name, std::string_view text) {
        ASSERT_TRUE(real_disk().write_file(in(name), as_bytes(text)));
    }
    std::string read(const std::string& name) {
        const auto bytes = real_disk().read_file(in(name), 1 << 20);
        return bytes ? std::string(as_text(*bytes)) : "(none)";
    }
    std::string in(const std::string& name) const { return mount_ + '/' + name; }

    /// As a restore makes a file: beside, then under its name.
    void bring_back(const std::string& name) {
        const UniqueFd version(::open(in("version").c_str(), O_RDONLY | O_CLOEXEC));
        const UniqueFd file(
            ::open(in("made").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        ASSERT_TRUE(version && file);
        if (::ioctl(file.get(), FICLONE, version.get()) < 0) {
            ASSERT_EQ(::write(file.get(), text_.data(), text_.size()),
                      static_cast<ssize_t>(text_.size()));
            settling_.copied(file);
        }
        ASSERT_EQ(::rename(in("made").c_str(), in(name).c_str()), 0);
    }
    Status end() { return settling_.end(real_disk(), mount_); }
    void cut_the_power() {
        ASSERT_TRUE(runs({"cp", "--sparse=always", image_, image_ + ".cut"}));
        ASSERT_TRUE(runs({"umount", mount_}));
        is_mounted_ = runs({"mount", "-o", "loop", image_ + ".cut", mount_});
        ASSERT_TRUE(is_mounted_);
    }

    const std::string text_ = std::string(300000, 'v') + "fin";
    Settling settling_;
    sim::TempDir dir_;
    const std::string image_ = dir_ / "image", mount_ = dir_ / "mount";

  private:
    bool is_mounted_ = false;
};

TEST_P(SettledImage, WhatWasBroughtBackOutlivesAPowerCut) {
    bring_back("letter");
    bring_back("lost letter");
    ASSERT_EQ(::rename(in("old name").c_str(), in("new name").c_str()), 0);
    ASSERT_TRUE(end());
    ASSERT_NO_FATAL_FAILURE(cut_the_power());
    EXPECT_EQ(read("letter"), text_);
    EXPECT_EQ(read("lost letter"), text_);
    EXPECT_EQ(read("old name"), "(none)");
    EXPECT_EQ(read("new name"), text_);
}

TEST_P(SettledImage, WhatWasTakenBackOutlivesAPowerCut) {
    // Reports lie on another disk: writing them settles nothing here.
    const std::string state = dir_ / "state", share = in("share"), stage = in("own/stage0");
    StoreDoors doors{real_disk(), real_clock(), real_random()};
    ASSERT_TRUE(real_disk().make_dirs(share) && real_disk().make_dirs(stage));
    write("share/letter", text_);
    auto volume = *Volume::open(0, {share});
    auto store = *Store::open(doors, state);
    ASSERT_TRUE(store->add_stage(*volume, stage));
    ASSERT_TRUE(write_volumes(real_disk(), state, {{0, volume->id(), volume->type(), stage}}));
    const auto keep = [&](Cause cause) {
        const UniqueFd fd(::open(in("share/letter").c_str(), O_RDONLY | O_CLOEXEC));
        const FileKey key = *volume->key_of(fd.get());
        return store->keep({*volume, fd.get(), key, in("share/letter")}, cause, "",
                           Store::Effort::Bytes);
    };
    ASSERT_TRUE(keep(Cause::Baseline));
    const VersionId since = store->next_version();
    write("share/letter", "chiffre");
    ASSERT_TRUE(keep(Cause::Commit));
    const History history = *History::read(doors, state);
    const auto done = restore(doors, state, history, history.plan({since, {}, {}}));
    ASSERT_TRUE(done && read("share/letter") == text_);
    ASSERT_TRUE(real_disk().sync_all(mount_));
    ASSERT_TRUE(undo(doors, state, done->id));
    store.reset();
    volume.reset();
    ASSERT_NO_FATAL_FAILURE(cut_the_power());
    EXPECT_EQ(read("share/letter"), "chiffre");
    EXPECT_TRUE(read("own/evidence/" + done->id + "/1") == text_) << "what it had brought back";
}

INSTANTIATE_TEST_SUITE_P(FilesSettling, SettledImage,
                         testing::Values("ext4", "xfs", kXfsWithoutClones, "btrfs"),
                         [](const auto& kind) { return std::string(kind.param); });

}  // namespace
}  // namespace hygie::files
