#include "guards/files/enforce/judge_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "event/uuid.h"
#include "guards/files/acts/attribution.h"
#include "guards/files/acts/priority.h"
#include "host/log.h"

namespace hygie::files {
namespace {

/// What the judge has nothing to learn from is not queued.
bool is_judged(ChangeKind kind) {
    switch (kind) {
        case ChangeKind::CloseWrite:
        case ChangeKind::Unlink:
        case ChangeKind::Rename:
        case ChangeKind::RenameOver:
        case ChangeKind::Exchange:
        case ChangeKind::Create:
        case ChangeKind::Read:
            return true;
        default:
            return false;
    }
}

/// What an actor must have judged before it may go on: acts that may have destroyed something.
bool is_awaited(const Change& change) {
    switch (change.kind) {
        case ChangeKind::CloseWrite:
            return change.before != nullptr && !change.is_new;
        case ChangeKind::Unlink:
        case ChangeKind::RenameOver:
        case ChangeKind::Exchange:
            return true;
        default:
            return false;
    }
}

}  // namespace

JudgeDesk::JudgeDesk(Parts parts)
    : parts_(std::move(parts)), sealers_(parts_.enforcer), saved_(parts_.clock.steady()) {}

void JudgeDesk::start() {
    if (parts_.state != nullptr) learn_canaries();
    {
        const std::scoped_lock lock(mutex_);
        is_open_ = true;
    }
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void JudgeDesk::stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    filled_.notify_all();
    thread_.join();
    {
        std::unique_lock lock(mutex_);
        is_open_ = false;
        judged_.wait(lock, [&] { return !judging_; });
        sealers_.close();
    }
    save(Saving::Now);
}

JudgeDesk::~JudgeDesk() {
    stop();
}

Stop JudgeDesk::before(const Change& change) {
    if (change.kind == ChangeKind::Execute) return judge_execution(change);
    if (Stop stop = refuse(change); stop.kind != Stop::Kind::Allow) return stop;
    const std::string key = change.actor.key();
    Rung rung = Rung::Preserve;
    bool judged = true;
    {
        std::unique_lock lock(mutex_);
        const auto begun = std::chrono::steady_clock::now();
        const auto rung_now = [&] {
            const auto known = standings_.find(key);
            return known == standings_.end() ? Rung::Preserve : known->second.rung;
        };
        const auto until = [&] {
            return begun + (rung_now() >= Rung::Delay ? kSuspectWaitMax : kWaitMax);
        };
        // Whoever waits judges rather than wait for a thread that would.
        while (!(judged = may_go_on(change)) && std::chrono::steady_clock::now() < until())
            if (!judge_next(lock)) judged_.wait_until(lock, until());
        rung = rung_now();
    }
    if (Stop stop = refuse(change); stop.kind != Stop::Kind::Allow) return stop;
    // Somebody suspected does not get ahead of a judge that is slow.
    if (rung >= Rung::Delay && !judged)
        return {.kind = Stop::Kind::Deny, .error = EBUSY, .reasons = {}};
    // Reading destroys nothing: a program that opens its files by the hundred would stand still.
    if (rung >= Rung::Delay && change.kind != ChangeKind::Read)
        return {.kind = Stop::Kind::Delay, .delay = kDelay, .reasons = {}};
    return {};
}

/// Under the lock. Who is new answers for what others of its user or workstation have just done:
/// it may be the same work, by another process.
bool JudgeDesk::may_go_on(const Change& change) const {
    const auto known = standings_.find(change.actor.key());
    const Standing mine = known == standings_.end() ? Standing{} : known->second;
    if (mine.unjudged > mine.allowance(change.steady)) return false;
    if (mine.innocent > 0) return true;
    const auto group = unjudged_.find(groups_of(change.actor).front());
    return group == unjudged_.end() || group->second <= kUnjudgedTogetherMax;
}

Stop JudgeDesk::refuse(const Change& change) {
    // An NFS server reads under its own name, for whoever it is.
    if (change.actor.nfs && change.kind == ChangeKind::Read) return {};
    const auto enrolled = [&] {
        const std::scoped_lock lock(judge_mutex_);
        return parts_.judge.policy().is_enrolled(change.actor);
    };
    if (parts_.enforcer.is_stopped(change.actor)) {
        parts_.enforcer.cut_again(change.actor);
        // Refused at once it would try the next file before it stands still.
        return {.kind = Stop::Kind::Freeze, .delay = kRefusal, .error = EPERM, .reasons = {}};
    }
    if (parts_.enforcer.is_read_only() && change.kind != ChangeKind::Read && !enrolled())
        return {.kind = Stop::Kind::Deny, .error = EPERM, .reasons = {}};
    return {};
}

Stop JudgeDesk::judge_execution(const Change& change) {
    const auto tool = tool_of(change);
    if (!tool || is_wanted(change)) return {};
    report_tool(change, *tool);
    if (parts_.tool_policy != ToolPolicy::Refuse) return {};
    return {.kind = Stop::Kind::Deny, .error = EPERM, .reasons = {}};
}

std::optional<std::string> JudgeDesk::tool_of(const Change& execute) {
    if (parts_.tool_policy == ToolPolicy::Allow) return std::nullopt;
    const RemoteTool* tool = parts_.tools.recognise(execute);
    return tool != nullptr ? std::optional(tool->name) : std::nullopt;
}

bool JudgeDesk::is_wanted(const Change& execute) {
    const std::scoped_lock lock(judge_mutex_);
    return std::ranges::count(parts_.judge.policy().enrolled, execute.path) != 0;
}

void JudgeDesk::report_tool(const Change& execute, const std::string& tool) {
    {
        const std::scoped_lock lock(told_mutex_);
        const SteadyTime now = parts_.clock.steady();
        if (told_.size() >= kToldMax) told_.clear();
        const auto [known, is_first] = told_.try_emplace(execute.path, now);
        if (!is_first && now - known->second < kToldAgain) return;
        known->second = now;
    }
    event::Verdict verdict{.level = event::Level::Suspicious, .score_permille = 700, .reasons = {}};
    verdict.reasons.push_back(
        {"files.remote-tool",
         {"un outil de prise en main à distance ou d'intrusion, inconnu sur cette machine : " +
              tool,
          "a tool of remote control or intrusion, unknown on this machine: " + tool},
         execute.path});
    const bool is_refused = parts_.tool_policy == ToolPolicy::Refuse;
    report(event::Type::WriterStopped, execute, verdict,
           is_refused ? "run-refused" : "run-reported");
}

void JudgeDesk::after(Change change) {
    if (!is_judged(change.kind)) return;
    sealers_.note(change);
    const std::scoped_lock lock(mutex_);
    if (queue_.size() >= kQueueMax) {
        ++dropped_;  // preserved all the same
        return;
    }
    if (is_awaited(change)) {
        ++standings_[change.actor.key()].unjudged;
        ++unjudged_[groups_of(change.actor).front()];
    }
    urgent_ = urgent_ || is_urgent(change);
    queue_.push_back(std::move(change));
    if (urgent_ || queue_.size() >= kHandful) filled_.notify_one();
}

/// A change by somebody who destroyed something, or may have. The rest is judged when convenient,
/// and in any case before what comes after it. Under the lock.
bool JudgeDesk::is_urgent(const Change& change) const {
    if (is_awaited(change)) return true;
    const bool may_belong =
        change.kind == ChangeKind::CloseWrite || change.kind == ChangeKind::Rename;
    return may_belong && standings_.contains(change.actor.key());
}

int JudgeDesk::Standing::allowance(SteadyTime now) const {
    if (rung >= Rung::Delay) return 0;
    if (marked != SteadyTime{} && now - marked < Suspect::kShort) return 0;
    return std::min(kUnjudgedMax + innocent / kEarned, kTrustMax);
}

int JudgeDesk::patience(const Actor& actor) {
    const std::scoped_lock lock(mutex_);
    const auto known = standings_.find(actor.key());
    if (known == standings_.end()) return kUnjudgedMax;
    const int allowance = known->second.allowance(parts_.clock.steady());
    return known->second.unjudged > allowance ? 0 : allowance;
}

void JudgeDesk::run(const std::stop_token& stop) {
    set_urgency("judge", Urgency::Known);
    SteadyTime looked{};
    while (!stop.stop_requested()) {
        {
            std::unique_lock lock(mutex_);
            if (queue_.empty()) {
                begun_ = false;
                urgent_ = false;
            }
            // Once begun, a handful is judged to its end.
            if (!begun_)
                filled_.wait_for(lock, stop, kLook,
                                 [&] { return urgent_ || queue_.size() >= kHandful; });
            if (stop.stop_requested()) return;
            begun_ = !queue_.empty();
            if (begun_ && !judge_next(lock)) judged_.wait_for(lock, kLook);
        }
        const SteadyTime now = parts_.clock.steady();
        if (now - looked < kOrdersEvery) continue;
        looked = now;
        sealers_.let_go_since(now - Sealers::kHoldMax);
        obey_orders();
        save(Saving::WhenDue);
    }
}

/// One at a time and in order, by whoever comes first. False when somebody is at it, or nothing
/// waits. Takes and gives back the lock.
bool JudgeDesk::judge_next(std::unique_lock<UrgentMutex>& lock) {
    if (judging_ || queue_.empty() || !is_open_) return false;
    judging_ = true;
    const Change change = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    judge_one(change);
    lock.lock();
    judging_ = false;
    judged_.notify_all();
    return true;
}

void JudgeDesk::judge_one(const Change& change) {
    // Who cannot be named any more may be anybody of that workstation.
    const bool is_named = !change.actor.smb || change.actor.smb->user != kUnknownUser;
    if (is_named && parts_.enforcer.is_stopped(change.actor))
        parts_.enforcer.cut_again(change.actor);
    Conclusion conclusion;
    Conclusion theft;
    {
        const std::scoped_lock lock(judge_mutex_);
        if (!change.is_outside && !parts_.judge.policy().is_enrolled(change.actor))
            theft = parts_.theft.take(change);
        if (change.kind == ChangeKind::Read)
            parts_.judge.hear_of(change);
        else
            conclusion = parts_.judge.take(change);
    }
    for (const Conclusion& one : {conclusion, theft}) {
        if (!one.is_news) continue;
        if (one.rung >= Rung::Freeze) {
            parts_.enforcer.stop(one, change);
            if (heed_) heed_();
        } else {
            report(
                change.kind == ChangeKind::Read ? event::Type::FileRead : event::Type::FileChanged,
                change, one.verdict, "alert");
        }
    }
    settle(change, conclusion);
}

void JudgeDesk::know(pid_t pid) {
    sealers_.know(pid);
    const std::scoped_lock lock(mutex_);
    let_judged_go();
}

/// Under the lock: who stood still until all that it deleted was judged.
void JudgeDesk::let_judged_go() {
    for (const std::string& key : sealers_.held()) {
        const auto known = standings_.find(key);
        const bool is_judged = known == standings_.end() || known->second.unjudged <= 0;
        if (is_judged && (known == standings_.end() || known->second.rung < Rung::Freeze))
            sealers_.let_go(key);
    }
}

/// What the judgement means for how the actor is treated from now on.
void JudgeDesk::settle(const Change& change, const Conclusion& conclusion) {
    const std::scoped_lock lock(mutex_);
    const auto group = unjudged_.find(groups_of(change.actor).front());
    if (is_awaited(change) && group != unjudged_.end() && --group->second <= 0)
        unjudged_.erase(group);
    if (!conclusion.blamed.empty()) {
        Standing& blamed = standings_[conclusion.blamed];
        blamed = {blamed.unjudged, 0, conclusion.rung, change.steady};
    }
    const auto known = standings_.find(change.actor.key());
    const bool is_marked = conclusion.is_marked && conclusion.blamed.empty();
    if (known == standings_.end() && !is_marked) return;
    Standing& standing = known != standings_.end() ? known->second : standings_[change.actor.key()];
    if (is_awaited(change)) --standing.unjudged;
    // Deleting alone proves nothing, making something new neither.
    const bool is_change =
        is_awaited(change) && change.kind != ChangeKind::Unlink && !change.is_open;
    const bool is_proof = is_change || conclusion.is_explained;
    standing.innocent = std::min(standing.innocent + is_proof, kEarned * kTrustMax);
    if (change.kind != ChangeKind::Read && conclusion.blamed.empty())
        standing.rung = conclusion.rung;
    if (is_marked) {
        standing.innocent = 0;
        standing.marked = change.steady;
    }
    let_judged_go();
    if (standings_.size() > kStandingsMax)
        std::erase_if(standings_, [](const auto& entry) {
            return entry.second.unjudged <= 0 && entry.second.rung == Rung::Preserve;
        });
    judged_.notify_all();
}

void JudgeDesk::drain() {
    std::unique_lock lock(mutex_);
    urgent_ = true;
    filled_.notify_one();
    judged_.wait(lock, [&] { return queue_.empty() && !judging_; });
}

void JudgeDesk::obey_orders() {
    if (parts_.state == nullptr) return;
    if (const auto left = parts_.state->take_events(parts_.clock); left && parts_.sink)
        for (const event::Event& event : *left) parts_.sink(event);
    const auto orders = parts_.state->take_orders();
    if (!orders) return log::warning("files.orders-unreadable", orders.error());
    for (const GuardOrder& order : *orders) obey(order);
}

void JudgeDesk::obey(const GuardOrder& order) {
    if (order.kind == GuardOrder::Kind::Canaries) return learn_canaries();
    if (order.kind == GuardOrder::Kind::Thaw) {
        {
            const std::scoped_lock lock(judge_mutex_, mutex_);
            for (const StoppedActor& stop : parts_.enforcer.stopped())
                if (order.target == "all" || order.target == stop.key) {
                    parts_.judge.forgive(stop.key);
                    parts_.theft.forgive(stop.key);
                    standings_.erase(stop.key);
                }
        }
        (void)parts_.enforcer.thaw(order.target, order.by);
        return;
    }
    {
        const std::scoped_lock lock(judge_mutex_);
        Policy policy = parts_.judge.policy();
        std::erase(policy.enrolled, order.target);
        if (order.kind == GuardOrder::Kind::Enrol) policy.enrolled.push_back(order.target);
        if (const Status saved = parts_.state->save_enrolled(policy.enrolled); !saved)
            log::warning("files.enrolment-not-saved", saved.error());
        parts_.judge.set_policy(std::move(policy));
    }
    report_enrolment(order);
}

/// Whom the guard leaves in peace is what an intruder would change first.
void JudgeDesk::report_enrolment(const GuardOrder& order) {
    if (!parts_.sink) return;
    event::Event event;
    event.id = event::print_uuid(event::make_uuid(parts_.clock.now(), parts_.random));
    event.type = event::Type::Reported;
    event.action = event::Action::Update;
    event.time = parts_.clock.now();
    event.actor.id = ActorId(order.by);
    event.detail = {{"step", order.kind == GuardOrder::Kind::Enrol ? "enrol" : "dismiss"},
                    {"writer", order.target}};
    parts_.sink(event);
}

void JudgeDesk::learn_canaries() {
    const auto planted = parts_.state->load_canaries();
    if (!planted) return log::warning("files.canaries-unreadable", planted.error());
    const std::scoped_lock lock(judge_mutex_);
    Policy policy = parts_.judge.policy();
    policy.canaries = {parts_.canaries.begin(), parts_.canaries.end()};
    for (const Canary& canary : *planted) policy.canaries.insert(canary.path);
    parts_.judge.set_policy(std::move(policy));
}

void JudgeDesk::save(Saving saving) {
    const SteadyTime time = parts_.clock.steady();
    if (parts_.state == nullptr || (saving == Saving::WhenDue && time - saved_ < kSaveEvery))
        return;
    saved_ = time;
    const std::scoped_lock lock(judge_mutex_);
    if (const Status saved = parts_.state->save_judge(parts_.judge, parts_.clock.now()); !saved)
        log::warning("files.judge-not-saved", saved.error());
    if (const Status saved = parts_.state->save_habits(parts_.theft, parts_.clock.now()); !saved)
        log::warning("files.judge-not-saved", saved.error());
}

void JudgeDesk::report(event::Type type, const Change& change, const event::Verdict& verdict,
                       const char* step) {
    if (!parts_.sink) return;
    event::Event event;
    event.id = event::print_uuid(event::make_uuid(parts_.clock.now(), parts_.random));
    event.type = type;
    event.action = event::usual_action(type);
    event.time = change.time;
    const Actor& actor = change.actor;
    event.actor.id = ActorId(actor.user());
    event.network.address = actor.smb ? actor.smb->address : "";
    event.subject.object = ObjectId(change.path);
    event.verdict = verdict;
    event.detail = {{"step", step}, {"writer", actor.key()}};
    if (!actor.program.empty()) event.detail["program"] = actor.program;
    parts_.sink(event);
}

}  // namespace hygie::files
