#include "guards/files/enforce/judge_desk.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <future>
#include <random>
#include <span>
#include <thread>

#include "guards/files/acts/actors.h"
#include "guards/files/acts/attribution.h"
#include "guards/files/enforce/desk_kit.h"

namespace hygie::files {
namespace {

TEST(JudgeDesk, AFastAttackerChangesFiveFilesAtMost) {
    Office office;
    office.examiner.pause = std::chrono::milliseconds(5);
    std::uint64_t changed = 0;
    while (changed < 1000 && office.destroy(local(500), changed)) ++changed;
    EXPECT_LE(changed, 5U);
    office.desk->drain();
    EXPECT_TRUE(office.control.was_sent(500, SIGSTOP));
    EXPECT_TRUE(office.control.was_sent(501, SIGSTOP)) << "its children go with it";
    EXPECT_EQ(office.steps().back(), "freeze");
}

TEST(JudgeDesk, WhoIsSuspectedIsSlowToWriteAndNotToRead) {
    Office office;
    const Actor suspect = local(500);
    ASSERT_TRUE(office.destroy(suspect, 0));
    office.desk->drain();
    const auto ask = [&](ChangeKind kind) {
        return office.desk->before(office.change(kind, suspect, "/share/a.txt"));
    };
    EXPECT_EQ(ask(ChangeKind::OpenForWrite).delay, JudgeDesk::kDelay);
    EXPECT_EQ(ask(ChangeKind::Read).delay, Micros{});
    EXPECT_EQ(ask(ChangeKind::Read).kind, Stop::Kind::Allow);
}

/// An honest program that is refused an opening gives up its work: that is for a judge that does
/// not answer at all, not for a busy machine.
TEST(JudgeDesk, WhoIsSuspectedWaitsForABusyJudgeRatherThanBeRefused) {
    Office office;
    const Actor suspect = local(500);
    ASSERT_TRUE(office.destroy(suspect, 0));
    office.desk->drain();
    office.examiner.pause = std::chrono::milliseconds(300);
    const auto edit = [&](const Actor& actor) {
        Change edited = office.change(ChangeKind::CloseWrite, actor, "/share/b.txt");
        edited.before = content(text(1));
        edited.now = content(text(1));
        office.desk->after(std::move(edited));
    };
    edit(local(900));
    std::this_thread::sleep_for(std::chrono::milliseconds(30));  // somebody else's is being judged
    edit(suspect);
    const auto begun = std::chrono::steady_clock::now();
    const Stop stop =
        office.desk->before(office.change(ChangeKind::OpenForWrite, suspect, "/share/a.txt"));
    const auto waited = std::chrono::steady_clock::now() - begun;
    EXPECT_TRUE(stop.kind == Stop::Kind::Delay || waited >= JudgeDesk::kSuspectWaitMax);
}

TEST(JudgeDesk, OrphansOfOneFileEachAreRefusedTogetherAndOthersGoOn) {
    Office office;
    const auto orphan = [](std::uint64_t number) {
        Actor actor = local(static_cast<pid_t>(1000 + number));
        actor.process.started = actor.family.started = 50 + number;
        return actor;
    };
    std::uint64_t changed = 0;
    while (changed < 100 && office.destroy(orphan(changed), changed)) {
        ++changed;
        office.desk->drain();
    }
    EXPECT_LE(changed, 5U);
    Actor other = local(3000);
    other.program = "/usr/bin/libreoffice";
    const auto ask = [&](const Actor& actor) {
        return office.desk->before(office.change(ChangeKind::OpenForWrite, actor, "/share/a.txt"))
            .kind;
    };
    EXPECT_EQ(ask(other), Stop::Kind::Allow);
    EXPECT_EQ(ask(local(3001)), Stop::Kind::Allow) << "it was there before";
    ASSERT_TRUE(office.enforcer.thaw("all"));
    EXPECT_EQ(ask(orphan(90)), Stop::Kind::Allow);
}

/// Reads and deletes documents, and makes new files of what it read.
struct Archivist {
    void read(std::uint64_t number) {
        office.desk->after(office.change(ChangeKind::Read, actor, path(number)));
    }
    void make(const std::string& name, Bytes bytes) {
        Change made = office.change(ChangeKind::CloseWrite, actor, "/share/" + name);
        made.is_new = true;
        made.now = content(std::move(bytes));
        office.desk->after(std::move(made));
    }
    void remove(std::uint64_t number) {
        Change gone = office.change(ChangeKind::Unlink, actor, path(number));
        gone.before = content(text(number));
        office.desk->after(std::move(gone));
    }
    static std::string path(std::uint64_t number) {
        return fmt::format("/share/{}/doc{}.txt", number % 3, number);
    }
    static Bytes sealed() {
        Bytes bytes;
        for (std::uint64_t i = 0; i < 20; ++i) append(bytes, noise(i));
        return bytes;
    }

    Office& office;
    Actor actor;
};

TEST(JudgeDesk, WhoSealedWhatItReadStandsStillUntilEachDeletionIsJudged) {
    Office office;
    Archivist thief{office, local(700)};
    for (std::uint64_t i = 0; i < 20; ++i) thief.read(i);
    thief.make("taken.bin", Archivist::sealed());
    thief.remove(0);
    EXPECT_TRUE(office.control.was_sent(700, SIGSTOP)) << "at once, before anything is judged";
    office.desk->drain();
    EXPECT_TRUE(office.control.was_sent(700, SIGCONT)) << "one file is nobody's crime";
    for (std::uint64_t i = 1; i < 3; ++i) thief.remove(i);
    office.desk->drain();
    EXPECT_TRUE(office.enforcer.is_stopped(thief.actor)) << "it read a whole folder";
}

TEST(JudgeDesk, WhoWasSeenDeletingBeforeItSealedAnythingIsLookedAtAnew) {
    Office office;
    const auto seal = [&office](const Actor& actor) {
        Archivist archivist{office, actor};
        for (std::uint64_t i = 0; i < 5; ++i) archivist.read(i);
        archivist.make(fmt::format("{}.bin", actor.process.pid), Archivist::sealed());
    };
    seal(local(700));
    Actor self = local(::getpid());
    self.process.started = self.family.started = stat_of(self.process.pid)->started;
    office.desk->glimpse(self.process.pid);
    EXPECT_FALSE(office.control.was_sent(self.process.pid, SIGSTOP)) << "somebody else sealed";
    seal(self);
    office.desk->glimpse(self.process.pid);
    EXPECT_TRUE(office.control.was_sent(self.process.pid, SIGSTOP));
}

TEST(JudgeDesk, WhoDeletesGoesOnAfterThoseItWasStartedBy) {
    Office office;
    Actor self = local(::getpid());
    self.process.started = stat_of(self.process.pid)->started;
    self.family = {690, 5};
    self.lineage = {self.family};
    Archivist thief{office, self};
    for (std::uint64_t i = 0; i < 5; ++i) thief.read(i);
    thief.make("taken.bin", Archivist::sealed());
    office.desk->glimpse(self.process.pid);
    thief.remove(0);
    EXPECT_TRUE(office.control.was_sent(690, SIGSTOP));
    office.desk->know(self.process.pid);
    office.desk->drain();
    const std::scoped_lock lock(office.control.mutex);
    EXPECT_EQ(office.control.sent.back(), std::pair(self.process.pid, SIGCONT))
        << "it deletes the next at once, before anybody could see it";
}

TEST(JudgeDesk, ADeletionSeenBeforeAnybodySealedStandsForNoOther) {
    Office office;
    Actor self = local(::getpid());
    self.process.started = self.family.started = stat_of(self.process.pid)->started;
    Archivist thief{office, self};
    for (std::uint64_t i = 0; i < 5; ++i) thief.read(i);
    office.desk->glimpse(800);
    thief.make("taken.bin", Archivist::sealed());
    office.desk->glimpse(self.process.pid);
    office.desk->know(800);
    EXPECT_FALSE(office.control.was_sent(self.process.pid, SIGCONT))
        << "what it deleted is not told";
    office.desk->know(self.process.pid);
    EXPECT_TRUE(office.control.was_sent(self.process.pid, SIGCONT));
}

TEST(JudgeDesk, APersonMaySealFiveFilesAndDeleteThem) {
    Office office;
    Archivist person{office, local(700)};
    for (std::uint64_t i = 0; i < 9; ++i) person.read(i);
    person.make("taken.bin", Archivist::sealed());
    for (std::uint64_t i = 0; i < 5; ++i) person.remove(i);
    office.desk->drain();
    EXPECT_FALSE(office.enforcer.is_stopped(person.actor));
    for (std::uint64_t i = 5; i < 9; ++i) person.remove(i);
    office.desk->drain();
    EXPECT_TRUE(office.enforcer.is_stopped(person.actor));
}

/// Content that is read while somebody else comes to the door.
class ReadBesideADoor final : public Content {
  public:
    explicit ReadBesideADoor(JudgeDesk& desk) : desk_(desk) {}
    std::uint64_t size() const override { return 4096; }
    Result<std::size_t> read_at(std::uint64_t, std::span<std::uint8_t> out) const override {
        std::promise<void> through;
        auto passed = through.get_future();
        visitor = std::jthread([this, through = std::move(through)]() mutable {
            (void)desk_.is_outside_watched(local(1));
            desk_.know(1);
            through.set_value();
        });
        was_free = passed.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
        return out.size();
    }
    mutable std::jthread visitor;
    mutable std::atomic<bool> was_free = false;

  private:
    JudgeDesk& desk_;
};

TEST(JudgeDesk, WhatWasSealedIsReadWithoutALockThatTheDoorWants) {
    Office office;
    Archivist archivist{office, local(730)};
    for (std::uint64_t i = 0; i < 5; ++i) archivist.read(i);
    const auto sealed = std::make_shared<ReadBesideADoor>(*office.desk);
    Change made = office.change(ChangeKind::CloseWrite, archivist.actor, "/share/sealed.bin");
    made.is_new = true;
    made.now = sealed;
    office.desk->after(std::move(made));
    EXPECT_TRUE(sealed->was_free);
}

TEST(Sealers, A7zArchiveLooksSealedWhenNoCompressorWroteItsBeginning) {
    const auto looks = [](std::initializer_list<std::uint8_t> first) {
        Bytes bytes = noise(3);
        constexpr std::array<std::uint8_t, 6> kMagic = {'7', 'z', 0xBC, 0xAF, 0x27, 0x1C};
        std::ranges::copy(kMagic, bytes.begin());
        std::ranges::copy(first, bytes.begin() + 32);
        return looks_sealed(MemoryContent(std::move(bytes)));
    };
    EXPECT_TRUE(looks({0x42, 0x13}));
    EXPECT_TRUE(looks({0xE3, 1, 2, 3, 4, 5, 6}));
    EXPECT_FALSE(looks({0x00, 0x13})) << "LZMA, PPMd";
    EXPECT_FALSE(looks({0xE3, 0xFF, 0xFF, 0x10, 0x00, 0x5D, 0x00})) << "LZMA2";
    EXPECT_FALSE(looks({0x01, 0xFF})) << "LZMA2, stored";
    EXPECT_FALSE(looks({'B', 'Z', 'h', '9'})) << "bzip2";
}

TEST(Sealers, A7zArchiveIsKnownBeforeItsHeadIsWritten) {
    Bytes bytes = noise(3);
    std::fill_n(bytes.begin(), 32, std::uint8_t{0});
    bytes[32] = 0x42;
    EXPECT_TRUE(looks_sealed(MemoryContent(bytes)));
    bytes[32] = 0;
    EXPECT_FALSE(looks_sealed(MemoryContent(bytes))) << "LZMA";
}

TEST(Sealers, ADatabaseLooksSealedWhenItsFirstPagesHoldCiphertext) {
    Bytes sealed;
    Bytes letters;
    for (std::uint64_t i = 0; i < 5; ++i) append(sealed, noise(i));
    for (std::uint64_t i = 0; i < 5; ++i) append(letters, text(i));
    EXPECT_TRUE(looks_sealed(MemoryContent(in_a_database(sealed))));
    EXPECT_FALSE(looks_sealed(MemoryContent(in_a_database(letters))));
    EXPECT_FALSE(looks_sealed(MemoryContent(in_a_database(noise(9)))))
        << "too little of it to tell";
}

TEST(Sealers, WhatZlibCompressedIsNotSealed) {
    const auto looks = [](std::initializer_list<std::uint8_t> first, std::string_view then = {}) {
        Bytes bytes = noise(3);
        const auto end = std::ranges::copy(first, bytes.begin()).out;
        std::ranges::copy(as_bytes(then), end);
        return looks_sealed(MemoryContent(std::move(bytes)));
    };
    EXPECT_FALSE(looks({0x78, 0x01, 0x4B})) << "small objects of git";
    EXPECT_FALSE(looks({0x78, 0x9C, 0xED})) << "larger ones";
    EXPECT_TRUE(looks({0x78, 0x9C, 0x06})) << "no block at all";
    EXPECT_TRUE(looks({0x78, 0x02, 0x4B})) << "wrong check";
    EXPECT_TRUE(looks({0x78, 0x20, 0x4B})) << "a dictionary nobody has";
    // What is only stored stands there to be seen.
    using namespace std::string_view_literals;
    EXPECT_TRUE(looks({0x78, 0x01, 0x01, 0x17, 0x31, 0xE8, 0xCE}));
    EXPECT_TRUE(looks({0x78, 0x01, 0x01, 0x17, 0x31, 0xE8, 0xCE}, "blob 4096\0"sv));
    EXPECT_FALSE(
        looks({0x78, 0x01, 0x01, 0x17, 0x31, 0xE8, 0xCE}, "blob 4096\0\x89PNG\r\n\x1A\n"sv));
}

TEST(Readers, AFolderIsMoreThanAFewLetters) {
    Readers readers;
    const SteadyTime now{std::chrono::hours(1)};
    for (std::uint64_t i = 0; i < Readers::kCollectionMin; ++i) {
        EXPECT_FALSE(readers.has_read_collection("one", now)) << i;
        readers.note({0, 1, Bytes(8, static_cast<std::uint8_t>(i))}, "one", now);
    }
    EXPECT_TRUE(readers.has_read_collection("one", now));
    EXPECT_TRUE(readers.has_read_many("one", now));
    EXPECT_FALSE(readers.has_read_collection("one", now + 2 * Readers::kMemory));
    EXPECT_FALSE(readers.has_read_collection("another", now));
}

TEST(JudgeDesk, WhoArchivesReadablyOrClearsUpIsNotHeld) {
    Office office;
    Archivist keeper{office, local(710)};
    for (std::uint64_t i = 0; i < 20; ++i) keeper.read(i);
    keeper.make("copy.txt", text(3));
    Archivist cleaner{office, local(720)};
    cleaner.make("sealed.bin", Archivist::sealed());
    for (std::uint64_t i = 0; i < 10; ++i) {
        keeper.remove(i);
        cleaner.remove(i + 20);
    }
    office.desk->drain();
    for (const pid_t pid : {710, 720}) EXPECT_FALSE(office.control.was_sent(pid, SIGSTOP)) << pid;
}

TEST(JudgeDesk, AnInfectedWorkstationIsCutAndTheOthersWork) {
    Office office;
    const Actor infected = station(600, "accueil", "192.0.2.7");
    const Actor healthy = station(700, "dr.lune", "192.0.2.8");
    std::uint64_t changed = 0;
    while (changed < 1000 && office.destroy(infected, changed)) ++changed;
    EXPECT_LE(changed, 5U);
    office.desk->drain();
    EXPECT_TRUE(office.control.was_sent(600, SIGTERM)) << "a session is ended, never frozen";
    EXPECT_FALSE(office.control.was_sent(600, SIGSTOP));
    const auto ask = [&](const Actor& actor) {
        return office.desk->before(office.change(ChangeKind::OpenForWrite, actor, "/share/a.txt"))
            .kind;
    };
    EXPECT_EQ(ask(healthy), Stop::Kind::Allow);
    // It comes back by another session.
    EXPECT_EQ(ask(station(601, "accueil", "192.0.2.7")), Stop::Kind::Freeze);
    EXPECT_TRUE(office.control.was_sent(601, SIGTERM));
}

TEST(JudgeDesk, ThawingTakesEveryStepBack) {
    Office office;
    for (std::uint64_t i = 0; i < 10; ++i) office.destroy(local(500), i);
    office.desk->drain();
    ASSERT_TRUE(office.enforcer.is_stopped(local(500)));
    ASSERT_TRUE(office.state.give({GuardOrder::Kind::Thaw, local(500).key()}));
    // The step is told last, once all is taken back.
    for (int i = 0; i < 600 && office.steps().back() != "thaw"; ++i)
        real_clock().sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(office.enforcer.is_stopped(local(500)));
    EXPECT_TRUE(office.control.was_sent(500, SIGCONT));
    EXPECT_EQ(
        office.desk->before(office.change(ChangeKind::OpenForWrite, local(500), "/share/a")).kind,
        Stop::Kind::Allow);
    EXPECT_EQ(office.steps().back(), "thaw");
}

TEST(JudgeDesk, AGroupOfItsOwnIsFrozenAsAWholeAndThawedAfterARestart) {
    Office office;
    Actor attacker = local(500);
    attacker.cgroup = office.control.own_group;
    for (std::uint64_t i = 0; i < 10; ++i) office.destroy(attacker, i);
    office.desk->drain();
    EXPECT_EQ(office.control.frozen_group, attacker.cgroup);
    EXPECT_TRUE(office.control.was_sent(500, SIGSTOP))
        << "it stands still before the rest is known";
    EXPECT_FALSE(office.control.was_sent(501, SIGSTOP));
    Enforcer next{{office.control, real_clock(), real_random()}, &office.state, {}};
    ASSERT_TRUE(next.restore());
    ASSERT_TRUE(next.thaw("all"));
    EXPECT_EQ(office.control.frozen_group, "");
    EXPECT_TRUE(office.control.was_sent(500, SIGCONT));
}

TEST(JudgeDesk, ManyActorsAtOnceMakeTheShareReadOnlyUntilThawed) {
    Office office;
    for (pid_t pid = 500; pid < 500 + 10 * 8; pid += 10) {
        Actor attacker = local(pid);
        attacker.program = fmt::format("/tmp/program{}", pid);
        for (std::uint64_t i = 0; i < 5; ++i)
            office.destroy(attacker, static_cast<std::uint64_t>(pid) * 100 + i);
    }
    office.desk->drain();
    EXPECT_TRUE(office.enforcer.is_read_only());
    Actor bystander = local(9);
    bystander.program = "/usr/bin/libreoffice";
    const auto ask = [&](ChangeKind kind) {
        return office.desk->before(office.change(kind, bystander, "/share/x")).kind;
    };
    EXPECT_EQ(ask(ChangeKind::OpenForWrite), Stop::Kind::Deny);
    EXPECT_EQ(ask(ChangeKind::Read), Stop::Kind::Allow) << "reads go on";
    ASSERT_TRUE(office.enforcer.thaw("all"));
    EXPECT_EQ(ask(ChangeKind::OpenForWrite), Stop::Kind::Allow);
}

TEST(JudgeDesk, StopsSurviveARestartAndNameNobodyOnDisk) {
    Office office;
    for (std::uint64_t i = 0; i < 10; ++i)
        office.destroy(station(600, "accueil.martin", "192.0.2.7"), i);
    office.desk->drain();
    Enforcer next({office.control, real_clock(), real_random()}, &office.state, {});
    ASSERT_TRUE(next.restore());
    EXPECT_TRUE(next.is_stopped(station(1, "accueil.martin", "192.0.2.7")));
    office.desk.reset();  // saves the judge's memory too
    for (const char* name : {"stops", "judge.state"}) {
        const Bytes bytes = *real_disk().read_file(join(office.dir.path(), name), 1 << 20);
        EXPECT_EQ(as_text(bytes).find("martin"), std::string_view::npos) << name;
    }
}

TEST(JudgeDesk, WhoeverCannotBeNamedIsRefusedWhileItWaitsAndNotCutAfterwards) {
    Office office;
    for (std::uint64_t i = 0; i < 10; ++i) office.destroy(station(600, "accueil", "192.0.2.7"), i);
    office.desk->drain();
    ASSERT_TRUE(office.control.was_sent(600, SIGTERM));
    const Actor somebody = station(700, kUnknownUser, "192.0.2.7");
    Change told = office.change(ChangeKind::CloseWrite, somebody, "/share/lettre.txt");
    told.is_new = true;
    told.now = content(text(1));
    office.desk->after(std::move(told));
    office.desk->drain();
    EXPECT_FALSE(office.control.was_sent(700, SIGTERM)) << "another user of the workstation";
    const Change asked = office.change(ChangeKind::OpenForWrite, somebody, "/share/lettre.txt");
    EXPECT_EQ(office.desk->before(asked).kind, Stop::Kind::Freeze);
}

TEST(JudgeDesk, NobodyIsHeldOnceNobodyJudges) {
    Office office;
    office.desk->hold(900);
    EXPECT_TRUE(office.control.was_sent(900, SIGSTOP));
    office.desk->stop();
    EXPECT_TRUE(office.control.was_sent(900, SIGCONT));
    office.desk->hold(901);
    EXPECT_FALSE(office.control.was_sent(901, SIGSTOP)) << "nobody would let it go";
}

TEST(JudgeDesk, AProcessThatOthersWaitForIsNotFrozen) {
    Office office;
    office.control.holder = 500;
    for (std::uint64_t i = 0; i < 10; ++i) office.destroy(local(500), i);
    office.desk->drain();
    EXPECT_FALSE(office.control.was_sent(500, SIGSTOP));
    EXPECT_TRUE(office.enforcer.is_stopped(local(500))) << "its writes are refused all the same";
}

TEST(JudgeDesk, UnknownRemoteToolsDoNotRunUnlessEnrolled) {
    Office office;
    const auto run = [&](const std::string& path, std::string_view inside) {
        Change change = office.change(ChangeKind::Execute, local(800), path);
        change.now = content(to_bytes(as_bytes(inside)));
        return office.desk->before(change).kind;
    };
    EXPECT_EQ(run("/share/AnyDesk-6.3.x86_64",
                  "\x7F"
                  "ELF"),
              Stop::Kind::Deny);
    EXPECT_EQ(run("/share/facture",
                  "\x7F"
                  "ELF … https://rustdesk.com/ …"),
              Stop::Kind::Deny);
    EXPECT_EQ(run("/share/anydesknot",
                  "\x7F"
                  "ELF"),
              Stop::Kind::Allow);
    EXPECT_EQ(run("/usr/bin/rsync",
                  "\x7F"
                  "ELF rsync"),
              Stop::Kind::Allow);
    EXPECT_EQ(run("/opt/antivirus",
                  "\x7F"
                  "ELF" +
                      std::string(built_in_tools())),
              Stop::Kind::Allow)
        << "who looks for them all is none of them";
    EXPECT_EQ(office.steps().front(), "run-refused");
    ASSERT_TRUE(office.state.give({GuardOrder::Kind::Enrol, "/share/AnyDesk-6.3.x86_64"}));
    Stop::Kind kind = Stop::Kind::Deny;
    for (int i = 0; i < 100 && kind == Stop::Kind::Deny; ++i) {
        real_clock().sleep_for(std::chrono::milliseconds(50));
        kind = run("/share/AnyDesk-6.3.x86_64",
                   "\x7F"
                   "ELF");
    }
    EXPECT_EQ(kind, Stop::Kind::Allow);
}

TEST(JudgeDesk, WhoIsLeftInPeaceAndWhoIsLetGoIsToldWithWhoOrderedIt) {
    Office office;
    for (std::uint64_t i = 0; i < 10; ++i) office.destroy(local(500), i);
    office.desk->drain();
    const std::vector<std::string> steps{"enrol", "dismiss", "thaw"};
    for (const auto& [kind, target] :
         {std::pair(GuardOrder::Kind::Enrol, std::string("/usr/bin/restic")),
          std::pair(GuardOrder::Kind::Dismiss, std::string("/usr/bin/restic")),
          std::pair(GuardOrder::Kind::Thaw, local(500).key())}) {
        const std::size_t before = office.steps().size();
        ASSERT_TRUE(office.state.give({kind, target, "anne", {}}));
        for (int i = 0; i < 600 && office.steps().size() == before; ++i)
            real_clock().sleep_for(std::chrono::milliseconds(50));
    }
    const std::scoped_lock lock(office.events_mutex);
    ASSERT_GE(office.events.size(), steps.size());
    const auto told = std::span(office.events).last(steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
        EXPECT_EQ(told[i].detail.at("step"), steps[i]);
        EXPECT_EQ(told[i].actor.id, ActorId("anne"));
    }
    EXPECT_EQ(told[0].detail.at("writer"), "/usr/bin/restic");
    EXPECT_EQ(told[0].type, event::Type::Reported);
}

TEST(JudgeState, OrdersAreObeyedAsTheyWereGiven) {
    Office office;
    office.desk->stop();
    std::vector<GuardOrder> given;
    for (int i = 0; i < 20; ++i) {
        const auto kind = i % 2 == 0 ? GuardOrder::Kind::Enrol : GuardOrder::Kind::Dismiss;
        const WallTime at{Micros(999'990 + i)};
        ASSERT_TRUE(office.state.give({kind, fmt::format("/usr/bin/{}", i / 2), "anne", at}));
        given.push_back({kind, fmt::format("/usr/bin/{}", i / 2), "anne", {}});
    }
    EXPECT_EQ(*office.state.take_orders(), given);
}

TEST(JudgeDesk, WhoIsLetGoMayNotCarryEverythingAway) {
    Office office;
    const Actor thief = station(640, "accueil", "192.0.2.7");
    const auto read = [&](int first, int last) {
        for (int file = first; file < last; ++file)
            office.desk->after(office.change(ChangeKind::Read, thief,
                                             fmt::format("/share/{}/{}.pdf", file / 10, file)));
        office.desk->drain();
    };
    read(0, 320);
    ASSERT_TRUE(office.enforcer.is_stopped(thief));
    ASSERT_TRUE(office.state.give({GuardOrder::Kind::Thaw, thief.key(), "anne", {}}));
    for (int i = 0; i < 600 && office.enforcer.is_stopped(thief); ++i)
        real_clock().sleep_for(std::chrono::milliseconds(50));
    ASSERT_FALSE(office.enforcer.is_stopped(thief));
    read(320, 500);
    EXPECT_FALSE(office.enforcer.is_stopped(thief)) << "what it read before is forgotten";
    read(500, 700);
    EXPECT_TRUE(office.enforcer.is_stopped(thief));
}

TEST(JudgeDesk, AReportNamesTheWriterAndTheReasons) {
    Office office;
    for (std::uint64_t i = 0; i < 10; ++i) office.destroy(station(600, "accueil", "192.0.2.7"), i);
    office.desk->drain();
    const std::scoped_lock lock(office.events_mutex);
    const event::Event& last = office.events.back();
    EXPECT_EQ(last.type, event::Type::WriterStopped);
    EXPECT_EQ(last.actor.id, ActorId("accueil"));
    EXPECT_EQ(last.network.address, "192.0.2.7");
    ASSERT_TRUE(last.verdict);
    EXPECT_EQ(last.verdict->level, event::Level::Malicious);
    EXPECT_FALSE(last.verdict->reasons.empty());
}

}  // namespace
}  // namespace hygie::files
