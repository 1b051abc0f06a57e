#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <span>

#include "access/decide/rate_gate.h"
#include "event/event.h"

/// How fast each actor goes from patient to patient (access/decide/rate_gate.h), and who said why.
namespace hygie::records {

/// A motive holds for so long; then what is beyond what is usual asks for another.
inline constexpr Micros kMotiveLasts = std::chrono::hours(1);
inline constexpr std::size_t kMotivesMax = 100'000;

/// Thread-safe.
class Pace {
  public:
    /// How far the actor is beyond what is usual now.
    access::Pressure now(const access::Policy& policy, const ActorId& actor, WallTime time);
    /// The same after opening the patients that these events show something of.
    access::Pressure note(const access::Policy& policy, const ActorId& actor,
                          std::span<const event::Event> events, WallTime time);
    /// A motive was given, and its trace is kept.
    void justify(const ActorId& actor, WallTime time);
    bool is_justified(const ActorId& actor, WallTime time);

  private:
    access::RateGate& gate(const access::Policy& policy);

    std::mutex mutex_;
    std::optional<access::RateGate> gate_;
    access::RatePolicy rates_{};
    std::map<ActorId, WallTime> motives_;  ///< until when
};

/// Whether the event shows something of its patient to its actor.
bool opens_record(const event::Event& event);
/// Whether it also counts for the pace of its actor: of people, and outside declared purposes.
bool counts_for_pace(const event::Event& event);

}  // namespace hygie::records
