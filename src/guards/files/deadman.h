#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "guards/files/enforce/held.h"
#include "guards/files/gate/gate.h"
#include "guards/files/keep/anchor.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// The kernel knows an act by the number of its descriptor in the process that read it, so two
/// processes must not use the same ones: a gate those below, a deadman those above.
int gate_fds_max();

/// A page shared by gate and deadman.
struct Heart {
    std::atomic<std::uint64_t> beats = 0;
    /// Everything is kept: from here on the gate's death closes writing.
    std::atomic<bool> is_guarding = false;
    /// How often the gate stood still and was made to go on.
    std::atomic<std::uint32_t> roused = 0;
};

/// The small process that takes the gate's place when it dies: it holds the same groups of events,
/// so the kernel never stops asking. Who stood still for a moment goes on. Reads go on; writes to
/// protected files wait for a new gate, at most kWriteWait, then fail. A gate that no longer
/// answers, because somebody made it stand still, is made to go on; when that is in vain it is
/// ended.
///
/// The gate's end of it: forks the process, watches it, makes it anew when it is killed.
class Deadman {
  public:
    static constexpr int kWriteWaitSeconds = 60;

    struct Settings {
        std::vector<std::string> protected_dirs;
        const Anchor* state = nullptr;  ///< where the socket is that a successor asks at
        HeldBook* held = nullptr;       ///< who stands still for a moment when the gate dies
    };

    /// Forks. Call it before threads start and before anything is locked.
    static Result<std::unique_ptr<Deadman>> start(const Groups& groups, Settings settings);
    /// Tells it that the gate ends on purpose.
    ~Deadman();

    std::atomic<std::uint64_t>& beat() { return heart_->beats; }
    void guarding() { heart_->is_guarding = true; }
    /// Whether the process is still there; reaps it when it is not, makes it go on when it stands
    /// still.
    bool is_alive();
    /// Whether one of the two stood still since this was last asked.
    bool stood_still();
    /// The gate ends because it must not go on: the process stands in.
    void abandon() { line_.reset(); }
    pid_t pid() const { return pid_; }

  private:
    Deadman(const Groups& groups, Settings settings)
        : groups_(groups), settings_(std::move(settings)) {}
    Status fork_it();

    const Groups& groups_;
    Settings settings_;
    Heart* heart_ = nullptr;
    UniqueFd line_;  ///< says goodbye; its end tells that the gate is dead
    pid_t pid_ = 0;
    std::uint32_t roused_ = 0;  ///< of the heart, as told last
    bool was_still_ = false;    ///< the process, not told yet
};

/// What a deadman that stands in for a dead gate hands to the next one.
struct Handover {
    Groups groups;
    UniqueFd line;
    bool was_stalled = false;      ///< the gate before was ended because it did not answer
    bool tells_who_waits = false;  ///< earlier builds do not

    /// We answer from here on; until then the old deadman lets our own files pass.
    void starting();
    /// Whoever waits, by a descriptor of what it would change and its thread. What `keep` says is
    /// not kept is refused; whoever is not asked about goes on.
    void keep_for_who_waits(const std::function<bool(UniqueFd, pid_t)>& keep);
    /// Everything is kept: the acts that waited may go on. The old deadman ends.
    void release();
};
/// None when no deadman stands in.
std::optional<Handover> take_over(const std::string& handover);
/// … and by a state folder that was made just now, which one may have to find first.
std::optional<Handover> take_over_soon(const std::string& handover);

}  // namespace hygie::files
