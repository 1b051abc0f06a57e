#include "host/disk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "host/os_error.h"
#include "sim/temp_dir.h"

namespace hygie {
namespace {

class RealDisk : public testing::Test {
  protected:
    std::string text_of(const std::string& path) {
        const auto bytes = disk_.read_file(path, 1 << 20);
        return bytes ? std::string(as_text(*bytes)) : "cannot read: " + bytes.error().what.en;
    }
    static mode_t mode_of(const std::string& path) {
        struct stat info{};
        EXPECT_EQ(::stat(path.c_str(), &info), 0);
        return info.st_mode & 0777;
    }

    sim::TempDir dir_;
    Disk& disk_ = real_disk();
};

TEST_F(RealDisk, ReadsBackWhatWasWrittenWhereItWasWritten) {
    auto file = disk_.open(dir_ / "f", Open::Create);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_at(3, as_bytes("defg")));
    ASSERT_TRUE((*file)->write_at(0, as_bytes("abc")));
    ASSERT_TRUE((*file)->sync());
    EXPECT_EQ((*file)->size(), 7u);
    EXPECT_EQ(text_of(dir_ / "f"), "abcdefg");

    std::array<std::uint8_t, 8> out{};
    EXPECT_EQ((*file)->read_at(5, out), 2u);
    EXPECT_EQ((*file)->read_at(7, out), 0u);
    ASSERT_TRUE((*file)->truncate(2));
    EXPECT_EQ(disk_.file_size(dir_ / "f"), 2u);
}

TEST_F(RealDisk, KeepsTheModesOfOpeningApart) {
    const std::string path = dir_ / "f";
    EXPECT_EQ(disk_.open(path, Open::Read).error().code, Code::NotFound);
    EXPECT_EQ(disk_.open(path, Open::ReadWrite).error().code, Code::NotFound);
    EXPECT_TRUE(disk_.open(path, Open::Create));
    EXPECT_EQ(disk_.open(path, Open::Create).error().code, Code::AlreadyThere);
    EXPECT_TRUE(disk_.open(path, Open::OpenOrCreate));
    auto reader = disk_.open(path, Open::Read);
    ASSERT_TRUE(reader);
    EXPECT_FALSE((*reader)->write_at(0, as_bytes("x")));
}

/// An administrator's command must not take a service's files away from it.
TEST_F(RealDisk, WhatRootMakesInAnothersFolderIsTheirs) {
    if (::geteuid() != 0) GTEST_SKIP() << "root is needed to stand in another's folder";
    constexpr uid_t kOther = 65534;
    const auto owner_of = [](const std::string& path) {
        struct stat info{};
        EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
        return info.st_uid;
    };
    const std::string home = dir_ / "home";
    ASSERT_TRUE(disk_.make_dirs(home));
    ASSERT_EQ(::chown(home.c_str(), kOther, kOther), 0);
    ASSERT_TRUE(disk_.replace_file(join(home, "replaced"), as_bytes("x")));
    ASSERT_TRUE(disk_.open(join(home, "created"), Open::Create));
    ASSERT_TRUE(disk_.open(join(home, "opened"), Open::OpenOrCreate));
    ASSERT_TRUE(disk_.lock(join(home, "lock")));
    ASSERT_TRUE(disk_.make_dirs(join(home, "a/b")));
    ASSERT_TRUE(disk_.write_file(join(home, "a/b/written"), as_bytes("x")));
    for (const char* made : {"replaced", "created", "opened", "lock", "a", "a/b", "a/b/written"})
        EXPECT_EQ(owner_of(join(home, made)), kOther) << made;
    // What was there already is nobody's gift, and root's own folders stay root's.
    const std::string kept = join(home, "kept");
    ASSERT_TRUE(disk_.write_file(kept, {}));
    ASSERT_EQ(::chown(kept.c_str(), 0, 0), 0);
    ASSERT_TRUE(disk_.open(kept, Open::OpenOrCreate));
    EXPECT_EQ(owner_of(kept), 0U);
    ASSERT_TRUE(disk_.write_file(dir_ / "own", as_bytes("x")));
    EXPECT_EQ(owner_of(dir_ / "own"), 0U);
}

TEST_F(RealDisk, OpensOnlyRegularFilesAndNeverWritesThroughALink) {
    ASSERT_EQ(::mkfifo((dir_ / "pipe").c_str(), 0600), 0);
    EXPECT_EQ(disk_.open(dir_ / "pipe", Open::Read).error().code, Code::BadInput);
    EXPECT_EQ(disk_.open(dir_.path(), Open::Read).error().code, Code::BadInput);
    EXPECT_EQ(disk_.open("/dev/full", Open::ReadWrite).error().code, Code::BadInput);

    ASSERT_TRUE(disk_.write_file(dir_ / "target", as_bytes("kept")));
    ASSERT_EQ(::symlink((dir_ / "target").c_str(), (dir_ / "link").c_str()), 0);
    EXPECT_EQ(text_of(dir_ / "link"), "kept");
    EXPECT_EQ(disk_.write_file(dir_ / "link", as_bytes("lost")).error().code, Code::Denied);
    EXPECT_EQ(disk_.lock(dir_ / "link").error().code, Code::Denied);
    EXPECT_EQ(text_of(dir_ / "target"), "kept");
}

TEST_F(RealDisk, IsPrivateUnlessServed) {
    ASSERT_TRUE(disk_.make_dirs(dir_ / "private/deep"));
    ASSERT_TRUE(disk_.make_dirs(dir_ / "served/deep", Access::Served));
    ASSERT_TRUE(disk_.write_file(dir_ / "private/f", as_bytes("x")));
    ASSERT_TRUE(disk_.replace_file(dir_ / "served/f", as_bytes("x"), Access::Served));
    EXPECT_EQ(mode_of(dir_ / "private"), 0700u);
    EXPECT_EQ(mode_of(dir_ / "private/deep"), 0700u);
    EXPECT_EQ(mode_of(dir_ / "private/f"), 0600u);
    EXPECT_EQ(mode_of(dir_ / "served"), 0755u);
    EXPECT_EQ(mode_of(dir_ / "served/deep"), 0755u);
    EXPECT_EQ(mode_of(dir_ / "served/f"), 0644u);
}

TEST_F(RealDisk, PreallocatesZerosWithoutTouchingWhatIsThere) {
    auto file = disk_.open(dir_ / "f", Open::Create);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_at(0, as_bytes("head")));
    ASSERT_TRUE((*file)->preallocate((3 << 20) + 17));
    EXPECT_EQ((*file)->size(), (3u << 20) + 17);
    struct stat info{};
    ASSERT_EQ(::stat((dir_ / "f").c_str(), &info), 0);
    EXPECT_GE(info.st_blocks * 512, 3 << 20) << "the room is not really taken";

    const Bytes bytes = disk_.read_file(dir_ / "f", 4 << 20).value();
    EXPECT_EQ(as_text(ByteView(bytes).first(4)), "head");
    EXPECT_TRUE(std::all_of(bytes.begin() + 4, bytes.end(), [](auto byte) { return byte == 0; }));
    ASSERT_TRUE((*file)->preallocate(5));
    EXPECT_EQ((*file)->size(), (3u << 20) + 17) << "preallocating must never shrink";
}

TEST_F(RealDisk, ReplacesAFileAndLeavesNoTemporary) {
    ASSERT_TRUE(disk_.replace_file(dir_ / "f", as_bytes("a long first version")));
    ASSERT_TRUE(disk_.replace_file(dir_ / "f", as_bytes("second")));
    EXPECT_EQ(text_of(dir_ / "f"), "second");
    EXPECT_FALSE(disk_.exists(dir_ / "f.tmp"));
    EXPECT_EQ(disk_.replace_file(dir_ / "absent/f", as_bytes("x")).error().code, Code::NotFound);
}

TEST_F(RealDisk, OverwritesWithAShorterText) {
    ASSERT_TRUE(disk_.write_file(dir_ / "f", as_bytes("a long first version")));
    ASSERT_TRUE(disk_.write_file(dir_ / "f", as_bytes("short")));
    EXPECT_EQ(text_of(dir_ / "f"), "short");
}

TEST_F(RealDisk, RefusesToReadMoreThanAllowed) {
    ASSERT_TRUE(disk_.write_file(dir_ / "f", as_bytes("12345")));
    EXPECT_EQ(disk_.read_file(dir_ / "f", 4).error().code, Code::Full);
    EXPECT_TRUE(disk_.read_file(dir_ / "f", 5));
}

TEST_F(RealDisk, ListsSortedAndSaysWhatIsADirectory) {
    ASSERT_TRUE(disk_.write_file(dir_ / "b", {}));
    ASSERT_TRUE(disk_.make_dirs(dir_ / "c/d"));
    ASSERT_TRUE(disk_.write_file(dir_ / "a", {}));
    const auto entries = disk_.list(dir_.path());
    ASSERT_TRUE(entries);
    ASSERT_EQ(entries->size(), 3u);
    EXPECT_EQ((*entries)[0].name, "a");
    EXPECT_EQ((*entries)[1].name, "b");
    EXPECT_FALSE((*entries)[1].is_dir);
    EXPECT_EQ((*entries)[2].name, "c");
    EXPECT_TRUE((*entries)[2].is_dir);
    EXPECT_EQ(disk_.list(dir_ / "absent").error().code, Code::NotFound);
}

TEST_F(RealDisk, RenamesAndRemoves) {
    ASSERT_TRUE(disk_.write_file(dir_ / "a", as_bytes("x")));
    ASSERT_TRUE(disk_.rename(dir_ / "a", dir_ / "b"));
    EXPECT_FALSE(disk_.exists(dir_ / "a"));
    EXPECT_EQ(disk_.rename(dir_ / "a", dir_ / "b").error().code, Code::NotFound);
    ASSERT_TRUE(disk_.make_dirs(dir_ / "full/inner"));
    EXPECT_FALSE(disk_.remove(dir_ / "full"));
    EXPECT_TRUE(disk_.remove(dir_ / "full/inner"));
    EXPECT_TRUE(disk_.remove(dir_ / "full"));
    EXPECT_TRUE(disk_.remove(dir_ / "b"));
    EXPECT_EQ(disk_.remove(dir_ / "b").error().code, Code::NotFound);
}

TEST_F(RealDisk, MakesDirsOnlyWhereNoFileStands) {
    ASSERT_TRUE(disk_.make_dirs(dir_ / "a/b"));
    EXPECT_TRUE(disk_.make_dirs(dir_ / "a/b"));
    ASSERT_TRUE(disk_.write_file(dir_ / "f", {}));
    EXPECT_FALSE(disk_.make_dirs(dir_ / "f"));
    EXPECT_FALSE(disk_.make_dirs(dir_ / "f/under"));
}

TEST_F(RealDisk, SyncsDirectoriesAndWholeTrees) {
    EXPECT_TRUE(disk_.sync_dir(dir_.path()));
    EXPECT_TRUE(disk_.sync_all(dir_.path()));
    EXPECT_EQ(disk_.sync_dir(dir_ / "absent").error().code, Code::NotFound);
    EXPECT_EQ(disk_.sync_all(dir_ / "absent").error().code, Code::NotFound);
    EXPECT_GT(disk_.free_bytes(dir_.path()).value(), 0u);
}

TEST_F(RealDisk, LocksOutASecondHolderEvenInOneProcess) {
    auto first = disk_.lock(dir_ / "lock");
    ASSERT_TRUE(first);
    const auto second = disk_.lock(dir_ / "lock");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::Busy);
    EXPECT_FALSE(second.error().remedy.fr.empty());
    first->reset();
    EXPECT_TRUE(disk_.lock(dir_ / "lock"));
}

TEST_F(RealDisk, IsDeniedWithTheNameOfThePlace) {
    const std::string path = dir_ / "f";
    const auto attempt = [&] {
        // Root may write anywhere, so as root the attempt is made as nobody.
        if (::geteuid() == 0 && ::seteuid(65'534) != 0) std::_Exit(2);
        ::chmod(dir_.path().c_str(), 0500);
        const auto file = real_disk().open(path, Open::Create);
        const bool right = !file && file.error().code == Code::Denied &&
                           file.error().remedy.en.find(path) != std::string::npos;
        std::_Exit(right ? 0 : 1);
    };
    EXPECT_EXIT(attempt(), testing::ExitedWithCode(0), "");
}

TEST(OsFailure, GivesEachRefusalItsCodeAndARemedy) {
    const std::pair<int, Code> cases[] = {{ENOENT, Code::NotFound}, {EEXIST, Code::AlreadyThere},
                                          {ENOSPC, Code::Full},     {EDQUOT, Code::Full},
                                          {EACCES, Code::Denied},   {EPERM, Code::Denied},
                                          {EROFS, Code::Denied},    {ELOOP, Code::Denied},
                                          {EISDIR, Code::BadInput}, {EWOULDBLOCK, Code::Busy},
                                          {EIO, Code::Io}};
    for (const auto& [error, code] : cases) {
        const Error said = os_failure(error, "state/log").error();
        EXPECT_EQ(said.code, code) << error;
        EXPECT_NE(said.what.fr.find("state/log"), std::string::npos);
        EXPECT_NE(said.remedy.fr.find("state/log"), std::string::npos);
        EXPECT_NE(said.remedy.en.find("state/log"), std::string::npos);
    }
}

TEST(Paths, JoinAndParent) {
    EXPECT_EQ(join("a/b", "c"), "a/b/c");
    EXPECT_EQ(join("a/b/", "c"), "a/b/c");
    EXPECT_EQ(join("/", "c"), "/c");
    EXPECT_EQ(join("", "c"), "c");
    EXPECT_EQ(parent("a/b/c"), "a/b");
    EXPECT_EQ(parent("c"), ".");
    EXPECT_EQ(parent("/c"), "/");
}

}  // namespace
}  // namespace hygie
