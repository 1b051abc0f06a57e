#pragma once

#include <cstdint>

#include "access/circles/circle_accesses.h"

/// A made-up hospital of any size, for measuring: wards, teams, appointments, referrals,
/// oppositions. The same seed gives the same hospital.
namespace hygie::access {

struct SyntheticSize {
    std::size_t relations = 20'000'000;
    std::uint32_t actors = 10'000;
    std::uint32_t patients = 1'000'000;
};

/// `policy` must outlive it.
CircleIndex synthetic_hospital(const SyntheticSize& size, const Policy& policy, std::uint64_t seed);

/// Questions of a working day: half about patients that the actor is tied to, half about anybody.
struct Pair {
    ActorNumber actor = 0;
    PatientNumber patient = 0;
};
std::vector<Pair> synthetic_pairs(const CircleIndex& index, std::size_t count, std::uint64_t seed);

/// The moment at which the hospital is asked.
inline constexpr Second kSyntheticNow = 36 * 365 * 86'400U;

}  // namespace hygie::access
