#include "guards/files/judge_desk.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <future>
#include <random>
#include <thread>

#include "guards/files/attribution.h"
#include "sim/temp_dir.h"

namespace hygie::files {
namespace {

ContentPtr content(Bytes bytes) {
    return std::make_shared<MemoryContent>(std::move(bytes));
}

Bytes text(std::uint64_t seed) {
    std::string out;
    for (std::uint64_t i = 0; i < 200; ++i)
        out += fmt::format("ligne {} du dossier, tension {}\n", i, (i * seed) % 17);
    return Bytes(out.begin(), out.end());
}

Bytes noise(std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    Bytes bytes(7000);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(chance());
    return bytes;
}

/// Processes that are only written down.
class FakeControl final : public ProcessControl {
  public:
    std::vector<ProcessId> tree_of(const ProcessId& root) override {
        return {root, {root.pid + 1, root.started}};
    }
    bool is_ours(pid_t) override { return false; }
    bool is_waited_for(pid_t pid) override { return pid == holder; }
    bool send(const ProcessId& process, int signal) override {
        const std::scoped_lock lock(mutex);
        sent.emplace_back(process.pid, signal);
        return true;
    }
    std::optional<ProcessId> stop_now(pid_t pid) override {
        send({pid, 5}, SIGSTOP);
        return ProcessId{pid, 5};
    }
    bool freeze_group(const std::string& cgroup, const std::vector<ProcessId>&) override {
        if (cgroup != own_group) return false;
        frozen_group = cgroup;
        return true;
    }
    void thaw_group(const std::string& cgroup) override {
        if (cgroup == frozen_group) frozen_group.clear();
    }
    bool was_sent(pid_t pid, int signal) {
        const std::scoped_lock lock(mutex);
        return std::ranges::count(sent, std::pair(pid, signal)) != 0;
    }

    pid_t holder = 0;
    std::string own_group = "/system.slice/own.service";
    std::string frozen_group;
    std::mutex mutex;
    std::vector<std::pair<pid_t, int>> sent;
};

/// Takes its time over each file, when told to.
class SlowExaminer final : public Examiner {
  public:
    Result<Finding> examine(const Content* before, const Content& after) override {
        std::this_thread::sleep_for(pause);
        return direct_.examine(before, after);
    }
    Micros pause{};

  private:
    DirectExaminer direct_;
};

Actor local(pid_t pid) {
    Actor actor;
    actor.process = actor.family = {pid, 5};
    actor.uid = 1000;
    actor.program = "/usr/bin/python3";
    return actor;
}

Actor station(pid_t pid, const char* user, const char* address) {
    Actor actor = local(pid);
    actor.smb = SmbClient{user, address};
    return actor;
}

/// A desk with all its parts on a state folder.
struct Office {
    sim::TempDir dir;
    SlowExaminer examiner;
    Judge judge{Policy{}, examiner};
    TheftWatch theft;
    ToolWatch tools{parse_tools(built_in_tools())};
    FakeControl control;
    JudgeState state{real_disk(), real_random(), dir.path(), crypto::Secret32()};
    std::mutex events_mutex;
    std::vector<event::Event> events;
    EventSink sink = [this](const event::Event& event) {
        const std::scoped_lock lock(events_mutex);
        events.push_back(event);
    };
    Enforcer enforcer{{control, real_clock(), real_random()}, &state, sink};
    std::unique_ptr<JudgeDesk> desk = std::make_unique<JudgeDesk>(
        JudgeDesk::Parts{judge, theft, tools, enforcer, real_clock(), real_random(), &state, sink,
                         ToolPolicy::Refuse});
    Office() { desk->start(); }

    Change change(ChangeKind kind, const Actor& actor, const std::string& path) {
        Change change;
        change.kind = kind;
        change.time = real_clock().now();
        change.steady = real_clock().steady();
        change.actor = actor;
        Bytes handle(8);
        store_be(handle.data(), static_cast<std::uint64_t>(std::hash<std::string>()(path)));
        change.file = {1, 1, handle};
        change.path = path;
        return change;
    }
    /// One file destroyed as a program would: asked, then told. False when it was refused.
    bool destroy(const Actor& actor, std::uint64_t number) {
        const std::string path = fmt::format("/share/{}/doc{}.txt", number % 7, number);
        const Stop stop = desk->before(change(ChangeKind::OpenForWrite, actor, path));
        if (stop.kind == Stop::Kind::Deny || stop.kind == Stop::Kind::Freeze) return false;
        Change closed = change(ChangeKind::CloseWrite, actor, path);
        closed.before = content(text(number));
        closed.now = content(noise(number));
        desk->after(std::move(closed));
        return true;
    }
    std::vector<std::string> steps() {
        const std::scoped_lock lock(events_mutex);
        std::vector<std::string> steps;
        for (const event::Event& event : events) steps.push_back(event.detail.at("step"));
        return steps;
    }
};

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
    for (std::uint64_t i = 1; i < 5; ++i) thief.remove(i);
    office.desk->drain();
    EXPECT_FALSE(office.enforcer.is_stopped(thief.actor)) << "a person may seal five files";
    for (std::uint64_t i = 5; i < 9; ++i) thief.remove(i);
    office.desk->drain();
    EXPECT_TRUE(office.enforcer.is_stopped(thief.actor));
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
