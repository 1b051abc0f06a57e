#include "access/decide/rate_gate.h"

#include <algorithm>

namespace hygie::access {
namespace {

/// How fast a habit follows: a tenth of the way each window with work in it.
constexpr double kFollow = 0.1;

}  // namespace

RateGate::Habit& RateGate::habit_of(const ActorId& actor) {
    if (habits_.size() >= kRateActorsMax && !habits_.contains(actor)) forget_one();
    return habits_[actor];
}

void RateGate::forget_one() {
    const auto oldest =
        std::ranges::min_element(habits_, {}, [](const auto& one) { return one.second.last; });
    habits_.erase(oldest);
}

/// Drops what left the window; what a whole window held teaches the habit, unless it was beyond
/// what is usual: an extraction must not become a habit.
void RateGate::move_to(Habit& habit, Second now) {
    if (now <= habit.last) return;
    habit.last = now;
    while (!habit.turns.empty()) {
        const auto oldest = habit.patients.find(habit.turns.front());
        if (std::uint64_t{oldest->second.last} + policy_.window > habit.last) break;
        habit.patients.erase(oldest);
        habit.turns.pop_front();
    }
    if (std::uint64_t{habit.window_start} + policy_.window > habit.last) return;
    if (habit.window_peak > 0 && !habit.was_cut) {
        const double peak = std::min(static_cast<double>(habit.window_peak),
                                     std::max(habit.usual, double(policy_.floor)) * policy_.slow);
        habit.usual += kFollow * (peak - habit.usual);
    }
    habit.window_start = habit.last;
    habit.window_peak = habit.patients.size();
    habit.was_cut = false;
}

Pressure RateGate::judge(const Habit& habit) const {
    const double usual = std::max(habit.usual, static_cast<double>(policy_.floor));
    const auto patients = static_cast<double>(habit.patients.size());
    if (patients > usual * policy_.cut) return Pressure::Cut;
    if (patients > usual * policy_.justify) return Pressure::Justify;
    if (patients > usual * policy_.slow) return Pressure::Slow;
    return Pressure::Calm;
}

Pressure RateGate::note(const ActorId& actor, const PatientId& patient, Second now) {
    Habit& habit = habit_of(actor);
    move_to(habit, now);
    const std::size_t who = std::hash<PatientId>{}(patient);
    const auto known = habit.patients.find(who);
    if (known == habit.patients.end()) {
        if (habit.patients.size() < kRatePatientsMax)
            habit.patients.emplace(who,
                                   Seen{habit.last, habit.turns.insert(habit.turns.end(), who)});
    } else if (known->second.last != habit.last) {
        known->second.last = habit.last;
        habit.turns.splice(habit.turns.end(), habit.turns, known->second.turn);
    }
    habit.window_peak = std::max(habit.window_peak, habit.patients.size());
    const Pressure pressure = judge(habit);
    habit.was_cut = habit.was_cut || pressure >= Pressure::Justify;
    return pressure;
}

Pressure RateGate::pressure(const ActorId& actor, Second now) {
    const auto habit = habits_.find(actor);
    if (habit == habits_.end()) return Pressure::Calm;
    move_to(habit->second, now);
    return judge(habit->second);
}

std::size_t RateGate::patients_now(const ActorId& actor, Second now) {
    const auto habit = habits_.find(actor);
    if (habit == habits_.end()) return 0;
    move_to(habit->second, now);
    return habit->second.patients.size();
}

double RateGate::baseline(const ActorId& actor) const {
    const auto habit = habits_.find(actor);
    const double usual = habit == habits_.end() ? 0 : habit->second.usual;
    return std::max(usual, static_cast<double>(policy_.floor));
}

}  // namespace hygie::access
