#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "crypto/secret.h"
#include "crypto/tokens.h"
#include "event/event.h"
#include "guards/files/acts/change.h"
#include "guards/files/judge/circle.h"
#include "guards/files/judge/examiner.h"
#include "guards/files/judge/sources.h"
#include "guards/files/judge/suspect.h"

namespace hygie::files {

/// How far the answer to an actor goes. Each rung holds the ones below it, and each can be taken
/// back.
enum class Rung : std::uint8_t {
    Preserve,  ///< always: pre-images are kept
    Delay,     ///< its writes wait
    Deny,      ///< its writes are refused
    Freeze,    ///< its processes stand still, its Samba session is closed
    ReadOnly,  ///< nobody writes any more: too many actors at once
};
std::string_view name_of(Rung rung);

/// Whom the judge leaves in peace, and where its thresholds lie, in points (kOneFile).
struct Policy {
    std::uint32_t delay_points = kOneFile;
    std::uint32_t freeze_points = 3 * kOneFile;        ///< one actor, ten minutes
    std::uint32_t freeze_points_day = 5 * kOneFile;    ///< one actor, a day
    std::uint32_t freeze_points_month = 8 * kOneFile;  ///< one actor, thirty days
    std::uint32_t group_points = 4 * kOneFile;         ///< one user or cgroup, ten minutes
    std::uint32_t group_points_day = 7 * kOneFile;
    std::uint32_t group_points_month = 20 * kOneFile;
    std::uint32_t house_points = 6 * kOneFile;  ///< everybody together, ten minutes
    std::size_t read_only_works = 6;      ///< works of different actors frozen within ten minutes
    std::vector<std::string> enrolled{};  ///< keys of actors, or paths of programs
    std::set<std::string, std::less<>> canaries{};  ///< paths

    bool is_enrolled(const Actor& actor) const;
};

/// What follows from one change.
struct Conclusion {
    Rung rung = Rung::Preserve;
    event::Verdict verdict;
    std::string key;             ///< of the actor, or of the group that was judged
    std::vector<Actor> targets;  ///< whom Freeze means
    bool is_news = false;        ///< the rung rose with this change
    bool is_marked = false;      ///< this change is held against its actor
    bool is_explained = false;   ///< what was deleted is still there, in another file
    std::string blamed{};        ///< against whom it is held, when that is not its actor
};

/// Watches every change and holds what it means against whoever made it: the actor, the user, the
/// cgroup and everybody together, so that splitting the work over many processes hides nothing.
/// Knows no world: same changes, same conclusions. One thread at a time.
class Judge {
  public:
    Judge(Policy policy, Examiner& examiner) : policy_(std::move(policy)), examiner_(examiner) {}

    /// A change that has happened (never one of those asked before).
    Conclusion take(const Change& change);
    /// What was read, by whom.
    void hear_of(const Change& read) { sources_.note(read); }
    /// How the actor stands now.
    Rung rung_of(const Actor& actor) const;
    /// Drops what is held against a key: somebody looked, and it was honest.
    void forgive(const std::string& key);

    /// What must survive a restart: points of thirty days, under names blinded with `key`
    /// (FORMAT.md). load takes what save made; call it before the first change.
    Bytes save(const crypto::Secret32& key, WallTime now) const;
    Status load(const crypto::Secret32& key, ByteView state);

    const Policy& policy() const { return policy_; }
    void set_policy(Policy policy) { policy_ = std::move(policy); }

    /// Actors remembered; the one seen longest ago goes first when it holds nothing.
    static constexpr std::size_t kActorsMax = 4096;

  private:
    struct Extension {
        SteadyTime since{};
        std::size_t files = 0;
    };
    /// One actor or group.
    struct Party {
        Suspect suspect;
        Rung rung = Rung::Preserve;
        SteadyTime seen{};
        std::map<std::string, Extension, std::less<>> extensions;
        std::int64_t hour = 0;           ///< since the steady clock's start
        std::uint32_t this_hour = 0;     ///< changes
        std::uint32_t busiest_hour = 0;  ///< of the hours before, halved each thirty days
    };

    void note_open(const Change& change, std::uint64_t mark);
    void judge_closed(const Change& change);
    void judge_content(const Change& change);
    void judge_new(const Change& change);
    void judge_loss(const Change& change);
    void judge_erased(const Change& change, const Loss& emptied);
    void judge_arrival(const Change& change, const Circle::Arrival& arrival);
    std::uint32_t replaced_points(const Actor& actor, SteadyTime now) const;
    void take_back(const Change& change, const Loss& loss, Sign sign);
    void judge_name(const Change& change);
    void judge_canary(const Change& change, const Actor& actor, const std::string& path);
    void judge_moved_canary(const Change& change);
    void mark(const Change& change, const Actor& actor, std::string_view path, Sign sign,
              std::uint32_t points);
    void add_signs(const Change& change, Party& party);
    Conclusion conclude(const Change& change);
    bool is_outbreak(const Conclusion& conclusion, SteadyTime now);
    Rung rung_for(const Party& party, const Change& change, bool is_group) const;
    Conclusion explain(const std::string& key, const Party& party, Rung rung,
                       const Change& change) const;
    Party& party(const std::string& key, SteadyTime now);
    Circle& circle(const Actor& actor);
    void make_room();
    void remember(const std::string& key, Party& party, SteadyTime now) const;

    Policy policy_;
    Examiner& examiner_;
    std::unordered_map<std::string, Party> parties_;
    std::unordered_map<std::string, Circle> circles_;
    Sources sources_;
    /// Files that somebody is marked for and has not closed, and what the marks call them.
    struct Open {
        std::uint64_t mark = 0;
        SteadyTime at{};
    };
    std::unordered_map<FileKey, Open, FileKeyHash> open_;
    bool marked_ = false;          ///< the change at hand left a mark
    bool explained_ = false;       ///< … deleted what another file gives back, or gave it back
    std::optional<Actor> blamed_;  ///< … was a server's, and is held against this user of it
    /// Who was frozen, and what counts as one work: processes of one program, frozen together.
    struct Frozen {
        SteadyTime at{};
        std::string actor;
        std::string work;
    };
    std::deque<Frozen> frozen_;
    std::optional<crypto::Secret32> history_key_;
    std::map<crypto::Token, std::vector<std::pair<WallTime, std::uint32_t>>> history_;
};

/// The family of a local actor, whatever users its processes become; else the actor itself.
std::string family_of(const Actor& actor);
/// The groups an actor belongs to beside itself.
std::vector<std::string> groups_of(const Actor& actor);

}  // namespace hygie::files
