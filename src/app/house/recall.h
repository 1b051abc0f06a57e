#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "access/decide/decision.h"
#include "app/ledger/ledger_audit.h"

namespace hygie::app {

/// How far back a restart looks for emergencies, motives and the pace of each actor.
inline constexpr Micros kRemembered = std::chrono::hours(24);

/// Openings of one record within it are one: the pace is counted in patients an hour.
inline constexpr Micros kSameVisit = std::chrono::minutes(1);

/// What the ledger tells the door of before this start: the last day of an actor, read back before
/// the first answer to that actor, so that a start after a busy day need not wait for everybody's.
/// Thread-safe.
class Recall {
  public:
    /// What the door is told with: never twice the same act.
    using Tell = std::function<void(const event::Event&)>;
    /// `audit` outlives it.
    Recall(LedgerAudit& audit, Clock& clock, Tell tell)
        : audit_(audit), tell_(std::move(tell)), started_(clock.now()) {}

    /// Whether the door knows all of that actor. Programs have no habits and no emergencies.
    bool is_done(const access::Actor& actor) const;
    /// Has the door know it. May wait for the ledger; what it cannot read is asked for again.
    Status make_sure(const access::Actor& actor);

  private:
    /// One actor: others of the same wait for who came first.
    struct One {
        std::mutex mutex;
        bool done = false;
    };

    LedgerAudit& audit_;
    const Tell tell_;
    const WallTime started_;
    mutable std::shared_mutex mutex_;
    std::map<ActorId, std::shared_ptr<One>> all_;
};

}  // namespace hygie::app
