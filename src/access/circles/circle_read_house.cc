#include <algorithm>
#include <array>

#include "access/circles/circle_reading.h"

/// Who belongs where: people, positions, units, teams, shifts, delegations.
namespace hygie::access {
namespace {

using fhir::Json;
using Kind = Relation::Kind;

/// Admissions and billing see to the papers of every stay, a ward's secretary to those of the ward.
const std::initializer_list<std::string_view> kCentralDeskWords = {
    "admission", "registration", "bureau des entrées", "billing", "factur"};

const std::initializer_list<std::string_view> kDeskWords = {
    "secr", "recep", "accueil", "administrat", "clerk", "standard", "guichet", "front desk"};

/// Who codes the stays of an establishment for its department of medical information (CSP
/// L.6113-7).
bool is_coder(Json concepts) {
    if (mentions(concepts, {"codage", "coding", "coder", "pmsi", "information médicale",
                            "information medicale", "medical information"}))
        return true;
    bool found = false;
    each_at(concepts, "coding.code", [&](Json code) {
        const std::string said = lower(code.text());
        found = found || said == "tim" || said == "dim";
    });
    return found;
}

/// How the policy pack calls them where no profession of TRE-G15 is stated.
constexpr std::string_view kCoderRow = "coding";

bool is_profession(std::string_view code) {
    return !code.empty() && std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
}

void note_profession(Json concepts, ReadPerson& person) {
    each_at(concepts, "coding", [&](Json coding) {
        const std::string system = lower(coding["system"].text());
        const bool professions = system.contains("g15") || system.contains("1.2.250.1.71.1.2.7");
        if (professions && person.profession.empty()) person.profession = coding["code"].text();
    });
}

}  // namespace

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
    const bool coder = is_coder(code);
    if (coder && !is_profession(person.profession)) person.profession = kCoderRow;
    const bool central = !coder && mentions(code, kCentralDeskWords);
    const bool desk = central || (!coder && mentions(code, kDeskWords));
    person.is_desk = person.is_desk || desk;
    person.is_care = person.is_care || !desk;
    note_trades(code, who, span);
    note_trades(resource_["specialty"], who, span);
    const Post post = mentions(code, kOnCallWords) ? Post::OnCall : Post::Unit;
    member(who, self_, Post::Position, span);
    const std::size_t first = facts_.memberships.size();
    for (const std::string_view path : {"organization", "location", "healthcareService"})
        each_at(resource_, path, [&](Json unit) { member(who, name(unit), post, span); });
    for (std::size_t i = first; i < facts_.memberships.size(); ++i)
        facts_.memberships[i].serves_house = coder || central;
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
        if (is_unit_name(who))
            roster.units.push_back(who);
        else if (is_person_name(who))
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
    const std::string schedule = name(resource_["schedule"]);
    facts_.rosters[schedule].slots.push_back({from, to});
    facts_.slot_schedules[self_] = schedule;
}

}  // namespace hygie::access
