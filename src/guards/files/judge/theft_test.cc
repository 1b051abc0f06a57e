#include "guards/files/judge/theft.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hygie::files {
namespace {

Actor station(pid_t pid, const char* user, const char* address) {
    Actor actor;
    actor.process = actor.family = {pid, 5};
    actor.uid = 1000;
    actor.program = "/usr/bin/python3";
    actor.smb = SmbClient{user, address};
    return actor;
}

TEST(Theft, ReadingManyPatientsIsReportedThenCut) {
    TheftWatch watch;
    const auto read = [&](const Actor& actor, int file, int second) {
        Change change;
        change.kind = ChangeKind::Read;
        change.actor = actor;
        change.steady = SteadyTime(std::chrono::hours(9) + std::chrono::seconds(second));
        change.time = WallTime(std::chrono::hours(500'000) + std::chrono::seconds(second));
        change.path = fmt::format("/share/Patients/{}/bilan{}.pdf", file / 5, file);
        return watch.take(change);
    };
    const Actor thief = station(600, "accueil", "192.0.2.7");
    int alert = 0;
    int cut = 0;
    for (int file = 1; file <= 400; ++file) {
        const Conclusion conclusion = read(thief, file, file / 100);
        if (conclusion.is_news && conclusion.rung == Rung::Delay) alert = file;
        if (conclusion.is_news && conclusion.rung == Rung::Freeze) cut = file;
    }
    EXPECT_EQ(alert, 200);
    EXPECT_EQ(cut, 300);
    // A day's consultation: sixty patients, slowly.
    for (int file = 0; file < 300; ++file)
        EXPECT_FALSE(read(station(601, "dr.lune", "192.0.2.8"), file, 60 * file).is_news);
    // One folder of pictures, all at once.
    for (int file = 0; file < 900; ++file) {
        Change change;
        change.kind = ChangeKind::Read;
        change.actor = station(602, "dr.sol", "192.0.2.9");
        change.path = fmt::format("/share/Imagerie/vacances/{}.jpg", file);
        EXPECT_FALSE(watch.take(change).is_news);
    }
}

TEST(Theft, WhoAlwaysReadsMuchMayGoOn) {
    TheftWatch watch;
    const Actor indexer = station(610, "scan", "192.0.2.20");
    int alerts = 0;
    for (int day = 0; day < 10; ++day)
        for (int file = 0; file < 180 + day * 40; ++file) {
            Change change;
            change.kind = ChangeKind::Read;
            change.actor = indexer;
            change.steady = SteadyTime(std::chrono::hours(24 * (day + 1)));
            change.time = WallTime(std::chrono::hours(24 * (20'000 + day)));
            change.path = fmt::format("/share/Patients/{}/{}.pdf", file / 4, file);
            alerts += watch.take(change).is_news;
        }
    EXPECT_EQ(alerts, 0);
}

/// One actor reads so many files of as many letters, ten to a folder, on a day of its own.
class Reading {
  public:
    explicit Reading(Actor actor) : actor_(std::move(actor)) {}

    /// After how many of these files it is cut; 0 when it is not.
    int cut_after(TheftWatch& watch, int day, int first, int last) const {
        for (int file = first; file < last; ++file) {
            Change change;
            change.kind = ChangeKind::Read;
            change.actor = actor_;
            change.steady = SteadyTime(std::chrono::hours(24 * (day + 1)));
            change.time = WallTime(std::chrono::hours(24 * (20'000 + day)));
            change.path = fmt::format("/share/Patients/{}/{}.pdf", file / 10, file);
            if (const Conclusion one = watch.take(change); one.is_news && one.rung == Rung::Freeze)
                return file - first + 1;
        }
        return 0;
    }

  private:
    Actor actor_;
};

TEST(Theft, WhoWasLetGoIsCutAgainAndNotAllowedEverything) {
    TheftWatch watch;
    const Actor actor = station(620, "accueil", "192.0.2.7");
    const Reading thief(actor);
    EXPECT_EQ(thief.cut_after(watch, 0, 0, 400), 300);
    watch.forgive(actor.key());
    EXPECT_EQ(thief.cut_after(watch, 0, 400, 600), 0);
    EXPECT_EQ(thief.cut_after(watch, 0, 600, 900), 100);
}

TEST(Theft, WhatIsUsualOutlivesARestartForThirtyDaysAndNamesNobody) {
    TheftWatch watch;
    const Actor actor = station(630, "dr.lune", "192.0.2.8");
    const Reading doctor(actor);
    for (int day = 0; day < 4; ++day) EXPECT_EQ(doctor.cut_after(watch, day, 0, 150), 0);
    const crypto::Secret32 key{};
    const auto now = WallTime(std::chrono::hours(24 * 20'003));
    const Bytes habits = watch.save(key, now);
    EXPECT_EQ(as_text(habits).find("lune"), std::string_view::npos);
    TheftWatch next;
    ASSERT_TRUE(next.load(key, habits));
    EXPECT_EQ(doctor.cut_after(next, 4, 0, 700), 0) << "five times what is usual";
    EXPECT_EQ(Reading(station(631, "accueil", "192.0.2.7")).cut_after(next, 4, 0, 700), 300);
    // A month later nothing is usual any more.
    TheftWatch later;
    ASSERT_TRUE(later.load(key, watch.save(key, now + std::chrono::hours(24 * 40))));
    EXPECT_EQ(doctor.cut_after(later, 40, 0, 700), 300);
    EXPECT_FALSE(later.load(key, ByteView(habits).first(habits.size() - 1)));
}

}  // namespace
}  // namespace hygie::files
