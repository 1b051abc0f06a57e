#include "access/decision.h"

#include <algorithm>

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

    void add(std::string_view party, const Membership& member, std::string_view source = {}) {
        parties.push_back(party);
        members.push_back(member);
        evidence.push_back(source);
    }
};

Belongings belongings_of(const Actor& actor) {
    Belongings all;
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

Bond bond_of(const Relation& relation) {
    return {.party = relation.person.empty() ? kEverybody : Party{1},
            .from = start_second(relation.start),
            .to = end_second(relation.end),
            .kind = relation.kind,
            .classes = relation.classes};
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
    steps.push_back({.subject = party,
                     .relation = std::string(name_of(relation.kind)),
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

Decision decide_record(const Policy& policy, const Actor& actor, const Ask& ask) {
    const Question question = question_of(policy, actor, ask);
    const Belongings belongings = belongings_of(actor);
    Judge judge(policy, question);
    for (std::uint32_t r = 0; r < ask.relations.size(); ++r) {
        const Relation& relation = ask.relations[r];
        if (relation.person.empty() && !may_name_nobody(relation.kind)) continue;
        const Bond bond = bond_of(relation);
        for (std::uint32_t m = 0; m < belongings.parties.size(); ++m)
            if (belongings.parties[m] == relation.person)
                judge.consider(bond, belongings.members[m], {r, m});
    }
    const Outcome outcome = judge.conclude();
    const Link link = outcome.permitted() ? outcome.proof : outcome.against;
    std::string evidence;
    if (outcome.rule == Rule::Self) evidence = actor.person;
    if (outcome.rule == Rule::BreakGlass) evidence = ask.break_glass->evidence;
    if (link.there()) evidence = ask.relations[link.bond].evidence;
    Decision decision = say(outcome, std::move(evidence));
    if (link.there()) decision.proof = proof_of(belongings, ask.relations[link.bond], link);
    return decision;
}

/// Directories (practitioners, organisations, places…) are about no patient.
Decision decide_directory(const Actor& actor, const Ask& ask) {
    const bool trace = ask.type == "AuditEvent";
    const bool officer = actor.role == Role::Security || actor.role == Role::Operations;
    const bool staff = actor.role == Role::Care || actor.role == Role::Desk;
    if (trace && officer && !is_writing(ask.action)) return say({.rule = Rule::Trace});
    if (!trace && (staff ? ask.action != Action::Delete : !is_writing(ask.action)))
        return say({.rule = Rule::Directory});
    return say({.rule = Rule::Ceiling});
}

}  // namespace

Decision decide(const Policy& policy, const Actor& actor, const Ask& ask) {
    const bool bounded = !actor.scopes.empty() || actor.role == Role::Program;
    if (bounded && !within_scopes(actor, ask.action, ask.type)) return say({.rule = Rule::Scope});
    if (ask.frozen) return say({.rule = Rule::Frozen});
    if (actor.role == Role::Program) return say({.rule = Rule::Program});
    // A desk cancels; what was said about a patient is not its to erase.
    if (actor.role == Role::Desk && ask.action == Action::Delete)
        return say({.rule = Rule::Ceiling});
    if (ask.patient.empty()) return decide_directory(actor, ask);
    return decide_record(policy, actor, ask);
}

Decision decide(const Actor& actor, const Ask& ask) {
    return decide(default_policy(), actor, ask);
}

}  // namespace hygie::access
