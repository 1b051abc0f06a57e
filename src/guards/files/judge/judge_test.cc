#include <fmt/format.h>
#include <gtest/gtest.h>

#include "guards/files/judge/judge_kit.h"

/// Who destroys is stopped, and what is done then.
namespace hygie::files {
namespace {

struct Behaviour {
    const char* name;
    /// Destroys one file; the actor is frozen afterwards or not.
    void (*attack)(Theatre&, const Actor&, const Victim&, Chance&);
    std::size_t changed_max = 4;
};

const Behaviour kBehaviours[] = {
    {"in place",
     [](Theatre& t, const Actor& a, const Victim& v, Chance& c) {
         t.write(a, v.path, content(v.bytes), random_bytes(v.bytes.size(), c));
     }},
    {"copy, then delete",
     [](Theatre& t, const Actor& a, const Victim& v, Chance& c) {
         t.create(a, v.path + ".locked", random_bytes(v.bytes.size() + 16, c));
         t.unlink(a, v.path, content(v.bytes));
     }},
    {"delete, then copy",
     [](Theatre& t, const Actor& a, const Victim& v, Chance& c) {
         t.unlink(a, v.path, content(v.bytes));
         t.create(a, v.path + ".locked", random_bytes(v.bytes.size() + 16, c));
     }},
    {"copy under a random name",
     [](Theatre& t, const Actor& a, const Victim& v, Chance& c) {
         t.create(a, std::string(folder_part(v.path)) + "/" + std::to_string(c()),
                  random_bytes(v.bytes.size() + 16, c));
         t.unlink(a, v.path, content(v.bytes));
     }},
    {"renamed over",
     [](Theatre& t, const Actor& a, const Victim& v, Chance& c) {
         t.replace(a, v.path, content(v.bytes), random_bytes(v.bytes.size(), c));
     }},
    {"renamed first",
     [](Theatre& t, const Actor& a, const Victim& v, Chance& c) {
         t.rename(a, v.path, v.path + ".enc");
         t.write(a, v.path + ".enc", content(v.bytes), random_bytes(v.bytes.size(), c));
     }},
    {"base64",
     [](Theatre& t, const Actor& a, const Victim& v, Chance& c) {
         const std::string spelled = to_base64(random_bytes(v.bytes.size(), c));
         t.write(a, v.path, content(v.bytes), Bytes(spelled.begin(), spelled.end()));
     }},
    {"header kept",
     [](Theatre& t, const Actor& a, const Victim& v, Chance& c) {
         Bytes now = v.bytes;
         for (std::size_t i = 128; i < now.size(); ++i) now[i] = static_cast<std::uint8_t>(c());
         t.write(a, v.path, content(v.bytes), now);
     }},
    {"3 percent",
     [](Theatre& t, const Actor& a, const Victim& v, Chance& c) {
         Bytes now = v.bytes;
         for (std::size_t i = 0; i < now.size(); i += i % 533 < 16 ? 1 : 517)
             now[i] = static_cast<std::uint8_t>(c());
         t.write(a, v.path, content(v.bytes), now);
     },
     6},
    {"cut to nothing",
     [](Theatre& t, const Actor& a, const Victim& v, Chance&) {
         t.write(a, v.path, content(v.bytes), {});
     },
     9},
    {"cut to half",
     [](Theatre& t, const Actor& a, const Victim& v, Chance&) {
         t.write(a, v.path, content(v.bytes),
                 Bytes(v.bytes.begin(),
                       v.bytes.begin() + static_cast<std::ptrdiff_t>(v.bytes.size() / 2)));
     },
     12},
    {"zeros", [](Theatre& t, const Actor& a, const Victim& v,
                 Chance&) { t.write(a, v.path, content(v.bytes), Bytes(v.bytes.size())); }},
};

TEST(Judge, AttackersChangeFewFilesBeforeTheyAreFrozen) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    std::vector<std::size_t> counts;
    for (const Behaviour& behaviour : kBehaviours) {
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            Theatre theatre;
            Chance chance(seed);
            const Actor attacker = theatre.process(500);
            std::size_t changed = 0;
            for (const Victim* victim : some_victims(kFiles, seed)) {
                behaviour.attack(theatre, attacker, *victim, chance);
                ++changed;
                if (theatre.is_frozen(attacker)) break;
            }
            EXPECT_LE(changed, behaviour.changed_max) << behaviour.name << ", seed " << seed;
            counts.push_back(changed);
        }
    }
    std::ranges::sort(counts);
    EXPECT_LE(counts[counts.size() / 2], 3U);
}

TEST(Judge, EighteenProcessesWithOneFileEachAreFrozenTogether) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    Theatre theatre;
    Chance chance(18);
    std::size_t changed = 0;
    pid_t pid = 500;
    Conclusion last;
    for (const Victim* victim : some_victims(kFiles, 18)) {
        const Actor one = theatre.process(pid++);
        last = theatre.write(one, victim->path, content(victim->bytes),
                             random_bytes(victim->bytes.size(), chance));
        ++changed;
        if (theatre.is_frozen(one)) break;
    }
    EXPECT_LE(changed, 6U);
    EXPECT_EQ(last.key, "uid:1000");
    EXPECT_EQ(last.targets.size(), changed);
}

TEST(Judge, OneWorkstationIsHeldAgainstItselfAndNobodyElse) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    Theatre theatre;
    Chance chance(3);
    const Actor infected = theatre.station("accueil", "192.0.2.7");
    const Actor healthy = theatre.station("dr.lune", "192.0.2.8");
    std::size_t number = 0;
    for (const Victim* victim : some_victims(8, 3)) {
        const bool first = number++ < 3;
        if (first)
            theatre.write(infected, victim->path, content(victim->bytes),
                          random_bytes(victim->bytes.size(), chance));
        Bytes more = victim->bytes;
        append(more, as_bytes("une ligne"));
        theatre.write(healthy, victim->path + "2", content(victim->bytes), more);
    }
    EXPECT_TRUE(theatre.is_frozen(infected));
    EXPECT_EQ(theatre.judge.rung_of(healthy), Rung::Preserve);
}

TEST(Judge, OneFamilyThatChangesItsUserForEachFileIsFrozenAsOne) {
    Theatre theatre;
    Chance chance(22);
    std::size_t changed = 0;
    for (std::uint64_t i = 0; i < 40 && theatre.frozen == 0; ++i, ++changed) {
        Actor child = theatre.process(static_cast<pid_t>(400 + i), static_cast<uid_t>(3000 + i));
        child.family = {399, 70};
        child.lineage = {child.family};
        theatre.write(child, fmt::format("/share/lettre{}.txt", i), content(text(60, i)),
                      random_bytes(4000, chance));
    }
    EXPECT_LE(changed, 5U);
}

TEST(Judge, OneFileAnHourIsStoppedWithinThirtyFilesWhateverProcessDoesIt) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    Theatre theatre;
    Chance chance(4);
    std::size_t changed = 0;
    pid_t pid = 700;
    for (const Victim* victim : some_victims(60, 4)) {
        theatre.pass(std::chrono::hours(1));
        const Actor one = theatre.process(pid++);
        theatre.write(one, victim->path, content(victim->bytes),
                      random_bytes(victim->bytes.size(), chance));
        ++changed;
        if (theatre.is_frozen(one)) break;
    }
    EXPECT_LE(changed, 30U);
}

TEST(Judge, TheSlowAttackerIsRememberedAcrossRestarts) {
    if (victims().empty()) GTEST_SKIP() << "the shared files are not here";
    Chance chance(5);
    const crypto::Secret32 key;
    Bytes state;
    std::size_t changed = 0;
    Micros passed{};
    for (const Victim* victim : some_victims(60, 5)) {
        Theatre theatre;
        const bool loaded = state.empty() || theatre.judge.load(key, state).has_value();
        ASSERT_TRUE(loaded);
        passed += std::chrono::hours(2);
        theatre.pass(passed);
        const Actor station = theatre.station("accueil", "192.0.2.7");
        theatre.write(station, victim->path, content(victim->bytes),
                      random_bytes(victim->bytes.size(), chance));
        ++changed;
        if (theatre.is_frozen(station)) break;
        state = theatre.judge.save(
            key, WallTime{std::chrono::sys_days(std::chrono::year(2026) / 11 / 25)} + passed);
        EXPECT_EQ(as_text(state).find("accueil"), std::string_view::npos) << "a name on the disk";
    }
    EXPECT_LE(changed, 12U);
}

TEST(Judge, CiphertextWrittenIntoItsOwnNewFileAfterTheDeletionCounts) {
    Theatre theatre;
    Chance chance(16);
    const Actor attacker = theatre.process(608);
    for (std::uint64_t i = 0; i < 3; ++i) {
        const std::string path = fmt::format("/share/{}.txt", i);
        theatre.create(attacker, path + ".locked", to_bytes(as_bytes("wait")));
        theatre.unlink(attacker, path, content(text(80, i)));
        theatre.write_on(attacker, path + ".locked", content(to_bytes(as_bytes("wait"))),
                         random_bytes(6000, chance));
    }
    EXPECT_TRUE(theatre.is_frozen(attacker));
}

/// Reads, copies to another disk under a name of its own, deletes.
void move_away(Theatre& theatre, const Actor& actor, std::uint64_t number, Bytes copy) {
    const Bytes before = text(80, number);
    theatre.create_outside(actor, fmt::format("/media/usb/{:x}", number * 7919), std::move(copy));
    theatre.unlink_what_was_read(actor, fmt::format("/share/{}.txt", number), content(before));
}

TEST(Judge, ASealedCopyOutsideTheShareStandsForWhatIsDeleted) {
    Theatre theatre;
    Chance chance(23);
    const Actor attacker = theatre.process(611);
    const Actor mover = theatre.process(612, 1001);
    std::uint64_t taken = 0;
    for (; taken < 40 && !theatre.is_frozen(attacker); ++taken)
        move_away(theatre, attacker, taken, random_bytes(text(80, taken).size() + 16, chance));
    EXPECT_LE(taken, 6U);
    for (std::uint64_t i = 100; i < 140; ++i) move_away(theatre, mover, i, text(80, i));
    EXPECT_FALSE(theatre.is_frozen(mover)) << "what can be read there is moved, not destroyed";
}

TEST(Judge, AFolderSealedTogetherAndDeletedAtOnceIsStoppedAfterThree) {
    enum class Way { Sealed, Readable, Later, FewLetters };
    for (const Way way : {Way::Sealed, Way::Readable, Way::Later, Way::FewLetters}) {
        Theatre theatre;
        Chance chance(25);
        const Actor actor = theatre.process(713);
        Bytes all;
        for (std::uint64_t i = 0; i < kFiles; ++i) {
            const Bytes letter = text(60, i);
            all.insert(all.end(), letter.begin(), letter.end());
        }
        theatre.create(actor, "/share/all.bin",
                       way == Way::Readable ? all : random_bytes(all.size() / 2, chance));
        if (way == Way::Later) theatre.pass(std::chrono::minutes(1));
        std::uint64_t deleted = 0;
        for (; deleted < 5 && !theatre.is_frozen(actor); ++deleted) {
            const std::string path = fmt::format("/share/letters/{}.txt", deleted);
            if (way == Way::FewLetters)
                theatre.unlink_what_was_read(actor, path, content(text(60, deleted)));
            else
                theatre.unlink_of_collection(actor, path, content(text(60, deleted)));
        }
        EXPECT_EQ(theatre.is_frozen(actor), way == Way::Sealed) << static_cast<int>(way);
        EXPECT_EQ(deleted, way == Way::Sealed ? 3U : 5U) << static_cast<int>(way);
    }
}

TEST(Judge, WhoSealsALotIntoADatabaseAndDeletesItIsStopped) {
    for (const bool is_sealed : {true, false}) {
        Theatre theatre;
        Chance chance(26);
        const Actor actor = theatre.process(714);
        Bytes all;
        for (std::uint64_t i = 0; i < kFiles; ++i) append(all, text(60, i));
        const Bytes held = is_sealed ? random_bytes(all.size(), chance) : all;
        theatre.create(actor, "/share/documents.db", in_a_database(held));
        std::uint64_t deleted = 0;
        for (; deleted < 5 && !theatre.is_frozen(actor); ++deleted)
            theatre.unlink_of_collection(actor, fmt::format("/share/letters/{}.txt", deleted),
                                         content(text(60, deleted)));
        EXPECT_EQ(theatre.is_frozen(actor), is_sealed);
    }
}

TEST(Judge, ACopyElsewhereExcusesNoSealedFileInPlaceOfTheOriginal) {
    for (const bool is_sealed : {true, false}) {
        Theatre theatre;
        Chance chance(24);
        const Actor mover = theatre.process(712);
        std::uint64_t moved = 0;
        for (; moved < kFiles && !theatre.is_frozen(mover); ++moved) {
            const Bytes letter = text(60, moved);
            const std::string path = fmt::format("/share/letters/{}.txt", moved);
            theatre.create_outside(mover, fmt::format("/run/{}", moved), letter);
            theatre.unlink_what_was_read(mover, path, content(letter));
            theatre.create(mover, fmt::format("/share/letters/{:08x}", moved),
                           is_sealed ? random_bytes(letter.size(), chance) : text(60, 900 + moved));
        }
        EXPECT_LE(is_sealed ? moved : 0, 6U);
        EXPECT_EQ(theatre.is_frozen(mover), is_sealed);
    }
}

TEST(Judge, ALinkInPlaceOfAFileIsADeletion) {
    Theatre theatre;
    Chance chance(24);
    const Actor attacker = theatre.process(613);
    const Actor tidy = theatre.process(614, 1001);
    for (std::uint64_t i = 0; i < 6; ++i) {
        const Bytes before = text(80, i);
        theatre.create_outside(attacker, fmt::format("/media/usb/{:x}", i),
                               random_bytes(before.size() + 16, chance));
        theatre.link_over(attacker, fmt::format("/share/{}.txt", i), content(before));
        theatre.link_over(tidy, fmt::format("/share/b{}.txt", i), content(before));
    }
    EXPECT_TRUE(theatre.is_frozen(attacker));
    EXPECT_FALSE(theatre.is_frozen(tidy)) << "deletion alone";
}

TEST(Judge, WhatLiesOpenCountsWhenAllOfItIsThere) {
    Theatre theatre;
    Chance chance(25);
    const Actor attacker = theatre.process(615);
    const Actor writer = theatre.process(616, 1001);
    for (std::uint64_t i = 0; i < 3; ++i) {
        const Bytes before = text(80, i);
        theatre.leave_open(attacker, fmt::format("/share/{}.txt", i), content(before),
                           random_bytes(before.size(), chance));
        theatre.leave_open(writer, fmt::format("/share/b{}.txt", i), content(before),
                           random_bytes(before.size() / 2, chance));
    }
    EXPECT_TRUE(theatre.is_frozen(attacker));
    EXPECT_FALSE(theatre.is_frozen(writer)) << "half of a version is nobody's crime";
}

TEST(Judge, ANewFileThatIsRenamedToItsVictimsNameAfterTheDeletionCounts) {
    Theatre theatre;
    Chance chance(17);
    const Actor attacker = theatre.process(609);
    for (std::uint64_t i = 0; i < 3; ++i) {
        const std::string path = fmt::format("/share/{}.txt", i);
        theatre.create(attacker, fmt::format("/share/{:x}", chance()), random_bytes(900, chance));
        theatre.unlink(attacker, path, content(text(80, i)));
        theatre.rename_last(attacker, path + ".enc");
    }
    EXPECT_TRUE(theatre.is_frozen(attacker));
}

TEST(Judge, ACanaryMadeUnreadableFreezesAtOnce) {
    Policy policy;
    policy.canaries = {"/share/A/00 Bilan.docx", "/share/B/00 Bilan.docx", "/share/C/zz.pdf"};
    Theatre theatre(policy);
    Chance chance(8);
    const Actor in_place = theatre.process(604);
    theatre.write(in_place, "/share/A/00 Bilan.docx", content(text(40, 1)),
                  random_bytes(4000, chance));
    EXPECT_TRUE(theatre.is_frozen(in_place));
    const Actor into_a_copy = theatre.process(605, 1001);
    theatre.create(into_a_copy, "/share/B/00 Bilan.docx.enc", random_bytes(4000, chance));
    theatre.unlink(into_a_copy, "/share/B/00 Bilan.docx", content(text(40, 1)));
    EXPECT_TRUE(theatre.is_frozen(into_a_copy));
    const Actor renamed_first = theatre.process(606, 1002);
    theatre.rename(renamed_first, "/share/C/zz.pdf", "/share/C/x7");
    theatre.write(renamed_first, "/share/C/x7", content(text(40, 2)), random_bytes(4000, chance));
    EXPECT_TRUE(theatre.is_frozen(renamed_first));
}

TEST(Judge, NotesInSeveralFoldersCountBesideOneDestroyedFile) {
    const auto attack = [](bool with_notes) {
        Theatre theatre;
        Chance chance(9);
        const Actor attacker = theatre.process(606);
        for (std::uint64_t i = 0; i < 2; ++i) {
            for (int folder = 0; folder < 4 && with_notes; ++folder)
                theatre.create(attacker, fmt::format("/share/{}/READ_ME{}.txt", folder, i),
                               text(6, 42));
            theatre.write(attacker, fmt::format("/share/{}/doc.txt", i), content(text(80, i)),
                          random_bytes(6000, chance));
        }
        for (std::uint64_t i = 0; i < 2; ++i)
            theatre.write(attacker, fmt::format("/share/{}/cut.txt", i), content(text(80, i)), {});
        return theatre.is_frozen(attacker);
    };
    EXPECT_TRUE(attack(true));
    EXPECT_FALSE(attack(false));
}

TEST(Judge, AVerdictSaysWhyInBothLanguages) {
    Theatre theatre;
    Chance chance(10);
    const Actor attacker = theatre.process(607);
    Conclusion conclusion;
    for (std::uint64_t i = 0; i < 3; ++i)
        conclusion = theatre.write(attacker, fmt::format("/share/{}.txt", i), content(text(80, i)),
                                   random_bytes(6000, chance));
    EXPECT_EQ(conclusion.rung, Rung::Freeze);
    EXPECT_TRUE(conclusion.is_news);
    EXPECT_EQ(conclusion.verdict.level, event::Level::Malicious);
    ASSERT_FALSE(conclusion.verdict.reasons.empty());
    const event::Reason& reason = conclusion.verdict.reasons.front();
    EXPECT_EQ(reason.id, "files.scrambled");
    EXPECT_NE(reason.text.fr.find("3 fichier"), std::string::npos) << reason.text.fr;
    EXPECT_NE(reason.text.en.find("3 file"), std::string::npos) << reason.text.en;
}

TEST(Judge, ForgivingTakesEverythingBack) {
    Theatre theatre;
    Chance chance(11);
    const Actor actor = theatre.process(608);
    for (std::uint64_t i = 0; i < 3; ++i)
        theatre.write(actor, fmt::format("/share/{}.txt", i), content(text(80, i)),
                      random_bytes(6000, chance));
    ASSERT_TRUE(theatre.is_frozen(actor));
    theatre.judge.forgive(actor.key());
    EXPECT_EQ(theatre.judge.rung_of(actor), Rung::Preserve);
    theatre.write(actor, "/share/again.txt", content(text(80, 99)), random_bytes(6000, chance));
    EXPECT_EQ(theatre.judge.rung_of(actor), Rung::Delay);
}

TEST(Judge, AStateThatIsNotOneIsRefused) {
    Theatre theatre;
    const crypto::Secret32 key;
    EXPECT_FALSE(theatre.judge.load(key, as_bytes("not a state")));
    Bytes state = theatre.judge.save(key, WallTime{});
    state.push_back(0);
    EXPECT_FALSE(theatre.judge.load(key, state));
}

}  // namespace
}  // namespace hygie::files
