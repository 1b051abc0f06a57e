#pragma once

#include <string>
#include <vector>

#include "access/circles/circle_world.h"

/// What a change of policy would change: who gains, who loses, before it is in force.
namespace hygie::access {

/// A line of the matrix that changes, by profession or role and class of data.
struct MatrixChange {
    std::string code;  ///< TRE-G15 profession or "role:…"
    Text title;
    DataClass data{};
    bool writing = false;
    bool gains = false;  ///< else loses
    bool operator==(const MatrixChange&) const = default;
};
std::vector<MatrixChange> diff_matrix(const Policy& before, const Policy& after);

/// What else differs, by name: "window Encounter", "delegation_depth"…
std::vector<std::string> diff_limits(const Policy& before, const Policy& after);

/// Of one person of a world: patients whose data of some class opens or closes.
struct PersonChange {
    ActorNumber actor = 0;
    std::size_t gains = 0;
    std::size_t losses = 0;
};
/// Questions asked at most; a larger world is sampled, every n-th patient.
inline constexpr std::uint64_t kDiffQuestionsMax = 200'000'000;

struct WorldDiff {
    std::vector<PersonChange> persons;  ///< those whose view changes
    std::size_t every = 1;              ///< every n-th patient was asked about
};
/// Both worlds read from the same facts, under two policies.
WorldDiff diff_worlds(const CircleWorld& before, const CircleWorld& after, Second now);

}  // namespace hygie::access
