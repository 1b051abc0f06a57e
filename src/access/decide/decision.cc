#include "access/decide/decision.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "access/decide/circle_judge.h"
#include "access/decide/circle_scope.h"
#include "access/decide/circle_words.h"

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

namespace {

constexpr std::string_view kPurposeNames[] = {"", "coding", "quality", "research"};

}  // namespace

std::string_view name_of(Purpose purpose) {
    return kPurposeNames[static_cast<std::size_t>(purpose)];
}

Purpose purpose_named(std::string_view name) {
    const auto found = std::ranges::find(kPurposeNames, name);
    return found == std::end(kPurposeNames)
               ? Purpose::None
               : static_cast<Purpose>(found - std::begin(kPurposeNames));
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

/// A party an actor belongs to, by name, and how.
struct Own {
    std::string_view party{};
    Membership member{};
    std::string_view evidence{};
};

/// All of an actor's, nobody first, then the person. A search asks for them at each record that it
/// comes across: few, as most have, take nothing of the heap.
class Belongings {
  public:
    explicit Belongings(const Actor& actor) {
        if (kOwnMax + actor.belongs.size() > few_.size())
            many_.reserve(kOwnMax + actor.belongs.size());
        add({.party = {}, .member = {.post = Post::Self}});
        if (!actor.person.empty()) add({.party = actor.person, .member = {.post = Post::Self}});
        if (!actor.organisation.empty())
            add({.party = actor.organisation, .member = {.post = Post::Unit}});
        for (const Belonging& one : actor.belongs)
            add({.party = one.party,
                 .member = {.from = start_second(one.start),
                            .to = end_second(one.end),
                            .post = static_cast<Post>(one.post),
                            .depth = one.depth},
                 .evidence = one.evidence});
    }

    std::span<const Own> all() const {
        return many_.empty() ? std::span(few_).first(count_) : std::span(many_);
    }

  private:
    static constexpr std::size_t kOwnMax = 3;  ///< besides what the directory says

    void add(const Own& own) {
        if (many_.capacity() > 0)
            many_.push_back(own);
        else
            few_[count_++] = own;
    }

    std::array<Own, 6> few_;
    std::size_t count_ = 0;
    std::vector<Own> many_;
};

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

std::vector<ProofStep> proof_of(std::span<const Own> actor, const Relation& relation, Link link) {
    const Membership& member = actor[link.member].member;
    const std::string party(actor[link.member].party);
    std::vector<ProofStep> steps;
    const std::string self = actor.size() > 1 ? std::string(actor[1].party) : party;
    if (member.post != Post::Self)
        steps.push_back({.subject = self,
                         .relation = std::string(name_of(member.post)),
                         .object = party,
                         .evidence = std::string(actor[link.member].evidence),
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
    decision.reasons = reasons_of(outcome, std::move(evidence));
    return decision;
}

std::string self_of(const Actor& actor) {
    return actor.person.empty() ? actor.id.str() : actor.person;
}

/// Where an actor works that an incident holds.
struct Held {
    const UnitHold* hold = nullptr;
    const Belonging* place = nullptr;  ///< null: the account's own organisation
};

Held held(const Actor& actor, std::span<const UnitHold> holds, WallTime now) {
    Held found;
    if (actor.role != Role::Care && actor.role != Role::Desk) return found;
    for (const UnitHold& hold : holds) {
        if (!hold.holds_at(now) || (found.hold && hold.since <= found.hold->since)) continue;
        if (!actor.organisation.empty() && actor.organisation == hold.unit)
            found = {&hold, nullptr};
        for (const Belonging& one : actor.belongs)
            if (!one.is_part && one.party == hold.unit && is_of_unit(static_cast<Post>(one.post)) &&
                one.start <= now && now < one.end)
                found = {&hold, &one};
    }
    return found;
}

/// The leave that the actor has for a purpose now; null when there is none.
const PurposeGrant* grant_of(const Actor& actor, Purpose purpose, WallTime now) {
    if (actor.role != Role::Care && actor.role != Role::Desk) return nullptr;
    const auto found = std::ranges::find_if(actor.grants, [&](const PurposeGrant& one) {
        return one.purpose == purpose && one.since <= now && now < one.until;
    });
    return found == actor.grants.end() ? nullptr : &*found;
}

/// How an incident holds the actor: works there, and that is held.
std::vector<ProofStep> proof_of_hold(const Actor& actor, const Held& by) {
    const Belonging own{.party = by.hold->unit};
    const Belonging& place = by.place ? *by.place : own;
    const WallTime until = by.hold->until == WallTime{} ? WallTime::max() : by.hold->until;
    return {{.subject = self_of(actor),
             .relation = std::string(name_of(static_cast<Post>(place.post))),
             .object = place.party,
             .evidence = place.evidence,
             .start = place.start,
             .end = place.end},
            {.subject = by.hold->unit,
             .relation = "contained",
             .object = "incident",
             .evidence = by.hold->evidence,
             .start = by.hold->since,
             .end = until}};
}

/// Who declared an emergency, and who signed it, too.
std::vector<ProofStep> proof_of_glass(const Actor& actor, const BreakGlass& glass) {
    const std::string self = self_of(actor);
    std::vector<ProofStep> steps = {{.subject = self,
                                     .relation = "break-glass",
                                     .object = "Patient",
                                     .evidence = glass.evidence,
                                     .start = glass.start,
                                     .end = glass.end}};
    if (!glass.cosigner.empty())
        steps.push_back({.subject = glass.cosigner,
                         .relation = "co-sign",
                         .object = self,
                         .evidence = glass.cosign_evidence,
                         .start = glass.start,
                         .end = glass.end});
    return steps;
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
    question.purpose = ask.purpose;
    question.granted = grant_of(actor, ask.purpose, ask.now) != nullptr;
    const UnitHold* hold = hold_on(actor, ask.holds, ask.now);
    question.contained = hold != nullptr;
    if (const BreakGlass* glass = ask.break_glass) {
        question.glass =
            glass->start <= ask.now && ask.now < glass->end &&
            (hold == nullptr || hold->since <= glass->start) &&
            glass->end - glass->start <= std::chrono::seconds(policy.break_glass_seconds);
        question.vital = glass->vital;
        question.cosigned = !glass->cosigner.empty();
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
                     std::span<const Own> belongings) {
    Judge judge(policy, question);
    for (std::uint32_t m = 0; m < belongings.size(); ++m) {
        for (const Relation& relation : naming(ask, belongings[m].party)) {
            if (relation.person != belongings[m].party) continue;
            if (relation.person.empty() && !may_name_nobody(relation.kind)) continue;
            const auto r = static_cast<std::uint32_t>(&relation - ask.relations.data());
            if (const auto bond = bond_in(ask.relations, relation))
                judge.consider(*bond, belongings[m].member, {r, m});
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
                   std::span<const Own> belongings) {
    const bool bounded = !actor.scopes.empty() || actor.role == Role::Program;
    if (bounded && !within_scopes(actor, ask.action, ask.type)) return {.rule = Rule::Scope};
    if (ask.frozen) return {.rule = Rule::Frozen};
    if (actor.role == Role::Program) return {.rule = Rule::Program};
    // A desk cancels; what was said about a patient is not its to erase.
    if (actor.role == Role::Desk && ask.action == Action::Delete) return {.rule = Rule::Ceiling};
    // Beside care, records alone are looked at: nothing else is minimised.
    if (ask.patient.empty() && ask.purpose != Purpose::None) return {.rule = Rule::Ceiling};
    if (ask.patient.empty())
        return {.rule = hold_on(actor, ask.holds, ask.now) ? Rule::Contained
                                                           : rule_of_directory(actor, ask)};
    return judge_record(policy, ask, question_of(policy, actor, ask), belongings);
}

}  // namespace

Decision decide(const Policy& policy, const Actor& actor, const Ask& ask) {
    const Belongings belongings(actor);
    const Outcome outcome = outcome_of(policy, actor, ask, belongings.all());
    const Link link = outcome.permitted() ? outcome.proof : outcome.against;
    std::string evidence;
    if (outcome.rule == Rule::Self) evidence = actor.person;
    const bool by_glass = is_break_glass(outcome.rule);
    if (by_glass) evidence = ask.break_glass->evidence;
    if (link.there()) evidence = ask.relations[link.bond].evidence;
    const Held by = held(actor, ask.holds, ask.now);
    if (outcome.rule == Rule::Contained) evidence = by.hold->evidence;
    const PurposeGrant* grant = grant_of(actor, ask.purpose, ask.now);
    if (outcome.rule == Rule::Purpose) evidence = grant->evidence;
    Decision decision = say(outcome, std::move(evidence));
    if (outcome.rule == Rule::Purpose)
        decision.proof = {{.subject = self_of(actor),
                           .relation = "leave",
                           .object = std::string(name_of(ask.purpose)),
                           .evidence = grant->evidence,
                           .start = grant->since,
                           .end = grant->until}};
    if (link.there()) decision.proof = proof_of(belongings.all(), ask.relations[link.bond], link);
    if (outcome.rule == Rule::Contained || outcome.rule == Rule::Emergency)
        decision.proof = proof_of_hold(actor, by);
    if (by_glass)
        std::ranges::move(proof_of_glass(actor, *ask.break_glass),
                          std::back_inserter(decision.proof));
    return decision;
}

const UnitHold* hold_on(const Actor& actor, std::span<const UnitHold> holds, WallTime now) {
    return held(actor, holds, now).hold;
}

bool may(const Policy& policy, const Actor& actor, const Ask& ask) {
    return outcome_of(policy, actor, ask, Belongings(actor).all()).permitted();
}

bool may(const Actor& actor, const Ask& ask) {
    return may(default_policy(), actor, ask);
}

Decision decide(const Actor& actor, const Ask& ask) {
    return decide(default_policy(), actor, ask);
}

}  // namespace hygie::access
