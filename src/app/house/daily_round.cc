#include "app/house/daily_round.h"

#include <algorithm>
#include <future>

#include "access/circles/lifecycle.h"
#include "event/uuid.h"
#include "host/log.h"

namespace hygie::app {
namespace {

/// How often it looks whether a round is due.
constexpr std::chrono::minutes kLook{1};
/// After a start: people first.
constexpr std::chrono::seconds kFirst{30};
/// Events of so long are held in memory at a time.
constexpr Micros kStride = std::chrono::hours(1);
constexpr std::string_view kWhy = "round.access";

const ActorId& self() {
    static const ActorId login("hygie");
    return login;
}

}  // namespace

DailyRound::DailyRound(Parts parts)
    : parts_(std::move(parts)), thread_([this](const std::stop_token& stop) { work(stop); }) {}

DailyRound::~DailyRound() {
    thread_.request_stop();
    thread_.join();
}

void DailyRound::work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kFirst, [] { return false; });
    Result<WallTime> last = last_round();
    while (!stop.stop_requested()) {
        const WallTime now = parts_.context.clock.now();
        if (last && *last + kRoundEvery <= now) {
            if (const Status done = go(stop); !done) log::warning("app.daily-round", done.error());
            // One that failed is tried again tomorrow, from where the last whole one ended.
            last = now;
        }
        if (!last) last = last_round();
        wake_.wait_for(lock, stop, kLook, [] { return false; });
    }
}

/// The end of the last whole round; long ago when there was none.
Result<WallTime> DailyRound::last_round() {
    const WallTime start = parts_.context.clock.now() - kRoundReach;
    for (const auto& entry : TRY(parts_.audit.search({.agent = self(), .from = start}))) {
        const auto why = entry.event.detail.find("why");
        if (why != entry.event.detail.end() && why->second == kWhy) return entry.event.time;
    }
    return start;
}

Status DailyRound::go(const std::stop_token& stop) {
    TRY(access::tend_dormant(parts_.accounts, parts_.context.clock, self()));
    const WallTime from = TRY(last_round());
    const WallTime until = parts_.context.clock.now();
    TRY_STATUS(look_back(from, until, stop));
    if (stop.stop_requested()) return {};
    event::Event event;
    event.type = event::Type::LedgerRead;
    event.action = event::Action::Read;
    event.detail["why"] = std::string(kWhy);
    event.detail["from"] = to_rfc3339(from);
    return keep({made(std::move(event))});
}

Status DailyRound::look_back(WallTime from, WallTime until, const std::stop_token& stop) {
    const PastWorld past = TRY(past_world(parts_.vault, parts_.policy));
    // A day that was begun before may be known already.
    std::vector<event::Event> known;
    for (auto& entry : TRY(parts_.audit.search({.agent = self(), .from = from - kRoundReach})))
        if (access::is_finding(entry.event)) known.push_back(std::move(entry.event));
    for (WallTime at = from; at < until && !stop.stop_requested(); at += kStride) {
        std::vector<event::Event> events = known;
        for (auto& entry : TRY(parts_.audit.search(
                 {.from = at, .until = std::min<WallTime>(at + kStride, until)})))
            events.push_back(std::move(entry.event));
        std::vector<event::Event> findings;
        for (const auto& one : to_look_at(*past.world, events, parts_.accounts))
            findings.push_back(made(access::finding_of(one)));
        known.insert(known.end(), findings.begin(), findings.end());
        TRY_STATUS(keep(std::move(findings)));
    }
    return {};
}

event::Event DailyRound::made(event::Event event) const {
    event.source = parts_.origin.source;
    event.node = parts_.origin.node;
    event.network = parts_.origin.network;
    event.time = parts_.context.clock.now();
    event.id = event::print_uuid(event::make_uuid(event.time, parts_.context.random));
    event.actor.id = self();
    event.actor.role = "service";
    return event;
}

/// Durable on return.
Status DailyRound::keep(std::vector<event::Event> events) {
    if (events.empty()) return {};
    std::promise<Status> kept;
    auto waiting = kept.get_future();
    parts_.trace.submit(std::move(events), [&](Status status) { kept.set_value(status); });
    return waiting.get();
}

}  // namespace hygie::app
