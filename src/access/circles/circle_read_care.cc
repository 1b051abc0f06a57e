#include <algorithm>
#include <array>

#include "access/circles/circle_reading.h"

/// What ties a patient to others, or keeps them out: stays, appointments, consents, proxies.
namespace hygie::access {
namespace {

using fhir::Json;
using Kind = Relation::Kind;

/// What a provision is about: resource types as classes; everything clinical when it names none.
Classes classes_of(Json provision, Classes when_none) {
    Classes classes = 0;
    each_at(provision, "class.code", [&](Json code) {
        classes |= bit(class_of(code.text().substr(code.text().rfind('/') + 1)));
    });
    return classes != 0 ? classes : when_none;
}

/// All that a record holds of its patient.
constexpr Classes kOfRecord = kAllClasses & ~(bit(DataClass::Trace) | bit(DataClass::Directory));

/// What an opposition closes that names no data: to everybody, care; to one person, the whole
/// record. A unit still receives and bills whom it may not treat.
Classes closed_to(std::string_view party) {
    const bool is_person =
        party.starts_with("Practitioner/") || party.starts_with("PractitionerRole/");
    return is_person ? kOfRecord : kClinical;
}

/// Care at a distance, which ends with itself.
bool is_remote(Json concepts) {
    bool remote = mentions(concepts, {"téléconsult", "teleconsult", "télésoin", "telehealth"});
    const auto look = [&](Json code) {
        remote = remote || code.text() == "VR" || code.text() == "virtual";
    };
    each_at(concepts, "code", look);
    each_at(concepts, "coding.code", look);
    return remote;
}

}  // namespace

void Reading::patient() {
    facts_.births[self_] =
        has_time(resource_["birthDate"]) ? span_of(resource_["birthDate"]).from : 0;
    for (const Json& doctor : resource_["generalPractitioner"].items())
        bond(self_, name(doctor), Kind::GeneralPractitioner, {});
    each_at(resource_, "link", [&](Json link) {
        const std::string_view type = link["type"].text();
        if (type == "replaced-by") facts_.aliases[self_] = name(link["other"]);
        if (type == "replaces") facts_.aliases[name(link["other"])] = self_;
    });
    each_at(resource_, "meta.security.code", [&](Json code) {
        if ((label_of(code.text()) & (kRestricted | kMasked)) != 0)
            bond(self_, "", Kind::Restriction, {}, kClinical);
    });
}

void Reading::encounter() {
    if (never_happened(resource_)) return;
    const std::string patient = name(resource_["subject"]);
    const Json period =
        resource_["period"].absent() ? resource_["actualPeriod"] : resource_["period"];
    Span span = span_of(period);
    const std::string_view status = resource_["status"].text();
    if (status == "finished" || status == "completed" || status == "discharged")
        span = ended(span, resource_);
    const Kind kind = is_remote(resource_["class"]) ? Kind::Teleconsultation : Kind::Encounter;
    for (const Json& one : resource_["participant"].items()) {
        const std::string party =
            name(one["individual"].absent() ? one["actor"] : one["individual"]);
        if (!party.empty() && !party.starts_with("Patient"))
            bond(patient, party, kind, within(span, one["period"]));
    }
    for (const Json& one : resource_["location"].items()) {
        const std::string place = name(one["location"]);
        if (!place.empty() && one["status"].text() != "planned")
            bond(patient, place, Kind::Presence, within(span, one["period"]));
    }
    const std::string provider = name(resource_["serviceProvider"]);
    if (!provider.empty() && kind == Kind::Encounter) bond(patient, provider, kind, span);
}

/// Without a patient an appointment is a shift: these persons are on duty at these places.
void Reading::shift(const std::vector<std::string>& parties, Span span) {
    for (const std::string& party : parties)
        for (const std::string& place : parties)
            if (is_person_name(party) && is_unit_name(place))
                member(party, place, Post::OnCall, span);
}

void Reading::appointment() {
    if (never_happened(resource_)) return;
    Span span = {span_of(resource_["start"]).from, kForever};
    if (!has_time(resource_["start"])) {
        bool timed = false;
        each_at(resource_, "requestedPeriod", [&](Json period) {
            span = span_of(period);
            timed = true;
        });
        if (!timed) return;
    } else {
        span.to = has_time(resource_["end"]) ? span_of(resource_["end"]).to : span.from + 3600;
    }
    std::vector<std::string> patients, parties, slots;
    if (std::string subject = name(resource_["subject"]); subject.starts_with("Patient"))
        patients.push_back(std::move(subject));
    for (const Json& one : resource_["participant"].items()) {
        const std::string actor = name(one["actor"]);
        if (actor.empty() || one["status"].text() == "declined") continue;
        (actor.starts_with("Patient") ? patients : parties).push_back(actor);
    }
    const bool remote =
        std::ranges::any_of(std::array{"appointmentType", "serviceType", "serviceCategory"},
                            [&](std::string_view path) { return is_remote(resource_[path]); });
    const Kind kind = remote ? Kind::Teleconsultation : Kind::Appointment;
    facts_.appointment_patients[self_] = patients;
    for (const std::string& patient : patients)
        for (const std::string& party : parties) bond(patient, party, kind, span);
    if (patients.empty()) return shift(parties, span);
    each_at(resource_, "slot", [&](Json slot) { slots.push_back(name(slot)); });
    if (!slots.empty())
        facts_.booked.push_back({.patients = patients,
                                 .slots = std::move(slots),
                                 .evidence = self_,
                                 .kind = kind,
                                 .span = span});
}

void Reading::answer() {
    if (resource_["participantStatus"].text() == "declined") return;
    Span span = span_of(resource_["start"]);
    if (has_time(resource_["end"])) span.to = span_of(resource_["end"]).to;
    facts_.answers.push_back({.appointment = name(resource_["appointment"]),
                              .party = name(resource_["actor"]),
                              .evidence = self_,
                              .span = span});
}

void Reading::provision(Json provision, const std::string& patient, const Standing& outer,
                        bool is_root) {
    const std::string_view type = provision["type"].text();
    const Standing span = outer.within(provision["period"]);
    const bool deny =
        type == "deny" || (type.empty() && resource_["policyRule"]["coding"].size() > 0 &&
                           mentions(resource_["policyRule"], {"optout", "opt-out"}));
    std::vector<std::string> actors;
    each_at(provision, "actor.reference", [&](Json reference) {
        std::string actor = name(reference);
        if (!actor.empty()) actors.push_back(std::move(actor));
    });
    if (deny && actors.empty() && (is_root || !provision["class"].absent()))
        bond(patient, "", Kind::Opposition, span.against, classes_of(provision, kClinical));
    for (const std::string& actor : actors) {
        if (actor == patient) continue;
        if (deny)
            bond(patient, actor, Kind::Opposition, span.against,
                 classes_of(provision, closed_to(actor)));
        else
            bond(patient, actor, Kind::Consent, span.for_them, classes_of(provision, kAllClasses));
    }
}

/// Since when a consent stands, by its date. An opposition that is here was said by then: a clock
/// that is ahead, at whoever wrote it down, does not make it wait.
Reading::Standing Reading::standing() const {
    const Json said = resource_["dateTime"].absent() ? resource_["date"] : resource_["dateTime"];
    const Json written = resource_["meta"]["lastUpdated"];
    Second against = span_of(said, Rounding::Out).from;
    if (has_time(written)) against = std::min(against, span_of(written, Rounding::Out).from);
    return {.for_them = {span_of(said).from, kForever}, .against = {against, kForever}};
}

void Reading::consent() {
    if (resource_["status"].text() != "active") return;
    const std::string patient =
        name(resource_["patient"].absent() ? resource_["subject"] : resource_["patient"]);
    const Standing span = standing();
    const Json root = resource_["provision"];
    const bool opts_out = mentions(resource_["policyRule"], {"optout", "opt-out"}) ||
                          resource_["decision"].text() == "deny";
    if (root.absent() && opts_out) bond(patient, "", Kind::Opposition, span.against, kClinical);
    if (root.is_array())
        for (const Json& one : root.items()) provision(one, patient, span, false);
    if (!root.is_object()) return;
    provision(root, patient, span, true);
    const Standing inner = span.within(root["period"]);
    for (const Json& nested : root["provision"].items()) provision(nested, patient, inner, false);
}

void Reading::related_person() {
    if (resource_["active"].text() == "false") return;
    const std::string patient = name(resource_["patient"]);
    bool parent = false, guardian = false;
    static constexpr std::array<std::string_view, 9> kParents = {
        "PRN", "MTH", "FTH", "PRNFOST", "STPPRN", "NMTH", "NFTH", "ADOPTP", "GESTM"};
    static constexpr std::array<std::string_view, 5> kGuardians = {"GUARD", "GUADLTM", "POWATT",
                                                                   "HPOWATT", "SPOWATT"};
    each_at(resource_, "relationship.coding.code", [&](Json code) {
        parent = parent || std::ranges::find(kParents, code.text()) != kParents.end();
        guardian = guardian || std::ranges::find(kGuardians, code.text()) != kGuardians.end();
    });
    if (mentions(resource_["relationship"], {"tuteur", "tutrice", "guardian"})) guardian = true;
    if (mentions(resource_["relationship"], {"parent", "mother", "father", "mère", "père"}))
        parent = true;
    if (!parent && !guardian) return;
    bond(patient, self_, Kind::Proxy, span_of(resource_["period"]));
    // A parent's right ends with the child's minority.
    if (!guardian && !facts_.bonds.empty() && facts_.bonds.back().evidence == self_)
        facts_.bonds.back().until_majority = true;
}

void Reading::flag() {
    if (resource_["status"].text() != "active") return;
    if (mentions(resource_["code"], {"confiden", "vip", "restrict", "masqu"}))
        bond(name(resource_["subject"]), "", Kind::Restriction, span_of(resource_["period"]),
             kClinical);
}

}  // namespace hygie::access
