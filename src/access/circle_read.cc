#include "access/circle_read.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>

#include "fhir/search_value.h"

namespace hygie::access {
namespace {

using fhir::Json;
using Kind = Relation::Kind;

constexpr int kBundleDepthMax = 3;

constexpr std::array<std::string_view, 8> kNeverHappened = {
    "entered-in-error", "cancelled", "noshow",  "declined",
    "inactive",         "rejected",  "revoked", "draft"};
const std::initializer_list<std::string_view> kOnCallWords = {"on-call", "oncall",    "on call",
                                                              "garde",   "astreinte", "duty"};
const std::initializer_list<std::string_view> kDeskWords = {
    "secr",    "recep",  "accueil",  "admission", "administrat", "clerk",
    "billing", "factur", "standard", "guichet",   "front desk",  "receptionist"};
const std::initializer_list<std::string_view> kDelegationWords = {"deleg", "délég", "rempla",
                                                                  "replac", "substitut"};

bool never_happened(Json resource) {
    return std::ranges::find(kNeverHappened, resource["status"].text()) != kNeverHappened.end();
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

Span within(Span outer, Json period) {
    const Span inner = span_of(period);
    return {std::max(outer.from, inner.from), std::min(outer.to, inner.to)};
}

/// A thing that is over but does not say when ends when it was last written, or a day after it
/// began.
Span ended(Span span, Json resource) {
    if (span.to != kForever) return span;
    const Json updated = resource["meta"]["lastUpdated"];
    if (has_time(updated)) return {span.from, std::max(span.from, span_of(updated).to)};
    return {span.from, span.from == 0 ? 0 : span.from + 86'400};
}

bool is_person(std::string_view name) {
    return name.starts_with("Practitioner/") || name.starts_with("Practitioner?") ||
           name.starts_with("PractitionerRole") || name.starts_with("RelatedPerson") ||
           name.starts_with("Device/") || name.starts_with("urn:") || name.starts_with("?");
}

bool is_unit(std::string_view name) {
    return name.starts_with("Location") || name.starts_with("Organization") ||
           name.starts_with("HealthcareService");
}

class Reading {
  public:
    Reading(Json resource, std::string self, ReadFacts& facts)
        : resource_(resource), self_(std::move(self)), facts_(facts) {}

    void patient();
    void practitioner();
    void position();
    void unit();
    void encounter();
    void appointment();
    void answer();
    void team();
    void group();
    void consent();
    void related_person();
    void person();
    void schedule();
    void slot();
    void flag();
    void delegation(std::string_view delegate, std::string_view principal, Json period);

  private:
    void bond(const std::string& patient, const std::string& party, Kind kind, Span span,
              Classes classes = kAllClasses) {
        if (patient.empty() || span.from >= span.to) return;
        facts_.bonds.push_back({patient, party, kind, span, self_, classes, false});
    }
    void member(const std::string& person, const std::string& party, Post post, Span span) {
        if (person.empty() || party.empty() || span.from >= span.to) return;
        facts_.memberships.push_back({person, party, post, span, self_});
    }
    std::string name(Json reference) const { return reference_name(reference, facts_.local_only); }
    void note_trades(Json concepts, const std::string& who, Span span);
    void provision(Json provision, const std::string& patient, Span span, bool is_root);

    Json resource_;
    std::string self_;
    ReadFacts& facts_;
};

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

void note_profession(Json concepts, ReadPerson& person) {
    each_at(concepts, "coding", [&](Json coding) {
        const std::string system = lower(coding["system"].text());
        const bool professions = system.contains("g15") || system.contains("1.2.250.1.71.1.2.7");
        if (professions && person.profession.empty()) person.profession = coding["code"].text();
    });
}

void Reading::practitioner() {
    ReadPerson& person = facts_.persons[self_];
    const auto names = resource_["name"].items();
    const Json name = names.empty() ? Json() : names[0];
    person.name = name["text"].text();
    if (person.name.empty()) {
        each_at(name, "given", [&](Json given) { person.name.append(given.text()).append(" "); });
        person.name += name["family"].text();
    }
    for (const Json& one : resource_["qualification"].items()) note_profession(one["code"], person);
}

/// Requests may name no person but who does such things: "any dietitian".
void Reading::note_trades(Json concepts, const std::string& who, Span span) {
    each_at(concepts, "coding.code",
            [&](Json code) { member(who, trade_of(code.text()), Post::Team, span); });
    struct Trade {
        std::string_view name;
        std::initializer_list<std::string_view> words;
    };
    static const Trade kTrades[] = {{"pharmacy", {"pharma"}},
                                    {"laboratory", {"labor", "biolog", "lab tech"}},
                                    {"imaging", {"radiolog", "imag", "manipul", "radiograph"}}};
    for (const Trade& trade : kTrades)
        if (mentions(concepts, trade.words)) member(who, trade_of(trade.name), Post::Team, span);
}

void Reading::position() {
    const std::string who = name(resource_["practitioner"]);
    if (who.empty() || resource_["active"].text() == "false") return;
    const Span span = span_of(resource_["period"]);
    ReadPerson& person = facts_.persons[who];
    const Json code = resource_["code"];
    note_profession(code, person);
    note_profession(resource_["specialty"], person);
    const bool desk = mentions(code, kDeskWords);
    person.is_desk = person.is_desk || desk;
    person.is_care = person.is_care || !desk;
    note_trades(code, who, span);
    note_trades(resource_["specialty"], who, span);
    const Post post = mentions(code, kOnCallWords) ? Post::OnCall : Post::Unit;
    member(who, self_, Post::Position, span);
    for (const std::string_view path : {"organization", "location", "healthcareService"})
        each_at(resource_, path, [&](Json unit) { member(who, name(unit), post, span); });
    each_at(resource_, "extension", [&](Json extension) {
        const std::string url = lower(extension["url"].text());
        const bool says = std::ranges::any_of(
            kDelegationWords, [&](std::string_view word) { return url.contains(word); });
        if (says || url.contains("behalf"))
            delegation(who, name(extension["valueReference"]), resource_["period"]);
    });
}

void Reading::delegation(std::string_view delegate, std::string_view principal, Json period) {
    if (delegate.empty() || principal.empty() || delegate == principal) return;
    const Span span = span_of(period);
    if (span.from >= span.to) return;
    facts_.delegations.push_back({std::string(delegate), std::string(principal), span, self_});
}

void Reading::unit() {
    ReadUnit& unit = facts_.units[self_];
    for (const std::string_view path : {"partOf", "managingOrganization", "providedBy"})
        each_at(resource_, path, [&](Json above) {
            std::string there = name(above);
            if (!there.empty() && there != self_) unit.above.push_back(std::move(there));
        });
    each_at(resource_, "location",
            [&](Json place) { facts_.service_places[self_].push_back(name(place)); });
    static constexpr std::array<std::string_view, 8> kWhole = {"prov", "si",   "bu",   "govt",
                                                               "ins",  "site", "HOSP", "wi"};
    static constexpr std::array<std::string_view, 9> kTeams = {"dept", "team", "wa", "ro", "bd",
                                                               "HU",   "UF",   "SU", "ICU"};
    for (const std::string_view path : {"type.coding.code", "physicalType.coding.code"})
        each_at(resource_, path, [&](Json code) {
            unit.is_whole = unit.is_whole || std::ranges::find(kWhole, code.text()) != kWhole.end();
            unit.is_team = unit.is_team || std::ranges::find(kTeams, code.text()) != kTeams.end();
        });
}

void Reading::encounter() {
    if (never_happened(resource_)) return;
    const std::string patient = name(resource_["subject"]);
    Span span = span_of(resource_["period"]);
    const std::string_view status = resource_["status"].text();
    if (status == "finished" || status == "completed") span = ended(span, resource_);
    const std::string_view way = resource_["class"]["code"].text();
    const Kind kind = way == "VR" || way == "virtual" ? Kind::Teleconsultation : Kind::Encounter;
    for (const Json& one : resource_["participant"].items()) {
        const std::string party = name(one["individual"]);
        if (!party.empty()) bond(patient, party, kind, within(span, one["period"]));
    }
    for (const Json& one : resource_["location"].items()) {
        const std::string place = name(one["location"]);
        if (!place.empty()) bond(patient, place, Kind::Presence, within(span, one["period"]));
    }
    const std::string provider = name(resource_["serviceProvider"]);
    if (!provider.empty() && kind == Kind::Encounter) bond(patient, provider, kind, span);
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
    std::vector<std::string> patients, parties;
    for (const Json& one : resource_["participant"].items()) {
        const std::string actor = name(one["actor"]);
        if (actor.empty() || one["status"].text() == "declined") continue;
        (actor.starts_with("Patient") ? patients : parties).push_back(actor);
    }
    facts_.appointment_patients[self_] = patients;
    for (const std::string& patient : patients)
        for (const std::string& party : parties) bond(patient, party, Kind::Appointment, span);
    if (!patients.empty()) return;
    // Without a patient it is a shift: these persons are on duty at these places.
    for (const std::string& party : parties)
        for (const std::string& place : parties)
            if (is_person(party) && is_unit(place)) member(party, place, Post::OnCall, span);
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

void Reading::team() {
    const bool over = resource_["status"].text() == "inactive";
    if (!over && never_happened(resource_)) return;
    const std::string patient = name(resource_["subject"]);
    Span span = span_of(resource_["period"]);
    if (over) span = ended(span, resource_);
    const bool on_call =
        mentions(resource_["category"], kOnCallWords) || mentions(resource_["name"], kOnCallWords);
    for (const Json& one : resource_["participant"].items()) {
        const std::string who = name(one["member"]);
        if (who.empty() || who.starts_with("Patient")) continue;
        const Span time = within(span, one["period"]);
        bond(patient, who, Kind::CareTeam, time);
        member(who, self_, Post::Team, time);
        if (!patient.empty()) continue;
        each_at(resource_, "managingOrganization", [&](Json unit) {
            member(who, name(unit), on_call ? Post::OnCall : Post::Unit, time);
        });
    }
    each_at(resource_, "managingOrganization",
            [&](Json unit) { bond(patient, name(unit), Kind::CareTeam, span); });
}

void Reading::group() {
    if (resource_["active"].text() == "false") return;
    const std::string manager = name(resource_["managingEntity"]);
    for (const Json& one : resource_["member"].items()) {
        const std::string who = name(one["entity"]);
        if (who.empty() || one["inactive"].text() == "true") continue;
        const Span span = span_of(one["period"]);
        if (!who.starts_with("Patient")) {
            member(who, self_, Post::Team, span);
            continue;
        }
        bond(who, self_, Kind::Cohort, span);
        if (!manager.empty()) bond(who, manager, Kind::Cohort, span);
    }
}

/// What a provision is about: resource types as classes; everything clinical when it names none.
Classes classes_of(Json provision, Classes when_none) {
    Classes classes = 0;
    each_at(provision, "class.code", [&](Json code) {
        classes |= bit(class_of(code.text().substr(code.text().rfind('/') + 1)));
    });
    return classes != 0 ? classes : when_none;
}

void Reading::provision(Json provision, const std::string& patient, Span span, bool is_root) {
    const std::string_view type = provision["type"].text();
    span = within(span, provision["period"]);
    const bool deny =
        type == "deny" || (type.empty() && resource_["policyRule"]["coding"].size() > 0 &&
                           mentions(resource_["policyRule"], {"optout", "opt-out"}));
    std::vector<std::string> actors;
    each_at(provision, "actor.reference", [&](Json reference) {
        std::string actor = name(reference);
        if (!actor.empty()) actors.push_back(std::move(actor));
    });
    if (deny && actors.empty() && (is_root || !provision["class"].absent()))
        bond(patient, "", Kind::Opposition, span, classes_of(provision, kClinical));
    for (const std::string& actor : actors) {
        if (actor == patient) continue;
        if (deny)
            bond(patient, actor, Kind::Opposition, span, classes_of(provision, kClinical));
        else
            bond(patient, actor, Kind::Consent, span, classes_of(provision, kAllClasses));
    }
}

void Reading::consent() {
    const std::string_view status = resource_["status"].text();
    if (status != "active") return;
    const std::string patient = name(resource_["patient"]);
    const Span span = {span_of(resource_["dateTime"]).from, kForever};
    const Json root = resource_["provision"];
    if (root.absent()) {
        if (mentions(resource_["policyRule"], {"optout", "opt-out"}))
            bond(patient, "", Kind::Opposition, span, kClinical);
        return;
    }
    provision(root, patient, span, true);
    const Span inner = within(span, root["period"]);
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

void Reading::person() {
    std::vector<std::string> same;
    each_at(resource_, "link.target", [&](Json target) { same.push_back(name(target)); });
    for (const std::string& left : same)
        for (const std::string& right : same)
            if (left != right) member(left, right, Post::Self, {});
}

void Reading::schedule() {
    ReadFacts::Roster& roster = facts_.rosters[self_];
    each_at(resource_, "actor", [&](Json actor) {
        const std::string who = name(actor);
        if (is_unit(who))
            roster.units.push_back(who);
        else if (is_person(who))
            roster.persons.push_back(who);
    });
    roster.horizon = span_of(resource_["planningHorizon"]);
    for (const std::string_view path : {"serviceType", "serviceCategory", "specialty", "comment"})
        roster.on_call = roster.on_call || mentions(resource_[path], kOnCallWords);
}

void Reading::slot() {
    if (never_happened(resource_) || !has_time(resource_["start"])) return;
    const Second from = span_of(resource_["start"]).from;
    const Second to = has_time(resource_["end"]) ? span_of(resource_["end"]).to : from + 3600;
    facts_.rosters[name(resource_["schedule"])].slots.push_back({from, to});
}

void Reading::flag() {
    if (resource_["status"].text() != "active") return;
    if (mentions(resource_["code"], {"confiden", "vip", "restrict", "masqu"}))
        bond(name(resource_["subject"]), "", Kind::Restriction, span_of(resource_["period"]),
             kClinical);
}

void note_identifiers(Json resource, const std::string& self, ReadFacts& facts) {
    const std::string type(resource["resourceType"].text());
    each_at(resource, "identifier", [&](Json identifier) {
        const std::string_view value = identifier["value"].text();
        if (value.empty()) return;
        const std::string key =
            "?identifier=" + std::string(identifier["system"].text()) + '|' + std::string(value);
        const auto [known, is_new] = facts.aliases.try_emplace(type + key, self);
        // Bundles written apart bring the same practitioner again and again.
        if (!is_new && type == "Practitioner" && known->second != self)
            facts.aliases.try_emplace(self, known->second);
        facts.aliases.try_emplace(key, self);
        facts.aliases.try_emplace("=" + std::string(value), self);
    });
}

void read_special(Json resource, const std::string& self, ReadFacts& facts) {
    const std::string_view type = resource["resourceType"].text();
    Reading reading(resource, self, facts);
    if (type == "Patient") return reading.patient();
    if (type == "Practitioner") return reading.practitioner();
    if (type == "PractitionerRole") return reading.position();
    if (type == "Location" || type == "Organization" || type == "HealthcareService")
        return reading.unit();
    if (type == "Encounter") return reading.encounter();
    if (type == "Appointment") return reading.appointment();
    if (type == "AppointmentResponse") return reading.answer();
    if (type == "CareTeam") return reading.team();
    if (type == "Group") return reading.group();
    if (type == "Consent") return reading.consent();
    if (type == "RelatedPerson") return reading.related_person();
    if (type == "Person") return reading.person();
    if (type == "Schedule") return reading.schedule();
    if (type == "Slot") return reading.slot();
    if (type == "AuditEvent" || type == "Provenance") return;
    if (type == "Flag") reading.flag();
    const bool entrusts =
        mentions(resource["code"], kDelegationWords) && !resource["status"].text().starts_with("c");
    if (type == "Task" && entrusts && resource["for"].absent())
        return reading.delegation(
            reference_name(resource["owner"]), reference_name(resource["requester"]),
            resource["executionPeriod"].absent() ? resource["restriction"]["period"]
                                                 : resource["executionPeriod"]);
    if (type == "Basic" && entrusts)
        return reading.delegation(reference_name(resource["subject"]),
                                  reference_name(resource["author"]), {});
    read_act(resource, self, facts);
}

void read_bundle(Json bundle, ReadFacts& facts, int depth);

void read_one(Json resource, std::string_view full_url, ReadFacts& facts, int depth) {
    const std::string type(resource["resourceType"].text());
    if (type.empty()) return;
    if (type == "Bundle") {
        if (depth < kBundleDepthMax) read_bundle(resource, facts, depth + 1);
        return;
    }
    std::string id(resource["id"].text());
    if (id.empty()) id = full_url.substr(full_url.find_last_of(":/") + 1);
    if (id.empty()) return;
    const std::string self = type + '/' + id;
    if (!full_url.empty()) facts.aliases.try_emplace(std::string(full_url), self);
    facts.aliases.try_emplace("urn:uuid:" + id, self);
    note_identifiers(resource, self, facts);
    ++facts.resources;
    read_special(resource, self, facts);
}

void read_bundle(Json bundle, ReadFacts& facts, int depth) {
    for (const Json& entry : bundle["entry"].items())
        read_one(entry["resource"], entry["fullUrl"].text(), facts, depth);
}

}  // namespace

void read_resource(Json resource, ReadFacts& facts, std::string_view full_url) {
    read_one(resource, full_url, facts, 0);
}

std::string trade_of(std::string_view code) {
    return "trade:" + std::string(code);
}

std::string reference_name(Json reference, bool local_only) {
    std::string_view text =
        reference.is_string() ? reference.text() : reference["reference"].text();
    if (text.starts_with('#')) return {};
    if (text.empty()) {
        const Json identifier = reference["identifier"];
        if (identifier["value"].text().empty()) return {};
        return std::string(reference["type"].text()) +
               "?identifier=" + std::string(identifier["system"].text()) + '|' +
               std::string(identifier["value"].text());
    }
    text = text.substr(0, text.find("/_history/"));
    if (!text.starts_with("http")) return std::string(text);
    if (local_only) return {};
    const auto id = text.rfind('/');
    const auto type = id == std::string_view::npos || id == 0 ? id : text.rfind('/', id - 1);
    if (type == std::string_view::npos ||
        std::isupper(static_cast<unsigned char>(text[type + 1])) == 0)
        return std::string(text);
    return std::string(text.substr(type + 1));
}

bool has_time(Json value) {
    const auto dated = [](Json text) { return fhir::parse_date(text.text()).has_value(); };
    if (value.is_object()) return dated(value["start"]) || dated(value["end"]);
    return value.is_string() && dated(value);
}

Span span_of(Json value) {
    const auto instant = [](std::int64_t units) {
        return WallTime(Micros(units / fhir::kDateUnitsPerMicro));
    };
    Span span;
    const Json start = value.is_string() ? value : value["start"];
    const Json end = value.is_string() ? value : value["end"];
    if (const auto first = fhir::parse_date(start.text()))
        span.from = start_second(instant(first->first));
    if (const auto last = fhir::parse_date(end.text()))
        span.to = end_second(instant(last->last) + Micros(1));
    // What ends in the second it began still happened.
    if (span.to != kForever && span.to <= span.from && span.from != 0) span.to = span.from + 1;
    return span;
}

bool mentions(Json concepts, std::initializer_list<std::string_view> words) {
    bool found = false;
    const auto look = [&](Json text) {
        const std::string said = lower(text.text());
        found = found || std::ranges::any_of(
                             words, [&](std::string_view word) { return said.contains(word); });
    };
    if (concepts.is_string()) look(concepts);
    for (const std::string_view path : {"text", "coding.code", "coding.display"})
        each_at(concepts, path, look);
    return found;
}

}  // namespace hygie::access
