#include "access/circles/circle_world.h"
#include "access/decide/circle_words.h"

/// What a hospital decides, told with its proof path.
namespace hygie::access {

void CircleWorld::hold(const UnitHold& hold) {
    const auto unit = parties_.find(canonical(hold.unit));
    if (!unit) return;
    // What refuses begins no later, and ends no earlier, than it was said to.
    index_->hold({.unit = *unit,
                  .from = second_of(hold.since),
                  .to = hold.until == WallTime{} ? kForever : start_second(hold.until),
                  .evidence = evidence_.number_of(hold.evidence)});
}

ProofStep CircleWorld::step_of(ActorNumber actor, const Membership& member) const {
    return {.subject = actors_[actor],
            .relation = std::string(name_of(member.post)),
            .object = party_name(member.party),
            .evidence = evidence_[member.evidence],
            .start = time_of(member.from),
            .end = time_of(member.to)};
}

/// Where the actor works, and what holds that.
void CircleWorld::add_hold(ActorNumber actor, Second now, Decision& decision) const {
    const auto held = index_->held(actor, now);
    if (!held) return;
    const auto& [unit, member] = *held;
    decision.proof.push_back(step_of(actor, member));
    decision.proof.push_back({.subject = party_name(unit.unit),
                              .relation = "contained",
                              .object = "incident",
                              .evidence = evidence_[unit.evidence],
                              .start = time_of(unit.from),
                              .end = time_of(unit.to)});
}

Decision CircleWorld::explain(ActorNumber actor, PatientNumber patient, const Query& query) const {
    const Outcome outcome = index_->decide(actor, patient, query);
    Decision decision{.permitted = outcome.permitted(),
                      .rule = static_cast<std::uint8_t>(outcome.rule),
                      .obligations = outcome.obligations};
    const Link link = outcome.permitted() ? outcome.proof : outcome.against;
    std::string source;
    if (link.there()) {
        const Bond bond = index_->bond(patient, link.bond);
        const Membership& member = index_->membership(actor, link.member);
        source = evidence_[bond.evidence];
        if (member.post != Post::Self) decision.proof.push_back(step_of(actor, member));
        decision.proof.push_back({.subject = party_name(bond.party),
                                  .relation = std::string(name_of(bond.kind)),
                                  .object = patients_[patient],
                                  .evidence = source,
                                  .start = time_of(bond.from),
                                  .end = time_of(bond.to)});
    }
    if (outcome.rule == Rule::Contained || outcome.rule == Rule::Emergency)
        add_hold(actor, query.now, decision);
    if (outcome.rule == Rule::Contained) source = decision.proof.back().evidence;
    decision.reasons = reasons_of(outcome, std::move(source));
    return decision;
}

}  // namespace hygie::access
