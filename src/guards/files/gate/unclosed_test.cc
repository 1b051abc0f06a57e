#include "guards/files/gate/unclosed.h"

#include <gtest/gtest.h>

#include "guards/files/gate/outlook.h"

namespace hygie::files {
namespace {

using namespace std::chrono_literals;

FileKey key(std::uint8_t number) {
    return {1, 1, Bytes{number}};
}

TEST(Unclosed, CountsWhatAnActorLeftOpenUntilItWasLookedAt) {
    Unclosed files;
    const Unclosed::Time now{1h};
    for (std::uint8_t i = 0; i < 4; ++i) files.add(key(i), 7, "one", now, Unclosed::Age::Old);
    files.add(key(9), 8, "other", now, Unclosed::Age::Old);
    files.add(key(0), 8, "other", now, Unclosed::Age::Old);  // the one who was first answers for it
    EXPECT_EQ(files.unseen("one", key(9)), 4U);
    EXPECT_EQ(files.unseen("one", key(0)), 3U) << "beside the one it wants";
    files.looked(key(0), now);
    files.remove(key(1));
    files.remove(key(1));
    EXPECT_EQ(files.unseen("one", key(9)), 2U);
    EXPECT_EQ(files.due(now, "one").size(), 2U);
    EXPECT_EQ(files.due(now + Unclosed::kPause, "one").size(), 3U) << "it may change again";
    files.remove(key(9));
    EXPECT_EQ(files.unseen("other", {}), 0U);
    EXPECT_TRUE(files.is_any_unseen());
}

TEST(Unclosed, WhatChangesForEverIsNotLookedAtForEver) {
    Unclosed files;
    Unclosed::Time now{1h};
    files.add(key(1), 7, "database", now, Unclosed::Age::New);
    EXPECT_FALSE(files.is_any_unseen()) << "a new file holds nobody up";
    int looks = 0;
    for (; looks < 100 && !files.due(now).empty(); ++looks) {
        files.looked(key(1), now);
        now += 24h;
    }
    EXPECT_EQ(looks, Unclosed::kLooksMax - 1);
}

TEST(Unclosed, ANewFileThatItsMakerMayBeSealingIsLookedAtAsItGrows) {
    Unclosed files;
    const Unclosed::Time now{1h};
    files.remember(key(1), 7, "one");
    files.remember(key(2), 7, "other");
    EXPECT_TRUE(files.due(now).empty()) << "nobody has read much";
    files.recall("one", now);
    ASSERT_EQ(files.due(now).size(), 1U);
    EXPECT_EQ(files.due(now)[0].key, key(1));
    files.was_empty(key(1), now);
    EXPECT_TRUE(files.due(now).empty());
    EXPECT_EQ(files.due(now + Unclosed::kFresh).size(), 1U);
    files.looked(key(1), now);
    files.hasten("one", now + 1ms);
    EXPECT_TRUE(files.due(now + 1ms).empty()) << "it was looked at a moment ago";
    for (int i = 1; i < 100; ++i) {
        const Unclosed::Time later = now + i * Unclosed::kFresh;
        files.hasten("one", later);
        ASSERT_EQ(files.due(later).size(), 1U) << "as long as its maker deletes";
        files.looked(key(1), later);
    }
    files.remove(key(1));
    files.hasten("one", now + 1h);
    EXPECT_TRUE(files.due(now + 1h).empty());
    EXPECT_FALSE(files.is_any_unseen());
}

TEST(Unclosed, WhoReadsFileAfterFileIntoANewOneIsLookedAtNowAndThen) {
    Unclosed files;
    const Unclosed::Time now{1h};
    const auto looks_in = [&](int reads) {
        int looks = 0;
        for (int i = 0; i < reads; ++i) {
            files.recall("one", now);
            if (!files.is_time_to_look("one")) continue;
            ++looks;
            EXPECT_EQ(files.take_look("one").size(), 1U);
        }
        return looks;
    };
    EXPECT_EQ(looks_in(100), 0) << "it makes nothing";
    files.remember(key(1), 7, "one");
    EXPECT_EQ(looks_in(Unclosed::kGatheredMin - 1), 0) << "as who copies does";
    EXPECT_FALSE(files.is_gathering("one"));
    EXPECT_EQ(looks_in(1), 1);
    EXPECT_TRUE(files.is_gathering("one"));
    EXPECT_EQ(looks_in(60), 4) << "at 8, 16, 32 and 64";
    files.remember(key(2), 7, "one");
    EXPECT_FALSE(files.is_gathering("one"));
}

TEST(Unclosed, OfNewFilesTheLastFewAreRemembered) {
    Unclosed files;
    const Unclosed::Time now{1h};
    for (std::uint8_t i = 0; i < 20; ++i) files.remember(key(i), 7, "one");
    files.recall("one", now);
    EXPECT_EQ(files.due(now).size(), Unclosed::kRememberedMax);
    files.recall("one", now);
    EXPECT_EQ(files.due(now).size(), Unclosed::kRememberedMax);
}

TEST(Unclosed, ANewFileIsClosedForTheFirstTimeOnce) {
    Unclosed files;
    files.note_birth(key(1));
    EXPECT_EQ(files.close(key(2)), Unclosed::Age::Old);
    EXPECT_EQ(files.close(key(1)), Unclosed::Age::New);
    EXPECT_EQ(files.close(key(1)), Unclosed::Age::Old);
}

TEST(Outlook, KnowsTheLocalFileSystemsEachOnce) {
    const auto places = places_of(
        "36 1 98:0 / / rw - ext4 /dev/root rw\n"
        "37 36 98:0 /home /mnt/bound rw - ext4 /dev/root rw\n"
        "38 36 0:5 / /proc rw - proc proc rw\n"
        "39 36 8:17 / /media/cl\\303\\251\\040usb rw shared:3 master:2 - vfat /dev/sdb1 rw\n"
        "40 36 0:44 / /srv/nas rw - nfs4 nas:/x rw\n"
        "41 36 0:22 / /tmp rw - tmpfs tmpfs rw\n"
        "torn\n");
    EXPECT_EQ(places, (std::vector<std::string>{"/", "/media/cl\303\251 usb", "/tmp"}));
}

}  // namespace
}  // namespace hygie::files
