#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "access/decide/policy_pack.h"

/// Break-glass: a record opened against the circle, for one patient, at most an hour, with a
/// motive.
namespace hygie::access {

/// Why, as declared: a code of kMotiveCodes and words of one's own.
struct Motive {
    std::string code;
    std::string words;
    bool vital = false;  ///< a life is at stake
};
inline constexpr std::string_view kMotiveCodes[] = {"emergency", "unconscious", "continuity",
                                                    "public-health"};
inline constexpr std::size_t kMotiveBytesMax = 2000;
inline constexpr std::size_t kGlassesMax = 100'000;
/// As many within a day are a habit, and said to be one.
inline constexpr std::size_t kGlassHabit = 3;

/// Whether this actor may, with this motive. Code::Denied (profession), Code::Stale (a second
/// factor is needed), Code::BadInput (motive): each says what to do.
Status check_break_glass(const Policy& policy, const Actor& actor, const Motive& motive);

/// Whether code and words say anything: Code::BadInput.
Status check_motive(const Policy& policy, const Motive& motive);

/// Those that stand, in memory: after a restart they are told again by the ledger. Thread-safe.
class BreakGlasses {
  public:
    void open(const ActorId& actor, const std::string& patient, BreakGlass glass, WallTime now);
    std::optional<BreakGlass> find(const ActorId& actor, std::string_view patient,
                                   WallTime now) const;

    /// What the reviewer should know of a declaration before it stands.
    struct Signs {
        bool copied = false;     ///< the same words served before, for another patient
        std::size_t before = 0;  ///< others by the same actor within a day
    };
    Signs look(const ActorId& actor, const std::string& patient, const Motive& motive,
               WallTime now);

  private:
    using Key = std::pair<ActorId, std::string>;
    void forget_old(WallTime now);

    mutable std::mutex mutex_;
    std::map<Key, BreakGlass> glasses_;
    struct Said {
        WallTime time;
        std::size_t words;  ///< hashed
        std::string patient;
    };
    std::multimap<ActorId, Said> said_;
};

}  // namespace hygie::access
