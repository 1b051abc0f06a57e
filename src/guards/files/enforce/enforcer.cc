#include "guards/files/enforce/enforcer.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "event/uuid.h"
#include "guards/files/acts/attribution.h"

namespace hygie::files {
namespace {

/// From the outermost to the process itself, within the family.
std::vector<ProcessId> chain_of(const Actor& actor) {
    std::vector<ProcessId> chain{actor.process};
    if (actor.process == actor.family) return chain;
    for (const ProcessId& parent : actor.lineage) {
        chain.push_back(parent);
        if (parent == actor.family) break;
    }
    std::ranges::reverse(chain);
    return chain;
}

const char* step_for(const Actor& actor) {
    if (actor.smb) return "session-cut";
    return actor.nfs ? "writes-refused" : "freeze";
}

}  // namespace

std::vector<pid_t> waited_for(std::string_view proc_locks) {
    // "1: POSIX  ADVISORY  WRITE 708 00:1a:300 0 EOF", then those who wait: "1: -> POSIX …".
    std::vector<pid_t> holders;
    std::istringstream lines{std::string(proc_locks)};
    std::string line;
    std::string held_number;
    pid_t holder = 0;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string number, word;
        words >> number >> word;
        if (word == "->") {
            if (number == held_number && holder > 0) holders.push_back(holder);
            continue;
        }
        std::string advisory, kind;
        words >> advisory >> kind;
        pid_t pid = 0;
        words >> pid;
        held_number = number;
        holder = words ? pid : 0;
    }
    return holders;
}

std::optional<ProcessId> common_root(const std::vector<Actor>& actors) {
    if (actors.empty()) return std::nullopt;
    std::vector<ProcessId> shared = chain_of(actors.front());
    for (const Actor& actor : actors) {
        const std::vector<ProcessId> chain = chain_of(actor);
        const auto end = std::ranges::mismatch(shared, chain).in1;
        shared.erase(end, shared.end());
    }
    return shared.empty() ? std::nullopt : std::optional(shared.back());
}

Enforcer::Enforcer(Doors doors, JudgeState* state, EventSink sink, HeldBook* held)
    : doors_(doors), state_(state), held_(held), sink_(std::move(sink)) {}

Status Enforcer::restore() {
    const std::scoped_lock lock(mutex_);
    if (state_ != nullptr) stopped_ = TRY(state_->load_stops());
    any_ = !stopped_.empty();
    read_only_ = std::ranges::any_of(
        stopped_, [](const StoppedActor& stop) { return stop.rung == Rung::ReadOnly; });
    if (held_ == nullptr) return {};
    for (const StoppedActor& stop : stopped_)
        for (const ProcessId& process : stop.processes) held_->remove(process);
    held_->release_all();
    return {};
}

void Enforcer::stop(const Conclusion& conclusion, const Change& change) {
    // Those of one family freeze at the root they share; the others each for itself.
    std::map<std::string, std::vector<Actor>> by_key;
    for (const Actor& actor : conclusion.targets) by_key[family_of(actor)].push_back(actor);
    if (by_key.size() > 1) refuse_kin(conclusion);
    for (const auto& [family, actors] : by_key) {
        const std::string key = actors.back().key();
        bool known = false;
        {
            const std::scoped_lock lock(mutex_);
            known = std::ranges::any_of(stopped_,
                                        [&](const StoppedActor& stop) { return stop.key == key; });
        }
        stop_one(actors.back(), actors, conclusion);
        if (!known) report(change, conclusion, actors.back(), step_for(actors.back()));
    }
    if (conclusion.rung != Rung::ReadOnly || is_read_only()) return;
    {
        const std::scoped_lock lock(mutex_);
        read_only_ = true;
        stopped_.push_back({.key = "share",
                            .rung = Rung::ReadOnly,
                            .since = doors_.clock.now(),
                            .processes = {},
                            .cgroup = {},
                            .program = {},
                            .uid = 0,
                            .reasons = conclusion.verdict.reasons});
    }
    (void)remember();
    report(change, conclusion, change.actor, "read-only");
}

void Enforcer::stop_one(const Actor& actor, const std::vector<Actor>& together,
                        const Conclusion& conclusion) {
    StoppedActor stop{.key = actor.key(),
                      .rung = Rung::Freeze,
                      .since = doors_.clock.now(),
                      .processes = {},
                      .cgroup = {},
                      .program = actor.program,
                      .uid = actor.uid,
                      .reasons = conclusion.verdict.reasons};
    {
        // Its next acts are refused from here on, whatever becomes of its processes.
        const std::scoped_lock lock(mutex_);
        const auto known =
            std::ranges::find(stopped_, stop.key, [](const StoppedActor& one) { return one.key; });
        if (known == stopped_.end()) stopped_.push_back(stop);
        any_ = true;
    }
    if (actor.smb) {
        for (const Actor& session : together) doors_.control.send(session.process, SIGTERM);
    } else if (actor.nfs) {
        // The server works for the others too: it gets refusals alone.
    } else if (const std::optional<ProcessId> root = common_root(together)) {
        // The one that acts first: walking its tree takes time.
        const pid_t pid = actor.process.pid;
        if (!doors_.control.is_ours(pid) && !doors_.control.is_waited_for(pid))
            freeze(stop.key, actor.process);
        const std::vector<ProcessId> family = doors_.control.tree_of(*root);
        if (doors_.control.freeze_group(actor.cgroup, family)) stop.cgroup = actor.cgroup;
        for (const ProcessId& process : family)
            if (stop.cgroup.empty() && process != actor.process &&
                !doors_.control.is_waited_for(process.pid))
                freeze(stop.key, process);
    }
    if (!stop.cgroup.empty()) note_frozen(stop);
    (void)remember();
}

/// Written down first: whoever was held for a moment, and is let go meanwhile, is left standing.
void Enforcer::freeze(const std::string& key, const ProcessId& process) {
    {
        const std::scoped_lock lock(mutex_);
        for (StoppedActor& one : stopped_)
            if (one.key == key && std::ranges::count(one.processes, process) == 0)
                one.processes.push_back(process);
    }
    if (!is_frozen(process)) return;  // an order has let it go
    const bool is_sent = doors_.control.send(process, SIGSTOP);
    if (is_sent && held_ != nullptr) held_->remove(process);
    if (is_sent && !is_frozen(process)) doors_.control.send(process, SIGCONT);
    if (is_sent) return;
    const std::scoped_lock lock(mutex_);
    for (StoppedActor& one : stopped_)
        if (one.key == key) std::erase(one.processes, process);
}

bool Enforcer::is_frozen(const ProcessId& process) const {
    const std::scoped_lock lock(mutex_);
    return std::ranges::any_of(stopped_, [&](const StoppedActor& stop) {
        return std::ranges::count(stop.processes, process) != 0;
    });
}

/// An order may have let it go before it was known that its cgroup stands.
void Enforcer::note_frozen(const StoppedActor& stop) {
    bool is_known = false;
    {
        const std::scoped_lock lock(mutex_);
        for (StoppedActor& one : stopped_)
            if (one.key == stop.key) {
                one.cgroup = stop.cgroup;
                is_known = true;
            }
    }
    if (!is_known) doors_.control.thaw_group(stop.cgroup);
}

/// Writing meets the door, where those who stand ask who is stopped.
Status Enforcer::remember() {
    const std::scoped_lock lock(saving_);
    return state_ != nullptr ? state_->save_stops(stopped()) : Status();
}

/// Processes that outlive nobody cannot be frozen in time: the next of their kind is refused.
void Enforcer::refuse_kin(const Conclusion& conclusion) {
    const std::scoped_lock lock(mutex_);
    for (const Actor& actor : conclusion.targets) {
        if (actor.smb || actor.nfs || actor.program.empty() || actor.process.started == 0) continue;
        const auto same = [&](const Kin& kin) {
            return kin.key == actor.key() && kin.program == actor.program;
        };
        if (std::ranges::any_of(kin_, same) || kin_.size() >= kKinMax) continue;
        kin_.push_back(
            {actor.key(), actor.uid, actor.cgroup, actor.program, actor.process.started});
        any_ = true;
    }
}

/// Under the lock.
bool Enforcer::is_kin(const Actor& actor) const {
    return !actor.smb && !actor.nfs && std::ranges::any_of(kin_, [&](const Kin& kin) {
        return kin.uid == actor.uid && kin.program == actor.program && kin.cgroup == actor.cgroup &&
               actor.process.started >= kin.after;
    });
}

void Enforcer::refuse(const std::string& key, const event::Reason& reason) {
    Conclusion conclusion{.rung = Rung::Deny, .verdict = {}, .key = key, .targets = {}};
    conclusion.verdict = {.level = event::Level::Malicious,
                          .score_permille = event::kScorePermilleMax,
                          .reasons = {reason}};
    {
        const std::scoped_lock lock(mutex_);
        const auto same = [&](const StoppedActor& stop) { return stop.key == key; };
        if (std::ranges::any_of(stopped_, same)) return;
        stopped_.push_back({.key = key,
                            .rung = Rung::Freeze,
                            .since = doors_.clock.now(),
                            .processes = {},
                            .cgroup = {},
                            .program = {},
                            .uid = 0,
                            .reasons = {reason}});
        any_ = true;
    }
    (void)remember();
    report({}, conclusion, {}, "order");
}

bool Enforcer::hold(const ProcessId& process) {
    if (doors_.control.is_ours(process.pid) || (held_ != nullptr && !held_->add(process)))
        return false;
    const bool is_held = doors_.control.send(process, SIGSTOP);
    if (!is_held && held_ != nullptr) held_->remove(process);
    return is_held;
}

std::optional<ProcessId> Enforcer::hold_now(pid_t pid) {
    if (doors_.control.is_ours(pid) || (held_ != nullptr && !held_->add({pid, 0})))
        return std::nullopt;
    const auto process = doors_.control.stop_now(pid);
    if (held_ == nullptr) return process;
    if (process)
        (void)held_->add(*process);
    else
        held_->remove({pid, 0});
    return process;
}

void Enforcer::release(const ProcessId& process) {
    if (is_frozen(process)) return;
    doors_.control.send(process, SIGCONT);
    // Frozen meanwhile: what it was sent for that may have come before.
    if (is_frozen(process)) doors_.control.send(process, SIGSTOP);
    if (held_ != nullptr) held_->remove(process);
}

void Enforcer::cut_again(const Actor& actor) {
    if (actor.smb) doors_.control.send(actor.process, SIGTERM);
}

bool Enforcer::is_stopped(const Actor& actor) const {
    const std::scoped_lock lock(mutex_);
    if (is_kin(actor)) return true;
    if (stopped_.empty()) return false;
    const std::string key = actor.key();
    // A session whose user is not known yet is taken for the stopped one at the same workstation.
    const bool unknown = actor.smb && actor.smb->user == kUnknownUser;
    const std::string end = unknown ? "@" + actor.smb->address : std::string();
    // What a server does under its own name may be done for anybody: with it all its users stop.
    const std::string server = actor.nfs ? std::string("nfs:") + kUnknownUser : std::string();
    return std::ranges::any_of(stopped_, [&](const StoppedActor& stop) {
        return stop.key == key || stop.key == server || (unknown && stop.key.ends_with(end));
    });
}

bool Enforcer::is_read_only() const {
    const std::scoped_lock lock(mutex_);
    return read_only_;
}

std::vector<StoppedActor> Enforcer::stopped() const {
    const std::scoped_lock lock(mutex_);
    return stopped_;
}

Status Enforcer::thaw(const std::string& key, const std::string& by) {
    std::vector<StoppedActor> freed;
    {
        const std::scoped_lock lock(mutex_);
        std::erase_if(stopped_, [&](const StoppedActor& stop) {
            if (key != "all" && stop.key != key) return false;
            freed.push_back(stop);
            return true;
        });
        read_only_ = std::ranges::any_of(
            stopped_, [](const StoppedActor& stop) { return stop.rung == Rung::ReadOnly; });
        any_ = !stopped_.empty();
        std::erase_if(kin_, [&](const Kin& kin) { return key == "all" || kin.key == key; });
    }
    TRY_STATUS(remember());
    if (freed.empty())
        return fail(Code::NotFound, {"cet acteur n'est pas arrêté", "this actor is not stopped"},
                    {"« hygie files status » les nomme", "'hygie files status' names them"});
    for (const StoppedActor& stop : freed) {
        if (!stop.cgroup.empty()) doors_.control.thaw_group(stop.cgroup);
        for (const ProcessId& process : stop.processes) doors_.control.send(process, SIGCONT);
        Change change;
        change.time = doors_.clock.now();
        Conclusion conclusion;
        conclusion.key = stop.key;
        report(change, conclusion, {}, "thaw", by);
    }
    return {};
}

void Enforcer::report(const Change& change, const Conclusion& conclusion, const Actor& actor,
                      const std::string& step, const std::string& by) {
    if (!sink_) return;
    event::Event event;
    event.id = event::print_uuid(event::make_uuid(doors_.clock.now(), doors_.random));
    event.type = event::Type::WriterStopped;
    event.action = event::usual_action(event.type);
    event.time = doors_.clock.now();
    event.actor.id = ActorId(by.empty() ? actor.user() : by);
    event.network.address = actor.smb ? actor.smb->address : "";
    event.subject.object = ObjectId(change.path);
    if (!conclusion.verdict.reasons.empty()) event.verdict = conclusion.verdict;
    event.detail = {{"step", step},
                    {"writer", conclusion.targets.empty() ? conclusion.key : actor.key()},
                    {"judged", conclusion.key}};
    if (!actor.program.empty()) event.detail["program"] = actor.program;
    sink_(event);
}

}  // namespace hygie::files
