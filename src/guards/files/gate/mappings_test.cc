#include "guards/files/gate/mappings.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

namespace hygie::files {
namespace {

constexpr std::size_t kPage = 4096;

FileKey file(int number) {
    return FileKey(0, 1, Bytes{static_cast<std::uint8_t>(number), 0, 0, 1});
}

Mapping at(std::uint64_t begin, std::uint64_t end) {
    return {.pid = 7, .begin = begin, .end = end, .inode = {}};
}

TEST(FilesMapped, AnAddressIsThatOfItsFile) {
    MappedFiles files;
    files.add(at(0x1000, 0x3000), file(1));
    files.add(at(0x3000, 0x4000), file(2));
    files.add(at(0x8000, 0x9000), file(1));
    EXPECT_EQ(files.size(), 2U);
    EXPECT_FALSE(files.at(0xfff));
    EXPECT_EQ(files.at(0x1000), file(1));
    EXPECT_EQ(files.at(0x2fff), file(1));
    EXPECT_EQ(files.at(0x3000), file(2));
    EXPECT_FALSE(files.at(0x4000));
    EXPECT_EQ(files.at(0x8fff), file(1));
    EXPECT_FALSE(files.at(0x9000));
    files.forget(file(1));
    EXPECT_FALSE(files.at(0x8000));
    EXPECT_EQ(files.at(0x3000), file(2));
}

/// A child that touches, page after page, memory it shares, each time a byte comes.
class FilesMappingWatch : public testing::Test {
  protected:
    static constexpr std::size_t kFiles = 6;

    void SetUp() override {
        memory_ = ::mmap(nullptr, kFiles * kPage, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ASSERT_NE(memory_, MAP_FAILED);
        ASSERT_EQ(::pipe(pipe_.data()), 0);
        child_ = ::fork();
        if (child_ == 0) touch();
    }
    void TearDown() override {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
        ::munmap(memory_, kFiles * kPage);
        for (const int fd : pipe_) ::close(fd);
    }
    [[noreturn]] void touch() {
        char go = 0;
        for (std::size_t i = 0; ::read(pipe_[0], &go, 1) == 1; ++i)
            static_cast<volatile char*>(memory_)[i * kPage] = 1;
        ::_exit(0);
    }
    void strike() { ASSERT_EQ(::write(pipe_[1], "g", 1), 1); }
    std::uint64_t address(std::size_t number) const {
        return reinterpret_cast<std::uint64_t>(memory_) + number * kPage;
    }

    /// So many files of a page each, from the first of these on.
    MappedFiles mapped(std::size_t count, std::size_t first = 0) const {
        MappedFiles files;
        for (std::size_t i = first; i < first + count; ++i)
            files.add({child_, address(i), address(i + 1), {}}, file(static_cast<int>(i)));
        return files;
    }

    void* memory_ = nullptr;
    std::array<int, 2> pipe_{};
    pid_t child_ = 0;
};

TEST_F(FilesMappingWatch, AFirstTouchIsToldWithItsPlaceAndItsMaker) {
    Result<Faults> faults = Faults::of(child_);
    if (!faults) GTEST_SKIP() << "the kernel tells no faults here";
    strike();
    std::vector<Fault> seen;
    const auto is_it = [&](const Fault& fault) {
        return fault.pid == child_ && fault.address / kPage == address(0) / kPage;
    };
    for (int i = 0; i < 100 && std::ranges::none_of(seen, is_it); ++i) {
        std::vector<pollfd> polls;
        for (const int fd : faults->descriptors()) polls.push_back({fd, POLLIN, 0});
        (void)::poll(polls.data(), polls.size(), 100);
        faults->read(seen);
    }
    EXPECT_TRUE(std::ranges::any_of(seen, is_it));
}

TEST_F(FilesMappingWatch, WhatWasOnlyReadIsAskedAboutAgainUntilItHasChanged) {
    if (!Faults::of(child_)) GTEST_SKIP() << "the kernel tells no faults here";
    std::mutex mutex;
    std::vector<FileKey> asked;
    bool is_changed = false;
    bool was_quiet = false;
    const auto wait_for = [&](const auto& condition) {
        for (int i = 0; i < 500; ++i) {
            {
                const std::scoped_lock lock(mutex);
                if (condition()) return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    };
    MappingWatch watch({[&](pid_t pid, const FileKey& key) {
                            const std::scoped_lock lock(mutex);
                            EXPECT_EQ(pid, child_);
                            asked.push_back(key);
                            return is_changed;
                        },
                        [&] {
                            const std::scoped_lock lock(mutex);
                            was_quiet = true;
                        }});
    // Two pages each: the second touch is told as the first was.
    MappedFiles files;
    for (std::size_t i = 0; i < kFiles; i += 2)
        files.add({child_, address(i), address(i + 2), {}}, file(static_cast<int>(i)));
    watch.watch(child_, std::move(files));
    strike();
    EXPECT_TRUE(wait_for([&] { return !asked.empty(); }));
    // Its doubt passes.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    {
        const std::scoped_lock lock(mutex);
        EXPECT_EQ(asked.back(), file(0));
        EXPECT_FALSE(was_quiet);
        asked.clear();
        is_changed = true;
    }
    strike();
    EXPECT_TRUE(wait_for([&] { return asked == std::vector{file(0)}; }));
    EXPECT_TRUE(wait_for([&] { return was_quiet; })) << "then there is time for more";
}

TEST_F(FilesMappingWatch, WhoChangesAllThatItHasIsToldOf) {
    if (!Faults::of(child_)) GTEST_SKIP() << "the kernel tells no faults here";
    std::atomic<bool> was_quiet = false;
    MappingWatch watch({[](pid_t, const FileKey&) { return true; }, [&] { was_quiet = true; }});
    watch.watch(child_, mapped(MappingWatch::kFilesMin));
    // As fast as it can: nothing is quiet in between.
    ASSERT_EQ(::write(pipe_[1], "ggg", MappingWatch::kFilesMin), MappingWatch::kFilesMin);
    for (int i = 0; i < 500 && !was_quiet; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(was_quiet);
}

TEST_F(FilesMappingWatch, WhatIsMappedLaterIsWatchedToo) {
    if (!Faults::of(child_)) GTEST_SKIP() << "the kernel tells no faults here";
    std::mutex mutex;
    std::vector<FileKey> asked;
    MappingWatch watch({[&](pid_t, const FileKey& key) {
                            const std::scoped_lock lock(mutex);
                            asked.push_back(key);
                            return true;
                        },
                        [] {}});
    watch.watch(child_, mapped(MappingWatch::kFilesMin - 1));
    EXPECT_FALSE(watch.is_watched(child_, file(0))) << "so few are nothing to wait for";
    watch.watch(child_, mapped(MappingWatch::kFilesMin));
    EXPECT_TRUE(watch.is_watched(child_, file(0)));
    watch.watch(child_, mapped(1, MappingWatch::kFilesMin));
    EXPECT_TRUE(watch.is_watched(child_, file(3)));
    for (std::size_t i = 0; i <= MappingWatch::kFilesMin; ++i) strike();
    const auto are_all_told = [&] {
        const std::scoped_lock lock(mutex);
        return asked.size() == MappingWatch::kFilesMin + 1;
    };
    for (int i = 0; i < 500 && !are_all_told(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const std::scoped_lock lock(mutex);
    EXPECT_EQ(asked, (std::vector{file(0), file(1), file(2), file(3)}));
}

/// Else it would be woken for ever, in real time, on a processor that nobody else gets.
TEST_F(FilesMappingWatch, WhoHasEndedIsNotWaitedForAnyMore) {
    if (!Faults::of(child_)) GTEST_SKIP() << "the kernel tells no faults here";
    MappingWatch watch({[](pid_t, const FileKey&) { return false; }, [] {}});
    watch.watch(child_, mapped(kFiles));
    EXPECT_EQ(watch.watched(), 1U);
    ::kill(child_, SIGKILL);
    for (int i = 0; i < 500 && watch.watched() > 0; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(watch.watched(), 0U);
    EXPECT_FALSE(watch.is_watched(child_, file(0))) << "another may get its number";
}

/// A doorman at work may find one more while the gate ends.
TEST_F(FilesMappingWatch, NobodyIsWatchedOnceItIsOver) {
    if (!Faults::of(child_)) GTEST_SKIP() << "the kernel tells no faults here";
    MappingWatch watch({[](pid_t, const FileKey&) { return false; }, [] {}});
    watch.stop();
    watch.watch(child_, mapped(kFiles));
    EXPECT_EQ(watch.watched(), 0U);
}

TEST(FilesMapped, WhatAProcessMayChangeIsFound) {
    const auto path = std::filesystem::path(testing::TempDir()) / "mapped";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_EQ(::ftruncate(fd, kPage), 0);
    struct stat info{};
    ASSERT_EQ(::fstat(fd, &info), 0);
    const auto count = [&] {
        return std::ranges::count(mappings_of(::getpid()), Inode{info.st_dev, info.st_ino},
                                  &Mapping::inode);
    };
    EXPECT_EQ(count(), 0);
    void* read = ::mmap(nullptr, kPage, PROT_READ, MAP_SHARED, fd, 0);
    void* copied = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    EXPECT_EQ(count(), 0) << "it changes nothing so";
    void* changed = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    std::filesystem::remove(path);
    EXPECT_EQ(count(), 1) << "whatever became of descriptor and name";
    for (void* one : {read, copied, changed}) ::munmap(one, kPage);
    EXPECT_TRUE(mappings_of(-1).empty());
}

TEST_F(FilesMappingWatch, AThreadThatHasEndedIsNotWaitedForWhileOthersWork) {
    std::array<int, 2> begun{}, end{};
    ASSERT_EQ(::pipe(begun.data()), 0);
    ASSERT_EQ(::pipe(end.data()), 0);
    const pid_t process = ::fork();
    if (process == 0) {
        std::thread one([&] {
            char go = 0;
            (void)!::write(begun[1], "b", 1);
            (void)!::read(end[0], &go, 1);
        });
        one.join();
        for (;;) ::pause();
    }
    char word = 0;
    EXPECT_EQ(::read(begun[0], &word, 1), 1);
    // Two, and what a sanitizer runs beside them.
    const std::string tasks = "/proc/" + std::to_string(process) + "/task";
    const auto threads =
        static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(tasks), {}));
    Result<Faults> faults = Faults::of(process);
    if (faults) {
        const std::size_t both = faults->descriptors().size();
        EXPECT_EQ(::write(end[1], "e", 1), 1);
        std::vector<Fault> seen;
        for (int i = 0; i < 500 && faults->descriptors().size() == both; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            faults->read(seen);
        }
        EXPECT_EQ(faults->descriptors().size(), both - both / threads);
        EXPECT_FALSE(faults->is_over());
    }
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
    for (const int fd : {begun[0], begun[1], end[0], end[1]}) ::close(fd);
}

}  // namespace
}  // namespace hygie::files
