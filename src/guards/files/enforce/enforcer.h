#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "event/event.h"
#include "guards/files/acts/urgent_mutex.h"
#include "guards/files/enforce/held.h"
#include "guards/files/enforce/stops.h"
#include "guards/files/judge/judge.h"
#include "host/clock.h"
#include "host/random.h"

namespace hygie::files {

/// Hands an event on to the ledger's spool. Thread-safe; failures are its owner's business.
using EventSink = std::function<void(const event::Event&)>;

/// What can be done to processes. The machine's, or a test's.
class ProcessControl {
  public:
    virtual ~ProcessControl() = default;
    /// The process and all it started, directly or not; only those that are still the same.
    virtual std::vector<ProcessId> tree_of(const ProcessId& root) = 0;
    /// Whether the process is the guard, or started it.
    virtual bool is_ours(pid_t pid) = 0;
    /// Whether others wait for the process, for a file lock that it holds or because it serves
    /// them over NFS: it must not stand still.
    virtual bool is_waited_for(pid_t pid) = 0;
    virtual bool send(const ProcessId& process, int signal) = 0;
    /// Stops a process before anything else is known of it; which one that was.
    virtual std::optional<ProcessId> stop_now(pid_t pid) = 0;
    /// Stops a cgroup (version 2) at once, and whatever it forks, when nobody but `family` is in it
    /// and nobody waits for them. False when that is not so: then it is done process by process.
    virtual bool freeze_group(const std::string& cgroup, const std::vector<ProcessId>& family) = 0;
    virtual void thaw_group(const std::string& cgroup) = 0;
};
ProcessControl& real_process_control();

/// Which processes hold file locks that others wait for, from the text of /proc/locks.
std::vector<pid_t> waited_for(std::string_view proc_locks);

/// The deepest process that all of these descend from, or are; empty when there is none within
/// their families.
std::optional<ProcessId> common_root(const std::vector<Actor>& actors);

/// Carries out what the judge concluded, the smallest step first, and takes it back. Stops actors
/// by freezing local families (SIGSTOP, or their cgroup when it is their own) and by ending the
/// smbd process of a workstation (SIGTERM, which closes its files and gives back its locks).
/// Thread-safe.
class Enforcer {
  public:
    struct Doors {
        ProcessControl& control;
        Clock& clock;
        Random& random;
    };
    Enforcer(Doors doors, JudgeState* state, EventSink sink, HeldBook* held = nullptr);

    /// Those stopped before the guard was restarted; whom a killed guard left standing goes on.
    Status restore();
    /// Stops the targets of a conclusion of rung Freeze or more, and reports why.
    void stop(const Conclusion& conclusion, const Change& change);
    /// Refuses every write of an actor named by its key, because a case asks for it.
    void refuse(const std::string& key, const event::Reason& reason);
    /// Lets a local process stand still for a moment, so short that locks it holds do not matter
    /// (asking about them takes longer), and go on unless it was stopped meanwhile.
    bool hold(const ProcessId& process);
    std::optional<ProcessId> hold_now(pid_t pid);
    void release(const ProcessId& process);
    /// A stopped workstation came back by another session: closes that too.
    void cut_again(const Actor& actor);
    /// Null when nothing stops this actor. Also tells whether nobody may write.
    bool is_stopped(const Actor& actor) const;
    bool is_read_only() const;
    bool is_any_stopped() const { return any_; }
    std::vector<StoppedActor> stopped() const;
    /// Lets an actor go on, or everybody: "all". Code::NotFound when it is not stopped. `by`
    /// ordered it.
    Status thaw(const std::string& key, const std::string& by = {});

  private:
    void stop_one(const Actor& actor, const std::vector<Actor>& together,
                  const Conclusion& conclusion);
    void freeze(const std::string& key, const ProcessId& process);
    bool is_frozen(const ProcessId& process) const;
    void note_frozen(const StoppedActor& stop);
    Status remember();
    void refuse_kin(const Conclusion& conclusion);
    bool is_kin(const Actor& actor) const;
    void report(const Change& change, const Conclusion& conclusion, const Actor& actor,
                const std::string& step, const std::string& by = {});

    Doors doors_;
    JudgeState* state_;  ///< null: nothing is remembered
    HeldBook* held_;     ///< null: a guard that is killed leaves them standing
    EventSink sink_;
    std::mutex saving_;  ///< what is written last is what is known last
    mutable UrgentMutex mutex_;
    std::vector<StoppedActor> stopped_;
    /// Of a work that was split over processes without a common parent: whoever comes after, with
    /// the same user, cgroup and program.
    struct Kin {
        std::string key;  ///< of the one that was stopped
        uid_t uid = 0;
        std::string cgroup;
        std::string program;
        std::uint64_t after = 0;  ///< when the first of them began
    };
    static constexpr std::size_t kKinMax = 256;
    std::vector<Kin> kin_;
    bool read_only_ = false;
    std::atomic<bool> any_ = false;
};

}  // namespace hygie::files
