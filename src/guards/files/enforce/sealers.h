#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "guards/files/acts/change.h"
#include "guards/files/acts/urgent_mutex.h"
#include "guards/files/enforce/enforcer.h"
#include "guards/files/judge/judge_door.h"
#include "guards/files/judge/readers.h"

namespace hygie::files {

/// Ciphertext as it stands or spelled in letters, or an archive under a password: from its
/// beginning alone, without parsing anything.
bool looks_sealed(const Content& content);
/// Enough of it to be sure.
inline constexpr std::size_t kSealedHeadBytes = 4096;

/// Who read what others made, sealed it into new files, and now deletes. Nobody has to wait for
/// leave to delete, and one call deletes hundreds before the first is judged: what such an actor
/// deletes makes it stand still until that is judged. Nothing is held against anybody here.
/// Thread-safe.
class Sealers {
  public:
    /// Who sealed what it had read is looked at so long.
    static constexpr Micros kMemory = std::chrono::minutes(10);
    /// Nobody stands still for longer without being stopped.
    static constexpr Micros kHoldMax = std::chrono::seconds(1);
    /// What was changed is looked at and judged by then, on a machine that has other work.
    static constexpr Micros kLookedAt = std::chrono::milliseconds(150);
    static constexpr std::size_t kSealersMax = 16;
    static constexpr std::size_t kHeldMax = 64;
    /// Who was looked at and is no sealer's is not looked at again so soon: its parents are read
    /// for it, and it may delete a thousand files.
    static constexpr Micros kStranger = std::chrono::milliseconds(500);
    static constexpr std::size_t kStrangersMax = 256;
    /// Of the parents of who sealed, so many stand still with it: it may have ended, and they start
    /// the next.
    static constexpr std::size_t kParentsMax = 4;

    explicit Sealers(Enforcer& enforcer) : enforcer_(enforcer) {}

    /// What was told, before it is judged. Says of a deletion whether its actor had read the file.
    void note(Change& change);
    /// Enough to have something to seal.
    bool has_read_many(const std::string& key, SteadyTime now) const;
    bool is_anybody_reading(SteadyTime now) const;
    JudgeDoor::Lookout lookout(SteadyTime now) const;
    /// A process was seen deleting; who it is, and what, is not known yet.
    void glimpse(pid_t pid, SteadyTime now);
    /// A process stands still while what it changed is looked at, unless it serves others.
    void hold(pid_t pid, SteadyTime now);
    /// … and what it deleted is told, or is nobody's business.
    void know(pid_t pid);
    /// Those who stand still, once no deletion that was seen is left to be told.
    std::vector<std::string> held() const;
    /// All that was told of an actor is judged, and it is not stopped.
    void let_go(const std::string& key);
    void let_go_since(SteadyTime before);
    /// Nobody judges any more: all go on, and nobody is held from here on.
    void close();

  private:
    struct Sealer {
        std::string key;
        std::vector<ProcessId> family;  ///< itself and its nearest parents
        SteadyTime at{};
    };
    struct Held {
        std::string key;  ///< empty: only glimpsed
        ProcessId process;
        enum class Until { Judged, Time } until = Until::Judged;
        SteadyTime since{};
    };
    bool may_hold() const { return !is_closed_ && held_.size() < kHeldMax; }
    void let_go_earlier(SteadyTime before);
    bool is_of_a_sealer(pid_t pid, SteadyTime now) const;
    bool is_stranger(pid_t pid, SteadyTime now);
    void seal(const Actor& actor, SteadyTime now);
    void release_if(const std::function<bool(const Held&)>& is_it);
    void hold(const Change& change);
    void hold(const ProcessId& process, const std::string& key, SteadyTime now);

    Enforcer& enforcer_;
    std::atomic<std::int64_t> until_us_ = 0;       ///< nobody sealed anything lately after this
    std::atomic<std::int64_t> read_until_us_ = 0;  ///< … and nobody read many
    std::atomic<int> expected_ = 0;  ///< deletions that were glimpsed and are not told
    mutable UrgentMutex mutex_;
    Readers readers_;
    std::vector<Sealer> sealers_;
    std::vector<Held> held_;
    std::unordered_map<pid_t, SteadyTime> strangers_;  ///< since when, to all who sealed
    bool is_closed_ = false;
};

}  // namespace hygie::files
