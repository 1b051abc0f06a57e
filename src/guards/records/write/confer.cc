#include "guards/records/write/confer.h"

#include <algorithm>
#include <array>
#include <set>

#include "access/circles/circle_read.h"
#include "guards/records/desk/staff_room.h"
#include "vault/unassigned.h"

namespace hygie::records {
namespace {

constexpr std::array<std::string_view, 3> kUnits = {"Location", "Organization",
                                                    "HealthcareService"};

Refusal refusal() {
    const Text what{
        "qui soigne ou accueille n'affecte personne, ne se délègue rien et ne déplace "
        "aucun service",
        "who treats or receives patients assigns nobody, takes no delegation and moves "
        "no unit"};
    Refusal refusal(403, "forbidden", what,
                    {"demandez-le à la personne qui tient l'annuaire, ou à qui délègue",
                     "ask who keeps the directory, or who delegates"});
    refusal.reasons = {{.id = "circle.confers", .text = what, .evidence = {}}};
    return refusal;
}

bool is_of_house(const Step& step) {
    return step.has_body() && !vault::is_of_patient(step.patient);
}

bool speaks_for_others(const access::Actor& actor, const access::ReadFacts& facts) {
    return std::ranges::any_of(facts.delegations, [&](const access::ReadDelegation& one) {
        return one.principal != actor.person;
    });
}

/// Nobody believes it (access/circles/staff_book.h); it is not written either.
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

/// Whether who belongs to `now` is there already, in the same way and for as long.
bool is_there(std::span<const access::Belonging> now, const Plan& plan,
              const access::Belonging& would) {
    // What is new ties nobody yet.
    const bool is_new = std::ranges::any_of(plan.steps, [&](const Step& step) {
        return step.is_new && step.reference() == would.party;
    });
    return is_new || std::ranges::any_of(now, [&](const access::Belonging& one) {
               return one.party == would.party && one.post == would.post &&
                      one.start <= would.start && would.end <= one.end;
           });
}

/// What of the plan says who belongs where: of what names no patient, teams and Persons alone.
std::vector<access::StaffBook::Draft> drafts_of(const Plan& plan) {
    std::vector<access::StaffBook::Draft> drafts;
    for (const Step& step : plan.steps) {
        const bool ties =
            is_of_house(step) && (step.patient.empty() || step.change.type == "CareTeam" ||
                                  step.change.type == "Person");
        if (ties) drafts.push_back({step.reference(), fhir::to_text(step.change.body)});
    }
    return drafts;
}

/// Others whom the plan places somewhere, by the names it uses.
std::set<std::string> placed_by(const Plan& plan, const std::string& writer) {
    std::set<std::string> names;
    for (const Step& step : plan.steps) {
        if (!is_of_house(step)) continue;
        access::ReadFacts facts;
        facts.local_only = true;
        access::read_resource(step.change.body, facts);
        for (const access::ReadMembership& one : facts.memberships)
            if (one.post != access::Post::Self) names.insert(one.person);
        for (const auto& [schedule, roster] : facts.rosters)
            names.insert(roster.persons.begin(), roster.persons.end());
    }
    names.erase(writer);
    return names;
}

/// Whether the writer, or somebody else, would belong anywhere else, were the plan carried out. By
/// a delegation they may: it gives what is the delegate's principal's.
bool widens(Sight& sight, const Plan& plan) {
    const auto drafts = drafts_of(plan);
    const Call& call = sight.call();
    if (drafts.empty()) return false;
    StaffRoom& staff = *sight.desk().staff;
    const auto would = staff.belongings_with(call.policy, call.actor.person, drafts);
    const auto stays = [&](const access::Belonging& one) {
        return one.party == call.actor.organisation || is_there(call.actor.belongs, plan, one);
    };
    if (!std::ranges::all_of(would, stays)) return true;
    return std::ranges::any_of(placed_by(plan, call.actor.person), [&](const std::string& other) {
        const auto before = staff.belongings(call.policy, other);
        const auto after = staff.belongings_with(call.policy, other, drafts);
        return !std::ranges::all_of(after, [&](const access::Belonging& one) {
            return one.depth > 0 || is_there(before, plan, one);
        });
    });
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
