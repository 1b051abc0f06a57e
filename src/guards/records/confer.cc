#include "guards/records/confer.h"

#include <algorithm>
#include <array>

#include "access/circle_read.h"
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

class Judging {
  public:
    Judging(const Call& call, const Step& step) : actor_(call.actor), step_(step) {
        facts_.local_only = true;
        access::read_resource(step.change.body, facts_);
    }

    bool widens() const {
        const bool joins =
            std::ranges::any_of(facts_.memberships, [&](const access::ReadMembership& one) {
                return one.person == actor_.person && !is_there(one.party);
            });
        const bool speaks_for_others = std::ranges::any_of(
            facts_.delegations,
            [&](const access::ReadDelegation& one) { return one.principal != actor_.person; });
        return joins || speaks_for_others || takes_a_shift() || moves_a_unit();
    }

  private:
    bool is_there(const std::string& party) const {
        // What is new ties nobody yet.
        if (step_.is_new && party == step_.reference()) return true;
        return party == actor_.organisation || party == actor_.person ||
               std::ranges::any_of(actor_.belongs, [&](const access::Belonging& one) {
                   return one.party == party;
               });
    }
    bool takes_a_shift() const {
        return std::ranges::any_of(facts_.rosters, [&](const auto& named) {
            const access::ReadFacts::Roster& roster = named.second;
            return std::ranges::count(roster.persons, actor_.person) > 0 &&
                   !std::ranges::all_of(roster.units,
                                        [&](const std::string& unit) { return is_there(unit); });
        });
    }
    bool moves_a_unit() const {
        if (step_.is_new || std::ranges::find(kUnits, step_.change.type) == kUnits.end())
            return false;
        const auto unit = facts_.units.find(step_.reference());
        return (unit != facts_.units.end() && !unit->second.above.empty()) ||
               !facts_.service_places.empty();
    }

    const access::Actor& actor_;
    const Step& step_;
    access::ReadFacts facts_;
};

}  // namespace

Answer<void> check_confers(const Call& call, const Step& step) {
    using access::Role;
    const bool is_person = call.actor.role == Role::Care || call.actor.role == Role::Desk;
    const bool is_house = step.patient.empty() || step.patient == vault::kUnassigned;
    if (!is_house || !is_person || !step.has_body()) return {};
    if (Judging(call, step).widens()) return std::unexpected(refusal());
    return {};
}

}  // namespace hygie::records
