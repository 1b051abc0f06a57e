#pragma once

#include <string>
#include <vector>

#include "crypto/secret.h"
#include "event/event.h"
#include "guards/files/judge/judge.h"
#include "guards/files/judge/theft.h"
#include "guards/files/keep/sealed_folder.h"
#include "host/clock.h"

/// Who is stopped, kept sealed in the state folder so that other commands and the next guard know.
namespace hygie::files {

struct StoppedActor {
    std::string key;  ///< Actor::key
    Rung rung = Rung::Freeze;
    WallTime since{};
    std::vector<ProcessId> processes;  ///< that stand still, one by one
    std::string cgroup;                ///< … or all in it; empty: none
    std::string program;
    uid_t uid = 0;
    std::vector<event::Reason> reasons;
};

/// FORMAT_JUDGE.md, "stops".
std::string print_stops(const std::vector<StoppedActor>& stops);
Result<std::vector<StoppedActor>> parse_stops(std::string_view json);

/// A decoy (canaries.h).
struct Canary {
    std::string path;
    std::string sha256;  ///< of what was planted, hexadecimal
};

/// What another command asks the running guard to do, as a sealed file in STATE/orders that
/// the guard takes and removes.
struct GuardOrder {
    enum class Kind { Thaw, Enrol, Dismiss, Canaries };
    Kind kind = Kind::Thaw;
    /// An actor's key; for Enrol and Dismiss also a program; for Canaries, which are to be read
    /// anew, nothing.
    std::string target;
    std::string by{};  ///< the account of who gave it; empty: a case did
    WallTime at{};     ///< of several given at once the oldest is obeyed first; not read back
    bool operator==(const GuardOrder&) const = default;
};

/// The judge's part of the state folder.
class JudgeState {
  public:
    JudgeState(Disk& disk, Random& random, std::string state, const crypto::Secret32& key);

    Status save_stops(const std::vector<StoppedActor>& stops);
    Result<std::vector<StoppedActor>> load_stops();
    Status save_enrolled(const std::vector<std::string>& enrolled);
    Result<std::vector<std::string>> load_enrolled();
    Status save_canaries(const std::vector<Canary>& canaries);
    Result<std::vector<Canary>> load_canaries();
    Status save_judge(const Judge& judge, WallTime now);
    Status load_judge(Judge& judge);
    Status save_habits(const TheftWatch& theft, WallTime now);
    Status load_habits(TheftWatch& theft);

    Status give(const GuardOrder& order);
    /// Takes all orders away.
    Result<std::vector<GuardOrder>> take_orders();

    /// An event that a command has for the ledger; the running guard hands it on.
    Status leave(const event::Event& event);
    Result<std::vector<event::Event>> take_events(Clock& clock);

  private:
    SealedFolder folder_;
};

}  // namespace hygie::files
