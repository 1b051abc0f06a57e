#include "vault/relations.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "access/circle_read.h"

namespace hygie::vault {
namespace {

using access::Relation;

/// Acts (observations, reports…) are left out: a record has thousands, and whoever performs one is
/// tied by what ordered it.
constexpr std::array<std::string_view, 10> kTypes = {
    "Appointment", "CareTeam", "Consent",       "Encounter",      "EpisodeOfCare",
    "Flag",        "Patient",  "RelatedPerson", "ServiceRequest", "Task"};
constexpr std::array<std::string_view, 3> kOver = {"finished", "fulfilled", "completed"};
constexpr std::array<std::string_view, 7> kParties = {
    "Practitioner/", "PractitionerRole/",  "Organization/", "Location/",
    "CareTeam/",     "HealthcareService/", "RelatedPerson/"};

bool may_be_party(const access::ReadBond& bond) {
    const bool refuses =
        bond.kind == Relation::Kind::Opposition || bond.kind == Relation::Kind::Restriction;
    if (bond.party.empty()) return refuses;
    return std::ranges::any_of(kParties,
                               [&](std::string_view type) { return bond.party.starts_with(type); });
}

}  // namespace

std::vector<Relation> relations_of(fhir::Json resource, WallTime updated) {
    if (std::ranges::find(kTypes, resource["resourceType"].text()) == kTypes.end()) return {};
    access::ReadFacts facts;
    facts.local_only = true;
    access::read_resource(resource, facts);
    const bool has_end = !resource["period"]["end"].absent() || !resource["end"].absent();
    const bool is_over =
        !has_end && std::ranges::find(kOver, resource["status"].text()) != kOver.end();
    std::vector<Relation> relations;
    for (const access::ReadBond& bond : facts.bonds) {
        // A parent's right ends with a majority that this resource does not know.
        if (!may_be_party(bond) || bond.until_majority) continue;
        Relation relation{.person = bond.party,
                          .kind = bond.kind,
                          .start = access::time_of(bond.span.from),
                          .end = is_over ? updated : access::time_of(bond.span.to),
                          .evidence = bond.evidence,
                          .classes = bond.classes};
        if (relation.end < relation.start ||
            std::ranges::find(relations, relation) != relations.end())
            continue;
        relations.push_back(std::move(relation));
    }
    return relations;
}

}  // namespace hygie::vault
