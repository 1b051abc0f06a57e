#include "access/circles/circle_synthetic.h"

#include <algorithm>

namespace hygie::access {
namespace {

using Kind = Relation::Kind;

constexpr std::uint32_t kWardStaff = 25;
constexpr std::uint32_t kTeamStaff = 8;
constexpr Second kDay = 86'400;

/// SplitMix64: a few cycles a number, the same everywhere.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}
    std::uint32_t below(std::uint32_t end) {
        state_ += 0x9E3779B97F4A7C15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return static_cast<std::uint32_t>(((z ^ (z >> 31)) >> 32) * end >> 32);
    }

  private:
    std::uint64_t state_;
};

/// Parties: persons from 1, then wards, then teams.
struct Layout {
    std::uint32_t actors;
    std::uint32_t wards;
    std::uint32_t teams;
    explicit Layout(std::uint32_t count)
        : actors(count), wards(count / kWardStaff + 1), teams(count / kTeamStaff + 1) {}
    Party person(std::uint32_t number) const { return 1 + number; }
    Party ward(std::uint32_t number) const { return 1 + actors + number; }
    Party team(std::uint32_t number) const { return 1 + actors + wards + number; }
};

Kind some_kind(Dice& dice) {
    static constexpr Kind kKinds[] = {Kind::CareTeam,      Kind::Encounter, Kind::Appointment,
                                      Kind::Referral,      Kind::Act,       Kind::Prescription,
                                      Kind::EpisodeOfCare, Kind::Author};
    return kKinds[dice.below(std::size(kKinds))];
}

Bond some_bond(Dice& dice, const Layout& layout, std::uint32_t evidence) {
    const std::uint32_t what = dice.below(1000);
    Bond bond{.evidence = evidence};
    if (what < 3) {
        bond.kind = Kind::Opposition;
        bond.party = dice.below(4) == 0 ? kEverybody : layout.person(dice.below(layout.actors));
        bond.classes = kClinical;
        return bond;
    }
    // Two thirds of a record is the past.
    const bool past = dice.below(3) != 0;
    bond.from = kSyntheticNow - 1 - dice.below(past ? 3000 * kDay : 20 * kDay);
    bond.to = past ? bond.from + dice.below(30 * kDay) : kSyntheticNow + 1 + dice.below(90 * kDay);
    if (what < 250) {
        bond.kind = Kind::Presence;
        bond.party = layout.ward(dice.below(layout.wards));
    } else if (what < 400) {
        bond.kind = Kind::CareTeam;
        bond.party = layout.team(dice.below(layout.teams));
    } else {
        bond.kind = some_kind(dice);
        bond.party = layout.person(dice.below(layout.actors));
    }
    return bond;
}

}  // namespace

CircleIndex synthetic_hospital(const SyntheticSize& size, const Policy& policy,
                               std::uint64_t seed) {
    Dice dice(seed);
    const Layout layout(size.actors);
    static constexpr std::string_view kProfessions[] = {"10", "60", "60", "60", "35", "21", "70"};
    std::vector<IndexedActor> actors;
    std::vector<ActorMembership> memberships;
    std::vector<Delegation> delegations;
    for (std::uint32_t i = 0; i < size.actors; ++i) {
        actors.push_back(
            {.row = &policy.row_of(Role::Care, kProfessions[dice.below(std::size(kProfessions))]),
             .self = layout.person(i)});
        memberships.push_back(
            {i, {.party = layout.ward(dice.below(layout.wards)), .post = Post::Unit}});
        for (int t = 0; t < 2; ++t)
            memberships.push_back(
                {i, {.party = layout.team(dice.below(layout.teams)), .post = Post::Team}});
        if (dice.below(20) == 0)
            delegations.push_back({.actor = i, .principal = dice.below(size.actors)});
    }
    // Already in the order of patients, so that sorting is cheap: as many for each, give or take.
    std::vector<PatientBond> bonds;
    bonds.reserve(size.relations);
    const auto each = static_cast<std::uint32_t>(size.relations / size.patients);
    for (PatientNumber patient = 0; patient < size.patients; ++patient) {
        const std::uint32_t count = each / 2 + dice.below(each + 1);
        for (std::uint32_t i = 0; i < count && bonds.size() < size.relations; ++i)
            bonds.push_back(
                {patient, some_bond(dice, layout, static_cast<std::uint32_t>(bonds.size()))});
    }
    while (bonds.size() < size.relations) {
        const PatientNumber patient = dice.below(size.patients);
        bonds.push_back(
            {patient, some_bond(dice, layout, static_cast<std::uint32_t>(bonds.size()))});
    }
    return {policy,      size.patients,         std::move(bonds), std::move(actors),
            memberships, std::move(delegations)};
}

std::vector<Pair> synthetic_pairs(const CircleIndex& index, std::size_t count, std::uint64_t seed) {
    Dice dice(seed);
    const auto actors = static_cast<std::uint32_t>(index.actors());
    const auto patients = static_cast<std::uint32_t>(index.patients());
    std::vector<Pair> pairs;
    pairs.reserve(count);
    while (pairs.size() < count) {
        const PatientNumber patient = dice.below(patients);
        ActorNumber actor = dice.below(actors);
        if (pairs.size() % 2 == 0) {
            // Somebody whom one of the patient's bonds names, any of them.
            const std::uint32_t bonds = index.bonds_of(patient);
            const std::uint32_t start = dice.below(bonds);
            for (std::uint32_t i = 0; i < bonds; ++i) {
                const Party party = index.bond(patient, (start + i) % bonds).party;
                if (party == kEverybody || party > actors) continue;
                actor = party - 1;
                break;
            }
        }
        pairs.push_back({actor, patient});
    }
    return pairs;
}

}  // namespace hygie::access
