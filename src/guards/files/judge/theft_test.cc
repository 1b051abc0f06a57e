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

}  // namespace
}  // namespace hygie::files
