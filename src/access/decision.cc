#include "access/decision.h"

#include <algorithm>
#include <optional>

#include "access/circle_judge.h"
#include "access/circle_scope.h"
#include "access/circle_words.h"

namespace hygie::access {

std::string_view name_of(Role role) {
    switch (role) {
        case Role::Care:
            return "care";
        case Role::Desk:
            return "desk";
        case Role::Security:
            return "security";
        case Role::Operations:
            return "operations";
        case Role::Patient:
            return "patient";
        case Role::Program:
            return "program";
    }
    return "";
}

bool is_strong(std::string_view auth) {
    static constexpr std::string_view kStrong[] = {"otp",     "psc",      "mtls",
                                                   "passkey", "webauthn", "recovery"};
    return std::ranges::any_of(kStrong, [&](std::string_view word) { return auth.contains(word); });
}

namespace {

using event::Action;

bool is_writing(Action action) {
    return action != Action::Read && action != Action::Execute;
}

/// The parties an actor belongs to, by name, with their memberships beside them.
struct Belongings {
    std::vector<std::string_view> parties;
    std::vector<Membership> members;
    std::vector<std::string_view> evidence;

    void reserve(std::size_t count) {
        parties.reserve(count);
        members.reserve(count);
        evidence.reserve(count);
    }
    void add(std::string_view party, const Membership& member, std::string_view source = {}) {
        parties.push_back(party);
        members.push_back(member);
        evidence.push_back(source);
    }
};

Belongings belongings_of(const Actor& actor) {
    Belongings all;
    all.reserve(3 + actor.belongs.size());
    all.add({}, {.post = Post::Self});
    if (!actor.person.empty()) all.add(actor.person, {.post = Post::Self});
    if (!actor.organisation.empty()) all.add(actor.organisation, {.post = Post::Unit});
    for (const Belonging& one : actor.belongs)
        all.add(one.party,
                {.from = start_second(one.start),
                 .to = end_second(one.end),
                 .post = static_cast<Post>(one.post),
                 .depth = one.depth},
                one.evidence);
    return all;
}

/// Whoever made a file has it at once: it is not let in for longer by the second it began in.
Second since(const Relation& relation) {
    const bool is_own = relation.kind == Relation::Kind::OpenedRecord;
    return is_own ? end_second(relation.start) : start_second(relation.start);
}

Bond bond_of(const Relation& relation) {
    return {.party = relation.person.empty() ? kEverybody : Party{1},
            .from = since(relation),
            .to = end_second(relation.end),
            .kind = relation.kind,
            .classes = relation.classes};
}

/// What one record ties: a parent's right lasts as long as the patient's minority, which another
/// resource tells. None when the relation itself ties nobody.
std::optional<Bond> bond_in(std::span<const Relation> record, const Relation& relation) {
    if (relation.kind == Relation::Kind::Minority) return std::nullopt;
    Bond bond = bond_of(relation);
    if (relation.kind != Relation::Kind::Parent) return bond;
    const auto minority = std::ranges::find(record, Relation::Kind::Minority,
                                            [](const Relation& r) { return r.kind; });
    if (minority == record.end()) return std::nullopt;
    bond.kind = Relation::Kind::Proxy;
    bond.to = std::min(bond.to, end_second(minority->end));
    return bond;
}

/// Only these may be tied to everybody; a permit without a party ties nobody.
bool may_name_nobody(Relation::Kind kind) {
    return kind == Relation::Kind::Opposition || kind == Relation::Kind::Restriction;
}

std::vector<ProofStep> proof_of(const Belongings& actor, const Relation& relation, Link link) {
    const Membership& member = actor.members[link.member];
    const std::string party(actor.parties[link.member]);
    std::vector<ProofStep> steps;
    const std::string self = actor.parties.size() > 1 ? std::string(actor.parties[1]) : party;
    if (member.post != Post::Self)
        steps.push_back({.subject = self,
                         .relation = std::string(name_of(member.post)),
                         .object = party,
                         .evidence = std::string(actor.evidence[link.member]),
                         .start = time_of(member.from),
                         .end = time_of(member.to)});
    steps.push_back(
        {.subject = party,
         .relation = std::string(name_of(
             relation.kind == Relation::Kind::Parent ? Relation::Kind::Proxy : relation.kind)),
         .object = "Patient",
         .evidence = relation.evidence,
         .start = relation.start,
         .end = relation.end});
    return steps;
}

Decision say(const Outcome& outcome, std::string evidence = {}) {
    Decision decision{.permitted = outcome.permitted(),
                      .rule = static_cast<std::uint8_t>(outcome.rule),
                      .obligations = outcome.obligations};
    decision.reasons.push_back(
        {.id = reason_id(outcome), .text = sentence_of(outcome), .evidence = std::move(evidence)});
    if (Text remedy = remedy_of(outcome); !remedy.fr.empty())
        decision.reasons.push_back(
            {.id = "circle.remedy", .text = std::move(remedy), .evidence = {}});
    for (event::Reason& reason : obligations_of(outcome.obligations))
        decision.reasons.push_back(std::move(reason));
    return decision;
}

Question question_of(const Policy& policy, const Actor& actor, const Ask& ask) {
    constexpr std::string_view kPrefix = "Patient/";
    Question question{.role = actor.role,
                      .row = &policy.row_of(actor.role, actor.profession),
                      .now = second_of(ask.now),
                      .data = class_of(ask.type),
                      .writing = is_writing(ask.action),
                      .strong = is_strong(actor.auth),
                      .is_self = actor.person.starts_with(kPrefix) && !ask.patient.empty() &&
                                 actor.person.substr(kPrefix.size()) == ask.patient,
                      .labels = ask.labels,
                      .pressure = ask.pressure,
                      .justified = ask.justified,
                      .frozen = ask.frozen};
    if (const BreakGlass* glass = ask.break_glass) {
        question.glass =
            glass->start <= ask.now && ask.now < glass->end &&
            glass->end - glass->start <= std::chrono::seconds(policy.break_glass_seconds);
        question.vital = glass->vital;
    }
    return question;
}

/// The relations that may name a party: all of them where their order is not known.
std::span<const Relation> naming(const Ask& ask, std::string_view party) {
    if (!ask.by_person) return ask.relations;
    const auto [first, last] =
        std::ranges::equal_range(ask.relations, party, {}, &Relation::person);
    return {first, last};
}

Outcome judge_record(const Policy& policy, const Ask& ask, const Question& question,
                     const Belongings& belongings) {
    Judge judge(policy, question);
    for (std::uint32_t m = 0; m < belongings.parties.size(); ++m) {
        for (const Relation& relation : naming(ask, belongings.parties[m])) {
            if (relation.person != belongings.parties[m]) continue;
            if (relation.person.empty() && !may_name_nobody(relation.kind)) continue;
            const auto r = static_cast<std::uint32_t>(&relation - ask.relations.data());
            if (const auto bond = bond_in(ask.relations, relation))
                judge.consider(*bond, belongings.members[m], {r, m});
        }
    }
    return judge.conclude();
}

/// What the house keeps is about no patient: practitioners, places, its own tasks.
Rule rule_of_directory(const Actor& actor, const Ask& ask) {
    const bool trace = ask.type == "AuditEvent";
    const bool officer = actor.role == Role::Security || actor.role == Role::Operations;
    const bool staff = actor.role == Role::Care || actor.role == Role::Desk;
    if (trace && officer && !is_writing(ask.action)) return Rule::Trace;
    // Who keeps the house says who belongs where, and sees no record by it.
    const bool keeper =
        actor.role == Role::Operations && class_of(ask.type) == DataClass::Directory;
    if (staff || keeper)
        return trace || ask.action == Action::Delete ? Rule::Ceiling : Rule::Directory;
    return is_public(ask.type) && !is_writing(ask.action) ? Rule::Directory : Rule::Ceiling;
}

Outcome outcome_of(const Policy& policy, const Actor& actor, const Ask& ask,
                   const Belongings& belongings) {
    const bool bounded = !actor.scopes.empty() || actor.role == Role::Program;
    if (bounded && !within_scopes(actor, ask.action, ask.type)) return {.rule = Rule::Scope};
    if (ask.frozen) return {.rule = Rule::Frozen};
    if (actor.role == Role::Program) return {.rule = Rule::Program};
    // A desk cancels; what was said about a patient is not its to erase.
    if (actor.role == Role::Desk && ask.action == Action::Delete) return {.rule = Rule::Ceiling};
    if (ask.patient.empty()) return {.rule = rule_of_directory(actor, ask)};
    return judge_record(policy, ask, question_of(policy, actor, ask), belongings);
}

}  // namespace

Decision decide(const Policy& policy, const Actor& actor, const Ask& ask) {
    const Belongings belongings = belongings_of(actor);
    const Outcome outcome = outcome_of(policy, actor, ask, belongings);
    const Link link = outcome.permitted() ? outcome.proof : outcome.against;
    std::string evidence;
    if (outcome.rule == Rule::Self) evidence = actor.person;
    if (outcome.rule == Rule::BreakGlass) evidence = ask.break_glass->evidence;
    if (link.there()) evidence = ask.relations[link.bond].evidence;
    Decision decision = say(outcome, std::move(evidence));
    if (link.there()) decision.proof = proof_of(belongings, ask.relations[link.bond], link);
    return decision;
}

bool may(const Policy& policy, const Actor& actor, const Ask& ask) {
    return outcome_of(policy, actor, ask, belongings_of(actor)).permitted();
}

bool may(const Actor& actor, const Ask& ask) {
    return may(default_policy(), actor, ask);
}

Decision decide(const Actor& actor, const Ask& ask) {
    return decide(default_policy(), actor, ask);
}

}  // namespace hygie::access
