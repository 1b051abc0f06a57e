#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "access/circle_index.h"

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

/// The rule of regulation §4.2, top to bottom.
inline Rule decide(const World& world, const Policy& policy, ActorNumber number,
                   PatientNumber patient, const Query& query) {
    using Kind = Relation::Kind;
    const IndexedActor& actor = world.actors[number];
    const Classes data = bit(query.data);
    if (actor.frozen) return Rule::Frozen;
    if (((query.writing ? actor.row->write : actor.row->read) & data) == 0) return Rule::Ceiling;
    if (query.pressure == Pressure::Cut) return Rule::Cut;
    const bool busy = query.pressure == Pressure::Justify && !query.justified;
    const auto granted = [&](Rule rule) {
        if (rule != Rule::BreakGlass && (policy.step_up & data) != 0 && !query.strong)
            return Rule::StepUp;
        return busy ? Rule::Justify : rule;
    };
    if (actor.role == Role::Security || actor.role == Role::Operations) return granted(Rule::Trace);
    if (actor.role == Role::Patient && actor.patient == patient)
        return (query.labels & kHiddenFromPatient) != 0 ? Rule::Hidden : granted(Rule::Self);

    bool named_opposition = false, opposition = false, restricted = false;
    bool proof = false, in_person = false, keeper = false, consent = false;
    for (const Tie& tie : ties_of(world, policy, number, patient, query)) {
        if (tie.kind == Kind::Opposition)
            (tie.party == kEverybody ? opposition : named_opposition) = true;
        if (tie.kind == Kind::Restriction) restricted = true;
        if (!opens(tie, actor.role, query.data)) continue;
        const bool named = tie.post == Post::Self || tie.post == Post::Position;
        proof = true;
        in_person = in_person || named;
        consent = consent || tie.kind == Kind::Consent;
        keeper = keeper || tie.kind == Kind::Consent ||
                 (named && (tie.kind == Kind::GeneralPractitioner || tie.kind == Kind::Author ||
                            tie.kind == Kind::OpenedRecord));
    }
    const bool opposed = named_opposition || (opposition && !consent);
    bool hidden = (query.labels & kMasked) != 0 && !keeper;
    if ((restricted || (query.labels & kRestricted) != 0) && !in_person && !keeper) hidden = true;
    if (actor.role == Role::Patient)
        hidden = (query.labels & (kHiddenFromPatient | kHiddenFromProxies)) != 0;
    if (!opposed && !hidden) {
        if (proof) return granted(actor.role == Role::Patient ? Rule::Proxy : Rule::Circle);
        if (actor.role == Role::Desk && !policy.desk_needs_reason)
            return granted(Rule::Administrative);
    }
    for (const auto& [who, whose, glass] : world.glasses)
        if (who == number && whose == patient && actor.role == Role::Care &&
            actor.row->break_glass && query.strong && now_within(glass.from, glass.to, query.now) &&
            glass.to - glass.from <= policy.break_glass_seconds && (!hidden || glass.vital))
            return granted(Rule::BreakGlass);
    return opposed ? Rule::Opposed : hidden && proof ? Rule::Hidden : Rule::None;
}

}  // namespace hygie::access::reference
