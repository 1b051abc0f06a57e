#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "access/circles/circle_index.h"

/// The circle engine once more, written to be read: it collects every way from an actor to a
/// patient, slowly and without arrays, filters or early ends. The fast engine is judged by it.
namespace hygie::access::reference {

struct World {
    std::vector<PatientBond> bonds;
    std::vector<IndexedActor> actors;
    std::vector<ActorMembership> memberships;
    std::vector<Delegation> delegations;
    struct Opened {
        ActorNumber actor;
        PatientNumber patient;
        Glass glass;
    };
    std::vector<Opened> glasses;
    std::vector<HeldUnit> held;  ///< units that an incident holds
    std::vector<Leave> leaves;
};

/// How an actor comes to a party at one moment.
struct Way {
    Party party;
    Post post;
};

inline bool now_within(Second from, Second to, Second now) {
    return now >= from && now < to;
}

/// Own parties, then those of whom the actor acts for, then of whom those act for…
inline std::vector<Way> ways_of(const World& world, const Policy& policy, ActorNumber actor,
                                Second now, std::vector<ActorNumber> path = {}) {
    std::vector<Way> ways;
    const bool own = path.empty();
    path.push_back(actor);
    if (own) ways.push_back({kEverybody, Post::Self});
    if (world.actors[actor].self != kEverybody)
        ways.push_back({world.actors[actor].self, own ? Post::Self : Post::Principal});
    for (const auto& [who, member] : world.memberships) {
        if (who != actor || !now_within(member.from, member.to, now)) continue;
        if (own && member.party != kEverybody) ways.push_back({member.party, member.post});
        if (!own && member.post == Post::Position) ways.push_back({member.party, Post::Principal});
    }
    if (path.size() > policy.delegation_depth) return ways;
    for (const Delegation& one : world.delegations) {
        const bool loop = std::ranges::find(path, one.principal) != path.end();
        if (one.actor != actor || loop || !now_within(one.from, one.to, now)) continue;
        for (const Way& way : ways_of(world, policy, one.principal, now, path)) ways.push_back(way);
    }
    return ways;
}

struct Tie {
    Relation::Kind kind;
    Party party;
    Post post;
};

/// All that holds between the two now, about this class of data.
inline std::vector<Tie> ties_of(const World& world, const Policy& policy, ActorNumber actor,
                                PatientNumber patient, const Query& query) {
    std::vector<Tie> ties;
    for (const Way& way : ways_of(world, policy, actor, query.now))
        for (const auto& [whose, bond] : world.bonds) {
            const Window& window = policy.windows[static_cast<std::size_t>(bond.kind)];
            const std::int64_t now = query.now;
            const bool begun = std::int64_t{bond.from} - window.before <= now;
            const bool ended = bond.to != kForever && std::int64_t{bond.to} + window.after <= now;
            if (whose == patient && bond.party == way.party && begun && !ended &&
                (bond.classes >> static_cast<unsigned>(query.data) & 1) != 0)
                ties.push_back({bond.kind, bond.party, way.post});
        }
    return ties;
}

inline bool opens(const Tie& tie, Role role, DataClass data) {
    using Kind = Relation::Kind;
    const bool administrative =
        data == DataClass::Identity || data == DataClass::Agenda || data == DataClass::Coverage;
    const bool in_person = tie.post == Post::Self || tie.post == Post::Position;
    if (tie.post == Post::Assigned) return false;
    if (role == Role::Patient) return tie.kind == Kind::Proxy && tie.post == Post::Self;
    if (tie.post == Post::Counter && !administrative) return false;
    switch (tie.kind) {
        case Kind::Opposition:
        case Kind::Restriction:
        case Kind::Proxy:
            return false;
        case Kind::Teleconsultation:
            return in_person;
        case Kind::Consent:
            return tie.post != Post::Principal && tie.post != Post::Counter;
        case Kind::Presence:
            return tie.post == Post::Unit || tie.post == Post::OnCall || tie.post == Post::Counter;
        case Kind::Billing:
            return administrative && tie.post != Post::Unit && tie.post != Post::OnCall;
        default:
            return true;
    }
}

/// Since when an incident holds a unit that the actor works in: the newest, when there are several.
inline std::optional<Second> held_since(const World& world, ActorNumber actor, Second now) {
    const Role role = world.actors[actor].role;
    if (role != Role::Care && role != Role::Desk) return std::nullopt;
    std::optional<Second> since;
    for (const HeldUnit& one : world.held)
        for (const auto& [who, member] : world.memberships) {
            const bool of_unit = member.post != Post::Self && member.post != Post::Position &&
                                 member.post != Post::Team && member.post != Post::Principal;
            if (who == actor && of_unit && member.party == one.unit && one.unit != kEverybody &&
                now_within(member.from, member.to, now) && now_within(one.from, one.to, now))
                since = std::max(since.value_or(0), one.from);
        }
    return since;
}

/// What the ties of an actor to a patient come to.
struct Sum {
    bool proof = false;
    bool opposed = false;
    bool hidden = false;
};

inline Sum sum_of(const World& world, const Policy& policy, ActorNumber number,
                  PatientNumber patient, const Query& query) {
    using Kind = Relation::Kind;
    const Role role = world.actors[number].role;
    bool named_opposition = false, opposition = false, restricted = false;
    bool proof = false, in_person = false, keeper = false, consent = false;
    for (const Tie& tie : ties_of(world, policy, number, patient, query)) {
        if (tie.kind == Kind::Opposition)
            (tie.party == kEverybody ? opposition : named_opposition) = true;
        if (tie.kind == Kind::Restriction) restricted = true;
        if (!opens(tie, role, query.data)) continue;
        const bool named = tie.post == Post::Self || tie.post == Post::Position;
        proof = true;
        in_person = in_person || named;
        consent = consent || tie.kind == Kind::Consent;
        keeper = keeper || tie.kind == Kind::Consent ||
                 (named && (tie.kind == Kind::GeneralPractitioner || tie.kind == Kind::Author ||
                            tie.kind == Kind::OpenedRecord));
    }
    bool hidden = (query.labels & kMasked) != 0 && !keeper;
    if ((restricted || (query.labels & kRestricted) != 0) && !in_person && !keeper) hidden = true;
    if (role == Role::Patient)
        hidden = (query.labels & (kHiddenFromPatient | kHiddenFromProxies)) != 0;
    return {proof, named_opposition || (opposition && !consent), hidden};
}

/// The break-glass that opens this to the actor; null when there is none.
inline const Glass* glass_of(const World& world, const Policy& policy, ActorNumber number,
                             PatientNumber patient, const Query& query, bool hidden) {
    const IndexedActor& actor = world.actors[number];
    if (actor.role != Role::Care || !actor.row->break_glass) return nullptr;
    const Second since = held_since(world, number, query.now).value_or(0);
    for (const auto& [who, whose, glass] : world.glasses)
        if (who == number && whose == patient && (query.strong || glass.cosigned) &&
            now_within(glass.from, glass.to, query.now) && glass.from >= since &&
            glass.to - glass.from <= policy.break_glass_seconds && (!hidden || glass.vital))
            return &glass;
    return nullptr;
}

/// What is looked at beside care: leave, two factors, and nothing said against it.
inline Rule decide_purpose(const World& world, const Policy& policy, ActorNumber number,
                           PatientNumber patient, const Query& query) {
    const Role role = world.actors[number].role;
    const bool has_leave = std::ranges::any_of(world.leaves, [&](const Leave& one) {
        return one.actor == number && one.purpose == query.purpose &&
               now_within(one.from, one.to, query.now);
    });
    if (!has_leave || (role != Role::Care && role != Role::Desk)) return Rule::NoGrant;
    const bool is_open = query.data != DataClass::Coverage && query.data != DataClass::Consent &&
                         query.data != DataClass::Trace && query.data != DataClass::Directory;
    if (!is_open || query.writing) return Rule::Ceiling;
    if (query.pressure == Pressure::Cut) return Rule::Cut;
    if (!query.strong) return Rule::StepUp;
    bool restricted = (query.labels & (kMasked | kRestricted)) != 0;
    bool opposed = false;
    for (const Tie& tie : ties_of(world, policy, number, patient, query)) {
        opposed = opposed || tie.kind == Relation::Kind::Opposition;
        restricted = restricted || tie.kind == Relation::Kind::Restriction;
    }
    if (opposed) return Rule::Opposed;
    if (restricted) return Rule::Hidden;
    const bool busy = query.pressure == Pressure::Justify && !query.justified;
    return busy ? Rule::Justify : Rule::Purpose;
}

/// The rule of regulation §4.2, top to bottom.
inline Rule decide(const World& world, const Policy& policy, ActorNumber number,
                   PatientNumber patient, const Query& query) {
    const IndexedActor& actor = world.actors[number];
    const Classes data = bit(query.data);
    if (actor.frozen) return Rule::Frozen;
    const Sum sum = sum_of(world, policy, number, patient, query);
    const Glass* glass = glass_of(world, policy, number, patient, query, sum.hidden);
    const bool contained = held_since(world, number, query.now).has_value();
    const bool beside_care = query.purpose != Purpose::None;
    if (contained && (beside_care || glass == nullptr)) return Rule::Contained;
    if (beside_care) return decide_purpose(world, policy, number, patient, query);
    if (((query.writing ? actor.row->write : actor.row->read) & data) == 0) return Rule::Ceiling;
    if (query.pressure == Pressure::Cut) return Rule::Cut;
    const bool busy = query.pressure == Pressure::Justify && !query.justified;
    const auto by_glass = [&] {
        if (busy) return Rule::Justify;
        return contained ? Rule::Emergency : glass->cosigned ? Rule::Cosigned : Rule::BreakGlass;
    };
    const auto granted = [&](Rule rule) {
        if ((policy.step_up & data) != 0 && !query.strong) return Rule::StepUp;
        return busy ? Rule::Justify : rule;
    };
    if (contained) return by_glass();
    if (actor.role == Role::Security || actor.role == Role::Operations) return granted(Rule::Trace);
    if (actor.role == Role::Patient && actor.patient == patient)
        return (query.labels & kHiddenFromPatient) != 0 ? Rule::Hidden : granted(Rule::Self);
    if (!sum.opposed && !sum.hidden) {
        if (sum.proof) return granted(actor.role == Role::Patient ? Rule::Proxy : Rule::Circle);
        if (actor.role == Role::Desk && !policy.desk_needs_reason)
            return granted(Rule::Administrative);
    }
    if (glass != nullptr) return by_glass();
    return sum.opposed ? Rule::Opposed : sum.hidden && sum.proof ? Rule::Hidden : Rule::None;
}

}  // namespace hygie::access::reference
