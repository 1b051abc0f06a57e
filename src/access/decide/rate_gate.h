#pragma once

#include <list>
#include <unordered_map>

#include "access/decide/policy_pack.h"

/// Mass extraction looks like care done too fast: distinct patients per window, for each actor,
/// against what is usual for that actor. Beyond it answers slow down, then a motive is asked for,
/// then the session is cut. Pure over the times it is told.
namespace hygie::access {

/// Actors whose habits are remembered; above, whoever was away longest is learned anew.
inline constexpr std::size_t kRateActorsMax = 100'000;
/// Patients counted in one window; at that many the session was cut long before.
inline constexpr std::size_t kRatePatientsMax = 20'000;

class RateGate {
  public:
    explicit RateGate(const RatePolicy& policy) : policy_(policy) {}

    /// Notes that an actor opens a patient's record at `now`, and says how far that is beyond what
    /// is usual. A patient already seen within the window counts once. Times that step back count
    /// as the latest seen.
    Pressure note(const ActorId& actor, const PatientId& patient, Second now);
    /// The same question without opening anything.
    Pressure pressure(const ActorId& actor, Second now);
    /// Distinct patients of the current window.
    std::size_t patients_now(const ActorId& actor, Second now);
    /// The learned number of patients per window, never below the policy's floor.
    double baseline(const ActorId& actor) const;

  private:
    struct Seen {
        Second last = 0;
        std::list<std::size_t>::iterator turn;
    };
    struct Habit {
        std::unordered_map<std::size_t, Seen> patients;  ///< by hash
        /// The patients, who was seen last at the end: time never steps back here.
        std::list<std::size_t> turns;
        double usual = 0;  ///< smoothed peak per window
        Second window_start = 0;
        std::size_t window_peak = 0;
        Second last = 0;
        bool was_cut = false;
    };
    Habit& habit_of(const ActorId& actor);
    void move_to(Habit& habit, Second now);
    Pressure judge(const Habit& habit) const;
    void forget_one();

    RatePolicy policy_;
    std::unordered_map<ActorId, Habit> habits_;
};

}  // namespace hygie::access
