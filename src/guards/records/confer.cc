#include "guards/records/confer.h"

#include <algorithm>
#include <array>

#include "access/circle_read.h"
#include "guards/records/staff_room.h"
#include "vault/unassigned.h"

namespace hygie::records {
namespace {

constexpr std::array<std::string_view, 3> kUnits = {"Location", "Organization",
                                                    "HealthcareService"};

Refusal refusal() {
    const Text what{"personne ne s'affecte, ne se délègue ni ne déplace un service soi-même",
                    "nobody assigns, delegates to or moves a unit by oneself"};
    Refusal refusal(403, "forbidden", what,
                    {"demandez-le à la personne qui tient l'annuaire, ou à qui délègue",
                     "ask who keeps the directory, or who delegates"});
    refusal.reasons = {{.id = "circle.confers", .text = what, .evidence = {}}};
    return refusal;
}

bool is_of_house(const Step& step) {
    return step.has_body() && (step.patient.empty() || step.patient == vault::kUnassigned);
}

bool speaks_for_others(const access::Actor& actor, const access::ReadFacts& facts) {
    return std::ranges::any_of(facts.delegations, [&](const access::ReadDelegation& one) {
        return one.principal != actor.person;
    });
}

/// Nobody believes it (access/staff_book.h); it is not written either.
bool claims_to_be_another(const access::Actor& actor, const access::ReadFacts& facts) {
    return std::ranges::any_of(facts.memberships, [&](const access::ReadMembership& one) {
        return one.post == access::Post::Self && one.person == actor.person;
    });
}

bool moves_a_unit(const Step& step, const access::ReadFacts& facts) {
    if (step.is_new || std::ranges::find(kUnits, step.change.type) == kUnits.end()) return false;
    const auto unit = facts.units.find(step.reference());
    return (unit != facts.units.end() && !unit->second.above.empty()) ||
           !facts.service_places.empty();
}

/// Whether the writer belongs there already, in the same way and for as long.
bool is_there(const access::Actor& actor, const Plan& plan, const access::Belonging& would) {
    // What is new ties nobody yet.
    const bool is_new = std::ranges::any_of(plan.steps, [&](const Step& step) {
        return step.is_new && step.reference() == would.party;
    });
    return is_new || would.party == actor.organisation ||
           std::ranges::any_of(actor.belongs, [&](const access::Belonging& one) {
               return one.party == would.party && one.post == would.post &&
                      one.start <= would.start && would.end <= one.end;
           });
}

/// Whether the writer would belong anywhere else, were the plan carried out.
bool widens(Sight& sight, const Plan& plan) {
    std::vector<access::StaffBook::Draft> drafts;
    for (const Step& step : plan.steps) {
        // Of what names no patient, teams alone tie anybody.
        const bool ties =
            is_of_house(step) && (step.patient.empty() || step.change.type == "CareTeam");
        if (ties) drafts.push_back({step.reference(), fhir::to_text(step.change.body)});
    }
    const Call& call = sight.call();
    if (drafts.empty() || call.actor.person.empty()) return false;
    const auto would = sight.desk().staff->belongings_with(call.policy, call.actor.person, drafts);
    return !std::ranges::all_of(
        would, [&](const access::Belonging& one) { return is_there(call.actor, plan, one); });
}

}  // namespace

Answer<void> check_confers(Sight& sight, const Plan& plan) {
    using access::Role;
    const access::Actor& actor = sight.call().actor;
    if (actor.role != Role::Care && actor.role != Role::Desk) return {};
    for (const Step& step : plan.steps) {
        if (!is_of_house(step)) continue;
        access::ReadFacts facts;
        facts.local_only = true;
        access::read_resource(step.change.body, facts);
        if (speaks_for_others(actor, facts) || claims_to_be_another(actor, facts) ||
            moves_a_unit(step, facts))
            return std::unexpected(refusal());
    }
    if (widens(sight, plan)) return std::unexpected(refusal());
    return {};
}

}  // namespace hygie::records
