#include "vault/relations.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "access/circles/circle_read.h"

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

/// A parent's right ends with a majority that the parent's own resource does not know.
void add_minority(const access::ReadFacts& facts, WallTime updated,
                  std::vector<Relation>& relations) {
    for (const auto& [patient, birth] : facts.births) {
        const WallTime majority = access::time_of(birth + access::kMajority);
        if (birth == 0 || majority <= updated) continue;
        relations.push_back({.person = {},
                             .kind = Relation::Kind::Minority,
                             .start = access::time_of(birth),
                             .end = majority,
                             .evidence = patient});
    }
}

/// Bonds hold by whole seconds: what began in the second of its writing may not have begun yet.
constexpr auto kSurelyBegun = std::chrono::seconds(1);

bool only_lets_in(Relation::Kind kind) {
    return kind != Relation::Kind::Opposition && kind != Relation::Kind::Restriction &&
           kind != Relation::Kind::Parent && kind != Relation::Kind::Minority;
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
        if (!may_be_party(bond)) continue;
        Relation relation{.person = bond.party,
                          .kind = bond.until_majority ? Relation::Kind::Parent : bond.kind,
                          .start = access::time_of(bond.span.from),
                          .end = is_over ? updated : access::time_of(bond.span.to),
                          .evidence = bond.evidence,
                          .classes = bond.classes};
        if (relation.end < relation.start ||
            std::ranges::find(relations, relation) != relations.end())
            continue;
        relations.push_back(std::move(relation));
    }
    add_minority(facts, updated, relations);
    return relations;
}

std::vector<Relation> lasting(std::span<const Relation> relations,
                              const std::function<WallTime(const Relation&)>& written) {
    std::vector<Relation> kept;
    std::vector<std::size_t> begun;  // of those kept
    for (const Relation& relation : relations) {
        if (!only_lets_in(relation.kind) || relation.start > written(relation) - kSurelyBegun) {
            kept.push_back(relation);
            continue;
        }
        const auto same = std::ranges::find_if(begun, [&](std::size_t i) {
            return kept[i].person == relation.person && kept[i].kind == relation.kind &&
                   kept[i].classes == relation.classes;
        });
        if (same == begun.end()) {
            begun.push_back(kept.size());
            kept.push_back(relation);
        } else if (kept[*same].end < relation.end) {
            kept[*same] = relation;
        }
    }
    kept.shrink_to_fit();
    return kept;
}

}  // namespace hygie::vault
