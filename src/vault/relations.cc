#include "vault/relations.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "fhir/search_value.h"

namespace hygie::vault {
namespace {

using access::Relation;
using fhir::Json;

constexpr std::array<std::string_view, 5> kNeverHappened = {"entered-in-error", "cancelled",
                                                            "noshow", "proposed", "inactive"};
constexpr std::array<std::string_view, 3> kOver = {"finished", "fulfilled", "completed"};
constexpr std::array<std::string_view, 3> kPersons = {"Practitioner", "PractitionerRole",
                                                      "Organization"};

struct Span {
    WallTime start = WallTime::min();
    WallTime end = WallTime::max();
};

/// Of what is written like a Period: its own start and end, within `around`.
Span span_of(Json period, Span around) {
    if (const auto start = fhir::parse_date(period["start"].text()))
        around.start =
            std::max(around.start, WallTime(Micros(start->first / fhir::kDateUnitsPerMicro)));
    if (const auto end = fhir::parse_date(period["end"].text()))
        around.end = std::min(around.end, WallTime(Micros(end->last / fhir::kDateUnitsPerMicro)));
    return around;
}

class Collector {
  public:
    Collector(Json resource, Relation::Kind kind)
        : kind_(kind),
          evidence_(std::string(resource["resourceType"].text()) + '/' +
                    std::string(resource["id"].text())) {}

    void add(Json reference, Span span) {
        const fhir::Reference to = fhir::parse_reference(reference["reference"].text());
        if (std::ranges::find(kPersons, to.type) == kPersons.end() || span.end < span.start) return;
        found_.push_back({.person = std::string(to.type) + '/' + std::string(to.id),
                          .kind = kind_,
                          .start = span.start,
                          .end = span.end,
                          .evidence = evidence_});
    }
    std::vector<Relation> take() { return std::move(found_); }

  private:
    Relation::Kind kind_;
    std::string evidence_;
    std::vector<Relation> found_;
};

std::vector<Relation> of_patient(Json patient) {
    Collector found(patient, Relation::Kind::GeneralPractitioner);
    for (const Json& doctor : patient["generalPractitioner"].items()) found.add(doctor, {});
    return found.take();
}

std::vector<Relation> of_care_team(Json team) {
    Collector found(team, Relation::Kind::CareTeam);
    const Span span = span_of(team["period"], {});
    for (const Json& participant : team["participant"].items())
        found.add(participant["member"], span_of(participant["period"], span));
    return found.take();
}

std::vector<Relation> of_encounter(Json encounter, Span span) {
    Collector found(encounter, Relation::Kind::Encounter);
    span = span_of(encounter["period"], span);
    for (const Json& participant : encounter["participant"].items())
        found.add(participant["individual"], span_of(participant["period"], span));
    found.add(encounter["serviceProvider"], span);
    return found.take();
}

std::vector<Relation> of_appointment(Json appointment, Span span) {
    Collector found(appointment, Relation::Kind::Appointment);
    span = span_of(appointment, span);
    for (const Json& participant : appointment["participant"].items())
        found.add(participant["actor"], span_of(participant["period"], span));
    return found.take();
}

std::vector<Relation> of_episode(Json episode, Span span) {
    Collector found(episode, Relation::Kind::EpisodeOfCare);
    span = span_of(episode["period"], span);
    found.add(episode["careManager"], span);
    found.add(episode["managingOrganization"], span);
    return found.take();
}

}  // namespace

std::vector<Relation> relations_of(Json resource, WallTime updated) {
    const std::string_view type = resource["resourceType"].text();
    if (type == "Patient") return of_patient(resource);
    const std::string_view status = resource["status"].text();
    if (std::ranges::find(kNeverHappened, status) != kNeverHappened.end()) return {};
    Span span;
    // A period says it better; span_of only ever narrows, so this is for those without one.
    const bool has_end = !resource["period"]["end"].absent() || !resource["end"].absent();
    if (!has_end && std::ranges::find(kOver, status) != kOver.end()) span.end = updated;
    if (type == "CareTeam") return of_care_team(resource);
    if (type == "Encounter") return of_encounter(resource, span);
    if (type == "Appointment") return of_appointment(resource, span);
    if (type == "EpisodeOfCare") return of_episode(resource, span);
    return {};
}

}  // namespace hygie::vault
