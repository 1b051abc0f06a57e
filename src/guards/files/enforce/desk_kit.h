#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <mutex>
#include <random>
#include <thread>

#include "guards/files/enforce/judge_desk.h"
#include "guards/files/judge/judge_kit.h"
#include "sim/temp_dir.h"

/// For tests of the judge's desk: a desk on a state folder, and processes that are only written
/// down.
namespace hygie::files {

inline Bytes text(std::uint64_t seed) {
    std::string out;
    for (std::uint64_t i = 0; i < 200; ++i)
        out += fmt::format("ligne {} du dossier, tension {}\n", i, (i * seed) % 17);
    return Bytes(out.begin(), out.end());
}

inline Bytes noise(std::uint64_t seed) {
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

inline Actor local(pid_t pid) {
    Actor actor;
    actor.process = actor.family = {pid, 5};
    actor.uid = 1000;
    actor.program = "/usr/bin/python3";
    return actor;
}

inline Actor station(pid_t pid, const char* user, const char* address) {
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

}  // namespace hygie::files
