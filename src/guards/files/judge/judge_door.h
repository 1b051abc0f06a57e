#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "event/event.h"
#include "guards/files/acts/change.h"

namespace hygie::files {

/// What the gate does with an act that waits. The pre-image is safe in every case: Allow is never
/// wrong about loss, only about how much there is to restore.
struct Stop {
    enum class Kind : std::uint8_t {
        Allow,
        Delay,   ///< allow, but after `delay`: costs this actor time, nobody else
        Deny,    ///< the call of the actor fails with `error`
        Freeze,  ///< deny, and the enforcer has stopped, or is stopping, the actor
    };
    Kind kind = Kind::Allow;
    Micros delay{};  ///< before the answer, whatever it is; at most Gate::kDelayMax is slept
    int error =
        0;  ///< errno of Deny and Freeze: EPERM, EIO, EBUSY, EAGAIN, ETXTBSY, ENOSPC, EDQUOT
    std::vector<event::Reason> reasons;
};

/// The gate's side of the judge and enforcer. Called from several threads of the gate at once.
class JudgeDoor {
  public:
    /// How closely deletions are watched for, which nobody has to wait for leave to do.
    enum class Lookout {
        Calm,
        Awake,  ///< somebody may destroy by deleting: each is wanted as soon as it happens
    };

    virtual ~JudgeDoor() = default;
    virtual Lookout lookout() { return Lookout::Calm; }
    /// Asked before `change` takes effect, for kinds of which is_asked_before() is true and files
    /// that hold bytes; the actor's call waits meanwhile. The answer may first finish judging what
    /// the same actor did before; it comes within Gate::kAnswerMax or counts as Allow.
    virtual Stop before(const Change& change) = 0;
    /// How many acts of this actor may go on before what it did last is known and judged.
    virtual int patience(const Actor& actor) {
        (void)actor;
        return std::numeric_limits<int>::max();
    }
    /// Told after it happened. Must not block: queue it. `change` keeps its content alive.
    virtual void after(Change change) = 0;
    /// A process was seen deleting a file; by whom and which is found out next, which know() ends.
    virtual void glimpse(pid_t pid) { (void)pid; }
    virtual void know(pid_t pid) { (void)pid; }
    /// Who changes file after file that nobody was asked about stands still while it is looked at.
    virtual void hold(pid_t pid) { (void)pid; }
    /// Whether anybody read so much lately that files elsewhere may be made of it; whether this one
    /// did.
    virtual bool is_outside_watched() { return false; }
    virtual bool is_outside_watched(const Actor& actor) {
        (void)actor;
        return false;
    }
    /// While somebody is stopped every act is asked about, also on files that were just read.
    virtual bool is_watchful() const { return false; }
};

/// Judges nothing: preservation alone.
class NoJudge final : public JudgeDoor {
  public:
    Stop before(const Change&) override { return {}; }
    void after(Change) override {}
};

}  // namespace hygie::files
