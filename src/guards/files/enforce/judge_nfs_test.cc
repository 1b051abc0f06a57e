#include <gtest/gtest.h>

#include "guards/files/enforce/desk_kit.h"

namespace hygie::files {
namespace {

Actor nfs(const char* user) {
    Actor actor = local(800);
    actor.program = "/usr/bin/ganesha.nfsd";
    actor.nfs = user;
    return actor;
}

TEST(JudgeDesk, AUserOfAnNfsServerIsRefusedAndTheServerGoesOnForTheOthers) {
    Office office;
    std::uint64_t changed = 0;
    while (changed < 1000 && office.destroy(nfs("accueil"), changed)) ++changed;
    EXPECT_LE(changed, 5U);
    office.desk->drain();
    EXPECT_TRUE(office.control.sent.empty()) << "others' files and locks are in its hands";
    EXPECT_EQ(office.steps().back(), "writes-refused");
    const auto is_refused = [&](const char* user, ChangeKind kind) {
        const Change change = office.change(kind, nfs(user), "/share/a.txt");
        return office.desk->before(change).kind == Stop::Kind::Freeze;
    };
    EXPECT_TRUE(is_refused("accueil", ChangeKind::Write));
    EXPECT_FALSE(is_refused("accueil", ChangeKind::Read));
    EXPECT_FALSE(is_refused("dr.lune", ChangeKind::Write));
    EXPECT_FALSE(is_refused(kUnknownUser, ChangeKind::OpenForWrite));
    ASSERT_TRUE(office.enforcer.thaw("nfs:accueil"));
    EXPECT_FALSE(is_refused("accueil", ChangeKind::Write));
}

TEST(JudgeDesk, AnNfsServerThatDestroysForNobodyKnownWritesForNobodyAndIsRead) {
    Office office;
    for (std::uint64_t i = 0; i < 10; ++i) office.destroy(nfs(kUnknownUser), i);
    office.desk->drain();
    EXPECT_TRUE(office.control.sent.empty());
    for (const char* user : {kUnknownUser, "dr.lune"}) {
        const auto is_refused = [&](ChangeKind kind) {
            const Change change = office.change(kind, nfs(user), "/share/a.txt");
            return office.desk->before(change).kind == Stop::Kind::Freeze;
        };
        EXPECT_TRUE(is_refused(ChangeKind::Write)) << user;
        EXPECT_FALSE(is_refused(ChangeKind::Read)) << user;
    }
}

TEST(JudgeDesk, WhatAnNfsServerDeletesIsHeldAgainstWhoMadeWhatStandsForIt) {
    Office office;
    for (std::uint64_t i = 0; i < 4; ++i) {
        const std::string path = fmt::format("/share/{}/doc{}.txt", i, i);
        Change made = office.change(ChangeKind::CloseWrite, nfs("accueil"), path + ".locked");
        made.is_new = true;
        made.now = content(noise(i));
        office.desk->after(std::move(made));
        Change gone = office.change(ChangeKind::Unlink, nfs(kUnknownUser), path);
        gone.before = content(text(i));
        office.desk->after(std::move(gone));
    }
    office.desk->drain();
    EXPECT_TRUE(office.enforcer.is_stopped(nfs("accueil")));
    EXPECT_FALSE(office.enforcer.is_stopped(nfs(kUnknownUser)));
    EXPECT_EQ(office.desk->patience(nfs(kUnknownUser)), JudgeDesk::kUnjudgedMax);
}

/// Cuts a file under the server's name, and fills it under its user's.
void saves(Office& office, std::uint64_t number, Bytes with) {
    const std::string path = fmt::format("/share/{}/doc{}.txt", number, number);
    Change cut = office.change(ChangeKind::CloseWrite, nfs(kUnknownUser), path);
    cut.before = content(text(number));
    cut.now = content({});
    office.desk->after(std::move(cut));
    Change filled = office.change(ChangeKind::CloseWrite, nfs("accueil"), path);
    filled.is_new = true;  // nothing was left of what was there
    filled.now = content(std::move(with));
    office.desk->after(std::move(filled));
}

TEST(JudgeDesk, WhatIsWrittenThroughAnNfsServerTellsWhatTheCuttingBeforeItWas) {
    Office office;
    for (std::uint64_t i = 0; i < 20; ++i) {
        Bytes longer = text(i);
        longer.insert(longer.end(), 40, '=');
        saves(office, i, std::move(longer));
    }
    office.desk->drain();
    EXPECT_FALSE(office.enforcer.is_stopped(nfs(kUnknownUser)));
    EXPECT_FALSE(office.enforcer.is_stopped(nfs("accueil")));
    for (std::uint64_t i = 20; i < 30; ++i) saves(office, i, noise(i));
    office.desk->drain();
    EXPECT_TRUE(office.enforcer.is_stopped(nfs("accueil")));
}

}  // namespace
}  // namespace hygie::files
