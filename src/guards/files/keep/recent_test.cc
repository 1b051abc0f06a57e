#include "guards/files/keep/recent.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace hygie::files {
namespace {

Bytes bytes_of(std::size_t size, std::uint8_t value) {
    return Bytes(size, value);
}

TEST(Recent, GivesBackWhatWasPutAndNothingElse) {
    Recent recent;
    recent.put(7, bytes_of(100, 1));
    ASSERT_TRUE(recent.has(7));
    const ContentPtr content = recent.find(7);
    ASSERT_NE(content, nullptr);
    EXPECT_EQ(content->size(), 100U);
    Bytes read(200);
    EXPECT_EQ(content->read_at(40, read).value(), 60U);
    EXPECT_EQ(read[59], 1);
    EXPECT_EQ(recent.find(8), nullptr);
    // A version never changes.
    recent.put(7, bytes_of(100, 2));
    EXPECT_EQ(recent.find(7)->read_at(0, read).value(), 100U);
    EXPECT_EQ(read[0], 1);
}

TEST(Recent, TakesNoMoreRoomThanItMay) {
    Recent recent;
    recent.put(1, bytes_of(Recent::kOneBytesMax + 1, 1));
    EXPECT_FALSE(recent.has(1));
    const std::size_t fit = Recent::kBytesMax / Recent::kOneBytesMax;
    const ContentPtr oldest = [&] {
        recent.put(2, bytes_of(Recent::kOneBytesMax, 2));
        return recent.find(2);
    }();
    for (VersionId version = 3; version < 3 + fit; ++version)
        recent.put(version, bytes_of(Recent::kOneBytesMax, 3));
    EXPECT_FALSE(recent.has(2)) << "the oldest goes first";
    EXPECT_TRUE(recent.has(3));
    EXPECT_TRUE(recent.has(2 + fit));
    // Who reads one goes on reading it.
    Bytes read(1);
    EXPECT_EQ(oldest->read_at(5, read).value(), 1U);
    EXPECT_EQ(read[0], 2);
}

TEST(Recent, BytesAtHandAreTheWholeFileOrNothing) {
    char name[] = "/tmp/hygie-recent-XXXXXX";
    const UniqueFd fd(::mkstemp(name));
    ASSERT_TRUE(fd);
    (void)::unlink(name);
    const Bytes written = bytes_of(5000, 9);
    ASSERT_EQ(::write(fd.get(), written.data(), written.size()), 5000);
    const Bytes read = bytes_at_hand(fd.get(), 5000);
    // A file system that cannot tell what is in memory gives nothing.
    EXPECT_TRUE(read.empty() || read == written);
    EXPECT_TRUE(bytes_at_hand(fd.get(), 5001).empty()) << "shorter than it is known to be";
}

}  // namespace
}  // namespace hygie::files
