#include "guards/files/judge.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <random>

#include "guards/files/victims.h"

namespace hygie::files {
namespace {

using Chance = std::mt19937_64;

ContentPtr content(Bytes bytes) {
    return std::make_shared<MemoryContent>(std::move(bytes));
}

Bytes random_bytes(std::size_t size, Chance& chance) {
    Bytes bytes(size);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(chance());
    return bytes;
}

Bytes gzip(ByteView bytes) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    Bytes out(deflateBound(&stream, bytes.size()) + 64);
    stream.next_in = const_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

Bytes text(std::size_t lines, std::uint64_t seed) {
    static constexpr const char* kWords[] = {"patient", "tension", "mg",     "matin",  "droite",
                                             "bilan",   "douleur", "examen", "normal", "contrôle"};
    Chance chance(seed);
    std::string out;
    for (std::size_t i = 0; i < lines; ++i) {
        for (int word = 0; word < 9; ++word) out += std::string(kWords[chance() % 10]) + " ";
        out += fmt::format("{}\n", chance() % 1000);
    }
    return Bytes(out.begin(), out.end());
}

/// A share in memory, the acts of programs on it, and how many files each could change before the
/// judge had it frozen.
class Theatre {
  public:
    explicit Theatre(Policy policy = {}) : judge(std::move(policy), examiner) {}

    Actor process(pid_t pid, uid_t uid = 1000) {
        Actor actor;
        actor.process = actor.family = {pid, 77};
        actor.uid = uid;
        actor.program = "/usr/bin/program";
        return actor;
    }
    Actor station(const char* user, const char* address) {
        Actor actor = process(900, 1200);
        actor.smb = SmbClient{user, address};
        return actor;
    }

    Conclusion write(const Actor& actor, const std::string& path, ContentPtr before, Bytes now) {
        Change change = make(ChangeKind::CloseWrite, actor, path);
        change.before = std::move(before);
        change.now = content(std::move(now));
        return play(change);
    }
    Conclusion create(const Actor& actor, const std::string& path, Bytes now) {
        Change change = make(ChangeKind::CloseWrite, actor, path);
        change.file = key(++next_);
        change.is_new = true;
        change.now = content(std::move(now));
        return play(change);
    }
    /// Its maker writes on in the file created last.
    Conclusion write_on(const Actor& actor, const std::string& path, ContentPtr before, Bytes now) {
        Change change = make(ChangeKind::CloseWrite, actor, path);
        change.file = key(next_);
        change.before = std::move(before);
        change.now = content(std::move(now));
        return play(change);
    }
    Conclusion unlink(const Actor& actor, const std::string& path, ContentPtr before) {
        Change change = make(ChangeKind::Unlink, actor, path);
        change.before = std::move(before);
        return play(change);
    }
    Conclusion create_outside(const Actor& actor, const std::string& path, Bytes now) {
        Change change = make(ChangeKind::CloseWrite, actor, path);
        change.file = key(++next_);
        change.is_new = change.is_outside = true;
        change.now = content(std::move(now));
        return play(change);
    }
    Conclusion unlink_what_was_read(const Actor& actor, const std::string& path,
                                    ContentPtr before) {
        Change change = make(ChangeKind::Unlink, actor, path);
        change.before = std::move(before);
        change.was_read = true;
        return play(change);
    }
    /// A symbolic link takes the place of a file that was read.
    Conclusion link_over(const Actor& actor, const std::string& path, ContentPtr before) {
        Change change = make(ChangeKind::RenameOver, actor, path);
        change.file = key(++next_);
        change.victim = key(std::hash<std::string>()(path));
        change.before = std::move(before);
        change.was_read = true;
        return play(change);
    }
    Conclusion leave_open(const Actor& actor, const std::string& path, ContentPtr before,
                          Bytes now) {
        Change change = make(ChangeKind::CloseWrite, actor, path);
        change.is_open = true;
        change.before = std::move(before);
        change.now = content(std::move(now));
        return play(change);
    }
    Conclusion replace(const Actor& actor, const std::string& path, ContentPtr before, Bytes now) {
        create(actor, path + ".tmp", now);
        Change change = make(ChangeKind::RenameOver, actor, path);
        change.file = key(next_);
        change.from = path + ".tmp";
        change.before = std::move(before);
        change.now = content(std::move(now));
        return play(change);
    }
    Conclusion rename(const Actor& actor, const std::string& from, const std::string& path) {
        Change change = make(ChangeKind::Rename, actor, path);
        change.from = from;
        return play(change);
    }
    /// The file created last.
    Conclusion rename_last(const Actor& actor, const std::string& path) {
        Change change = make(ChangeKind::Rename, actor, path);
        change.file = key(next_);
        change.from = "/share/before";
        return play(change);
    }
    void pass(Micros time) {
        steady_ += time;
        wall_ += time;
    }
    bool is_frozen(const Actor& actor) const { return judge.rung_of(actor) >= Rung::Freeze; }

    DirectExaminer examiner;
    Judge judge;
    int frozen = 0;

  private:
    static FileKey key(std::uint64_t number) {
        Bytes handle(8);
        store_be(handle.data(), number);
        return {1, 1, handle};
    }
    Change make(ChangeKind kind, const Actor& actor, const std::string& path) {
        Change change;
        change.kind = kind;
        change.time = wall_;
        change.steady = steady_;
        change.actor = actor;
        change.file = key(std::hash<std::string>()(path));
        change.path = path;
        return change;
    }
    Conclusion play(const Change& change) {
        pass(Micros(500));
        const Conclusion conclusion = judge.take(change);
        frozen += conclusion.is_news && conclusion.rung >= Rung::Freeze;
        return conclusion;
    }

    SteadyTime steady_{std::chrono::hours(100)};
    WallTime wall_{std::chrono::sys_days(std::chrono::year(2026) / 11 / 25)};
    std::uint64_t next_ = 1;
};

/// Documents of the share that are whole, in another order for each seed.
std::vector<const Victim*> some_victims(std::size_t count, std::uint64_t seed) {
    std::vector<const Victim*> chosen;
    for (const Victim& victim : victims())
        if (victim.bytes.size() >= 512) chosen.push_back(&victim);
    Chance chance(seed);
    std::ranges::shuffle(chosen, chance);
    if (chosen.size() > count) chosen.resize(count);
    return chosen;
}

constexpr std::size_t kFiles = 40;

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
