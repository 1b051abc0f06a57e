#include <fmt/format.h>
#include <gtest/gtest.h>

#include "guards/files/judge/judge_kit.h"

/// Who does honest work is left alone, whatever it looks like.
namespace hygie::files {
namespace {

TEST(Judge, ManyProcessesOfOneWorkAreNoOutbreakAndManyProgramsAre) {
    const auto last_rung = [](bool one_program) {
        Theatre theatre;
        Chance chance(13);
        Rung rung = Rung::Preserve;
        for (pid_t pid = 700; pid < 712; ++pid) {
            Actor orphan = theatre.process(pid);
            if (!one_program) orphan.program += std::to_string(pid);
            rung = theatre
                       .write(orphan, fmt::format("/share/{}.txt", pid),
                              content(text(80, static_cast<std::uint64_t>(pid))),
                              random_bytes(6000, chance))
                       .rung;
        }
        return rung;
    };
    EXPECT_EQ(last_rung(true), Rung::Freeze);
    EXPECT_EQ(last_rung(false), Rung::ReadOnly);
}

/// Ciphertext strewn over images, each written over its mirror by who has read it or not.
bool is_mirror_stopped(const std::string& source, bool is_made_since, bool is_half) {
    Theatre theatre;
    Chance chance(31);
    const Actor mirror = theatre.process(310);
    for (std::uint64_t i = 0; i < kFiles && !theatre.is_frozen(mirror); ++i) {
        const Bytes before = text(600, i);
        Bytes now = before;
        for (std::size_t at = 2000; at + 3000 < now.size(); at += 9000)
            std::ranges::copy(random_bytes(800, chance), now.begin() + static_cast<long>(at));
        const std::string path = fmt::format("/share/miroir/disque{}.img", i);
        if (!source.empty())
            theatre.read(mirror, fmt::format("/share/{}{}.img", source, i), content(now),
                         is_made_since);
        if (is_half) {
            Bytes half = now;
            std::ranges::copy(before.begin() + 12'000, before.end(), half.begin() + 12'000);
            theatre.leave_open(mirror, path, content(before), half);
        }
        theatre.write(mirror, path, content(before), now);
    }
    return theatre.is_frozen(mirror);
}

TEST(Judge, AMirrorIsBroughtUpToDateInPlace) {
    EXPECT_FALSE(is_mirror_stopped("source/disque", false, false));
    EXPECT_FALSE(is_mirror_stopped("source/disque", false, true));
}

TEST(Judge, WhatIsNoMirrorIsStopped) {
    EXPECT_TRUE(is_mirror_stopped("", false, false));
    EXPECT_TRUE(is_mirror_stopped("source/disque", true, false));
    EXPECT_TRUE(is_mirror_stopped("source/autre", false, false));
}

TEST(Judge, ReadingCiphertextExcusesNobodyWhoWritesItOverOthers) {
    Theatre theatre;
    Chance chance(32);
    const Actor actor = theatre.process(311);
    for (std::uint64_t i = 0; i < kFiles && !theatre.is_frozen(actor); ++i) {
        const Bytes now = random_bytes(20'000, chance);
        theatre.read(actor, fmt::format("/share/a/lettre{}.txt", i), content(now), false);
        theatre.write(actor, fmt::format("/share/b/lettre{}.txt", i), content(text(300, i)), now);
    }
    EXPECT_TRUE(theatre.is_frozen(actor));
}

TEST(Judge, APersonMaySealFiveLettersOneByOne) {
    Theatre theatre;
    Chance chance(21);
    const Actor person = theatre.process(300);
    std::size_t sealed = 0;
    for (std::uint64_t i = 0; i < 20 && !theatre.is_frozen(person); ++i, ++sealed) {
        const std::string path = fmt::format("/share/courrier/lettre{}.txt", i);
        theatre.pass(std::chrono::milliseconds(1500));
        theatre.create(person, path + ".gpg", random_bytes(4000, chance));
        theatre.unlink(person, path, content(text(60, i)));
    }
    EXPECT_GT(sealed, 5U);
    EXPECT_LE(sealed, 8U) << "but not a whole share";
}

TEST(Judge, ErasingAFewLettersForGoodIsInnocent) {
    Theatre theatre;
    const Actor shred = theatre.process(602);
    std::uint64_t erased = 0;
    for (; erased < 20 && !theatre.is_frozen(shred); ++erased) {
        const std::string path = fmt::format("/share/letters/{}.pdf", erased);
        Bytes letter = text(60, erased);
        std::ranges::copy(std::string_view("%PDF-1.4\n"), letter.begin());
        theatre.write(shred, path, content(letter), {});
        theatre.unlink(shred, path, content({}));
    }
    EXPECT_GT(erased, 5U);
    EXPECT_LE(erased, 9U) << "but not a whole share";
}

TEST(Judge, WhoeverIsSeenErasingAFileForGoodHasNotSealedIt) {
    Theatre theatre;
    const Actor shred = theatre.process(610);
    Chance chance(8);
    int erased = 0;
    // Each pass lies still for as long as the disk needs.
    for (std::uint64_t letter = 0; letter < 6; ++letter) {
        const std::string path = fmt::format("/share/lettres/{}.txt", letter);
        const auto before = content(text(200, letter));
        for (int pass = 0; pass < 3; ++pass)
            theatre.leave_open(shred, path, before, random_bytes(before->size(), chance));
        // Its next name is there before its closing is told.
        theatre.close_renamed(shred, path, path + "0", before, {});
        theatre.unlink_renamed(shred, path, path + "0", content({}));
        if (!theatre.is_frozen(shred)) ++erased;
    }
    EXPECT_GT(erased, 3);
}

TEST(Judge, WhoeverIsSeenSealingAFileIsHeldToItWhenItIsClosed) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    Theatre theatre;
    const Actor sealer = theatre.process(611);
    Chance chance(9);
    std::size_t sealed = 0;
    for (const Victim* victim : some_victims(kFiles, 9)) {
        if (theatre.is_frozen(sealer)) break;
        const Bytes letters = random_bytes(victim->bytes.size(), chance);
        theatre.leave_open(sealer, victim->path, content(victim->bytes), letters);
        theatre.write(sealer, victim->path, content(victim->bytes), letters);
        ++sealed;
    }
    EXPECT_LE(sealed, 4U);
}

/// One who does not answer when asked about what is closed.
class TiredExaminer final : public Examiner {
  public:
    Result<Finding> examine(const Content* before, const Content& after) override {
        if (is_tired) return fail(Code::Unavailable, {"trop tard", "too late"});
        return examiner_.examine(before, after);
    }
    bool is_tired = false;

  private:
    DirectExaminer examiner_;
};

TEST(Judge, WhatWasSeenWhileOpenStandsWhenNobodyCanSayWhatBecameOfIt) {
    TiredExaminer examiner;
    Judge judge({}, examiner);
    Chance chance(10);
    Change change;
    change.kind = ChangeKind::CloseWrite;
    change.steady = SteadyTime(std::chrono::hours(100));
    change.actor = Theatre().process(612);
    change.path = "/share/lettre.txt";
    change.before = content(text(60, 1));
    change.now = content(random_bytes(9'000, chance));
    change.is_open = true;
    EXPECT_TRUE(judge.take(change).is_marked);
    change.is_open = false;
    examiner.is_tired = true;
    judge.take(change);
    EXPECT_EQ(judge.rung_of(change.actor), Rung::Delay);
    examiner.is_tired = false;
    change.now = change.before;
    judge.take(change);
    EXPECT_EQ(judge.rung_of(change.actor), Rung::Preserve);
}

TEST(Judge, FilesThatNobodyEverClosesKeepNoneFromBeingForgotten) {
    Theatre theatre;
    const Actor sealer = theatre.process(613);
    const Actor shred = theatre.process(614, 1001);
    Chance chance(11);
    const auto letter = content(text(4, 1));
    const Bytes random = random_bytes(letter->size(), chance);
    for (std::size_t i = 0; i < Judge::kActorsMax; ++i)
        theatre.leave_open(sealer, fmt::format("/share/{}.txt", i), letter, random);
    theatre.pass(std::chrono::minutes(11));
    theatre.leave_open(shred, "/share/lettre.txt", letter, random);
    EXPECT_EQ(theatre.judge.rung_of(shred), Rung::Delay);
    theatre.write(shred, "/share/lettre.txt", letter, {});
    EXPECT_EQ(theatre.judge.rung_of(shred), Rung::Preserve);
}

TEST(Judge, DeletionAloneFreezesNobody) {
    Theatre theatre;
    const Actor tidy = theatre.process(600);
    for (int i = 0; i < 2000; ++i)
        theatre.unlink(tidy, fmt::format("/share/project/{}/file{}.txt", i % 20, i),
                       content(text(20, static_cast<std::uint64_t>(i))));
    EXPECT_EQ(theatre.judge.rung_of(tidy), Rung::Preserve);
}

TEST(Judge, CompressingATreeIsInnocent) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    Theatre theatre;
    const Actor gzip_process = theatre.process(601);
    for (const Victim* victim : some_victims(200, 6)) {
        theatre.create(gzip_process, victim->path + ".gz", gzip(victim->bytes));
        theatre.unlink(gzip_process, victim->path, content(victim->bytes));
    }
    EXPECT_EQ(theatre.judge.rung_of(gzip_process), Rung::Preserve);
}

TEST(Judge, CompressingNumberedFilesIsInnocentInWhateverOrderItIsTold) {
    Theatre theatre;
    const Actor gzip_process = theatre.process(604);
    const auto path_of = [](std::uint64_t i) { return fmt::format("/share/scans/scan_{}.txt", i); };
    for (std::uint64_t i = 1; i <= 30; ++i)
        theatre.create(gzip_process, path_of(i) + ".gz", gzip(text(60, i)));
    for (std::uint64_t i = 1; i <= 30; ++i)
        theatre.unlink(gzip_process, path_of(i), content(text(60, i)));
    EXPECT_EQ(theatre.judge.rung_of(gzip_process), Rung::Preserve);
}

TEST(Judge, CompressingIsInnocentThoughTheNewFileWasMetHalfWritten) {
    Theatre theatre;
    const Actor gzip_process = theatre.process(605);
    for (std::uint64_t i = 1; i <= 30; ++i) {
        const std::string path = fmt::format("/share/letters/{}.txt", i);
        const Bytes whole = gzip(text(60, i));
        const Bytes half(whole.begin(),
                         whole.begin() + static_cast<std::ptrdiff_t>(whole.size() / 2));
        theatre.create(gzip_process, path + ".gz", half);
        theatre.write_on(gzip_process, path + ".gz", content(half), whole);
        theatre.unlink(gzip_process, path, content(text(60, i)));
    }
    EXPECT_EQ(theatre.judge.rung_of(gzip_process), Rung::Preserve);
}

TEST(Judge, CompressingIsInnocentThoughEveryDeletionIsToldBeforeTheNewFile) {
    Theatre theatre;
    const Actor gzip_process = theatre.process(606);
    for (std::uint64_t i = 1; i <= 60; ++i) {
        const std::string path = fmt::format("/share/letters/{}.txt", i);
        theatre.unlink(gzip_process, path, content(text(60, i)));
        theatre.create(gzip_process, path + ".gz", gzip(text(60, i)));
        EXPECT_EQ(theatre.judge.rung_of(gzip_process), Rung::Preserve) << i;
    }
}

TEST(Judge, WhatAFileThatComesLaterGivesBackIsHeldAgainstNobody) {
    Theatre theatre;
    Chance chance(15);
    const Actor mover = theatre.process(607);
    theatre.create(mover, "/share/a/sealed.bin", random_bytes(9000, chance));
    for (std::uint64_t i = 0; i < 2; ++i)
        theatre.unlink(mover, fmt::format("/share/a/{}.txt", i), content(text(150, i)));
    EXPECT_EQ(theatre.judge.rung_of(mover), Rung::Delay);
    for (std::uint64_t i = 0; i < 2; ++i)
        theatre.create(mover, fmt::format("/share/b/{}.txt", i), text(150, i));
    EXPECT_EQ(theatre.judge.rung_of(mover), Rung::Preserve);
}

TEST(Judge, RewritingTextsAndClearingUpBesideAnothersArchivesIsInnocent) {
    Theatre theatre;
    Chance chance(14);
    const Actor exporter = theatre.process(620);
    const Actor backup = theatre.process(621);
    const Actor cleaner = theatre.process(622);
    for (std::uint64_t i = 0; i < 60; ++i) {
        theatre.write(exporter, fmt::format("/share/export{}.csv", i), content(text(60, i)),
                      text(70, i + 500));
        theatre.create(backup, fmt::format("/share/copies/{:x}", chance()),
                       random_bytes(40'000, chance));
        theatre.unlink(cleaner, fmt::format("/share/project/{}.txt", i), content(text(40, i)));
    }
    for (const Actor& actor : {exporter, backup, cleaner})
        EXPECT_EQ(theatre.judge.rung_of(actor), Rung::Preserve) << actor.process.pid;
}

TEST(Judge, CopyingAndDeletingTheCopyIsInnocent) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    Theatre theatre;
    Chance chance(7);
    const Actor program = theatre.process(602);
    for (int i = 0; i < 200; ++i) {
        const std::string path = fmt::format("/share/cache/{}", i);
        theatre.create(program, path, random_bytes(9000, chance));
        theatre.write(program, path, content(random_bytes(9000, chance)),
                      random_bytes(9000, chance));
    }
    EXPECT_EQ(theatre.judge.rung_of(program), Rung::Preserve);
}

TEST(Judge, EditingAndReplacingTextsIsInnocent) {
    Theatre theatre;
    const Actor sed = theatre.process(603);
    for (std::uint64_t i = 0; i < 500; ++i) {
        Bytes before = text(60, i);
        Bytes after = before;
        append(after, text(1, i + 1000));
        std::ranges::replace(after, 'm', 'M');
        theatre.replace(sed, fmt::format("/share/notes/{}.txt", i), content(before), after);
    }
    EXPECT_EQ(theatre.judge.rung_of(sed), Rung::Preserve);
}

TEST(Judge, WhoClearsUpConvertsOrEditsCanariesIsLeftAlone) {
    Policy policy;
    for (int i = 0; i < 60; ++i) policy.canaries.insert(fmt::format("/share/{}/00.txt", i));
    Theatre theatre(policy);
    const Actor cleaner = theatre.process(604);
    for (int i = 0; i < 20; ++i)
        theatre.unlink(cleaner, fmt::format("/share/{}/00.txt", i), content(text(40, 1)));
    for (int i = 20; i < 40; ++i)
        theatre.rename(cleaner, fmt::format("/share/{}/00.txt", i), fmt::format("/old/{}.txt", i));
    for (int i = 40; i < 60; ++i) {
        Bytes edited = text(40, 1);
        edited.insert(edited.begin() + 100, 9, 'x');
        theatre.write(cleaner, fmt::format("/share/{}/00.txt", i), content(text(40, 1)), edited);
    }
    EXPECT_EQ(theatre.judge.rung_of(cleaner), Rung::Preserve);
}

TEST(Judge, RenamingManyFilesAndBackIsNoProofAgainstAnybody) {
    // As image tools do: the old picture gets another ending, and is deleted.
    Theatre theatre;
    Chance chance(12);
    const Actor tool = theatre.process(608);
    for (std::uint64_t i = 0; i < 60; ++i) {
        const std::string path = fmt::format("/share/{}/photo.ppm", i);
        theatre.rename(tool, path, path + "~");
        theatre.create(tool, path, text(80, i));
        theatre.create(tool, fmt::format("/share/{}/note.txt", i), text(3, 1));
        theatre.unlink(tool, path + "~", content(text(80, 100 + i)));
    }
    EXPECT_EQ(theatre.judge.rung_of(tool), Rung::Preserve);
    // Another program of the same user destroys two files: too few, whatever the first one did.
    const Actor other = theatre.process(609);
    for (std::uint64_t i = 0; i < 2; ++i)
        theatre.write(other, fmt::format("/share/{}.txt", i), content(text(80, i)),
                      random_bytes(6000, chance));
    EXPECT_FALSE(theatre.is_frozen(tool));
    EXPECT_FALSE(theatre.is_frozen(other));
}

TEST(Judge, AnEnrolledProgramIsLeftInPeace) {
    Policy policy;
    policy.enrolled = {"/usr/bin/program"};
    Theatre theatre(policy);
    Chance chance(12);
    const Actor actor = theatre.process(609);
    for (std::uint64_t i = 0; i < 10; ++i)
        theatre.write(actor, fmt::format("/share/{}.txt", i), content(text(80, i)),
                      random_bytes(6000, chance));
    EXPECT_EQ(theatre.judge.rung_of(actor), Rung::Preserve);
}

}  // namespace
}  // namespace hygie::files
