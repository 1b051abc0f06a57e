#include "access/circles/circle_world.h"

#include <algorithm>
#include <set>

#include "access/decide/circle_words.h"

namespace hygie::access {

using Kind = Relation::Kind;

namespace {

constexpr int kAliasSteps = 4;
constexpr std::size_t kAncestorsMax = 16;
/// A unit with more people than this, and half of all, is a house and not a team.
constexpr std::size_t kTeamMax = 15;

/// The party of all who see what is within a unit, its parts included.
std::string within(const std::string& unit) {
    return unit + '^';
}

bool is_unit(std::string_view name) {
    return name.starts_with("Location") || name.starts_with("Organization") ||
           name.starts_with("HealthcareService");
}

bool is_person(std::string_view name) {
    return name.starts_with("Practitioner") || name.starts_with("RelatedPerson") ||
           name.starts_with("Device/");
}

}  // namespace

std::set<std::string> whole_units(const std::map<std::string, ReadUnit, std::less<>>& units,
                                  const std::map<std::string, std::size_t>& members,
                                  std::size_t persons) {
    std::set<std::string> wholes;
    std::map<std::string, std::size_t> parts;
    for (const auto& [name, unit] : units)
        for (const std::string& above : unit.above)
            if (name.substr(0, 4) == above.substr(0, 4) && members.contains(name)) ++parts[above];
    for (const auto& [name, count] : members) {
        const auto known = units.find(name);
        const ReadUnit unit = known == units.end() ? ReadUnit{} : known->second;
        const bool crowd = count > std::max(kTeamMax, persons / 2);
        const bool house =
            parts[name] > 1 || (unit.is_whole && (parts[name] > 0 || count > kTeamMax));
        if (!unit.is_team && (crowd || house)) wholes.insert(name);
    }
    for (const auto& [name, unit] : units)
        if (!unit.is_team && (parts[name] > 1 || (unit.is_whole && parts[name] > 0)))
            wholes.insert(name);
    return wholes;
}

std::uint32_t Names::number_of(const std::string& name) {
    const auto [place, is_new] =
        numbers_.try_emplace(name, static_cast<std::uint32_t>(names_.size()));
    if (is_new) names_.push_back(name);
    return place->second;
}

std::optional<std::uint32_t> Names::find(std::string_view name) const {
    const auto found = numbers_.find(name);
    return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

/// Turns what was read into numbers: other spellings resolved, units spread over what they are part
/// of, delegations and positions tied to persons.
class WorldBuilder {
  public:
    WorldBuilder(ReadFacts facts, const Policy& policy)
        : facts_(std::move(facts)), policy_(policy) {}

    CircleWorld build() {
        world_.aliases_ = std::move(facts_.aliases);
        world_.parties_.number_of("");
        resolve_names();
        finish_pairs();
        measure_units();
        make_actors();
        for (const ReadMembership& one : facts_.memberships) place(one);
        for (const ReadBond& one : facts_.bonds) tie(one);
        std::vector<Delegation> delegations;
        for (const ReadDelegation& one : facts_.delegations)
            delegations.push_back({number_of_actor(one.person), number_of_actor(one.principal),
                                   one.span.from, one.span.to, evidence(one.evidence)});
        std::ranges::sort(bonds_, {}, [](const PatientBond& one) {
            return std::tuple(one.patient, one.bond.party, one.bond.kind, one.bond.from,
                              one.bond.to, one.bond.evidence, one.bond.classes);
        });
        bonds_.erase(std::unique(bonds_.begin(), bonds_.end(), same), bonds_.end());
        world_.index_ =
            std::make_unique<CircleIndex>(policy_, world_.patients_.size(), std::move(bonds_),
                                          std::move(actors_), memberships_, std::move(delegations));
        world_.persons_ = std::move(facts_.persons);
        return std::move(world_);
    }

  private:
    static bool same(const PatientBond& left, const PatientBond& right) {
        return left.patient == right.patient && left.bond == right.bond;
    }
    void resolve_names();
    void finish_pairs();
    void finish_booked();
    void finish_indirect();
    void finish_rosters();
    void measure_units();
    void make_actors();
    void place(const ReadMembership& one);
    void place_in(ActorNumber actor, const std::string& unit, const ReadMembership& one, int depth);
    void tie(const ReadBond& one);
    void tie_unit(PatientNumber patient, const std::string& unit, Bond bond);
    void tie_desk(PatientNumber patient, const ReadBond& one, Bond bond);

    std::string person_of(const std::string& name) const {
        const auto found = world_.person_of_position_.find(name);
        return found == world_.person_of_position_.end() ? name : found->second;
    }
    ActorNumber number_of_actor(const std::string& name);
    std::uint32_t evidence(const std::string& name) { return world_.evidence_.number_of(name); }
    Party party(const std::string& name) { return world_.parties_.number_of(name); }
    bool is_whole(const std::string& unit) const { return wholes_.contains(unit); }
    const std::vector<std::string>& above(const std::string& unit);
    void add(ActorNumber actor, const std::string& name, Post post, const ReadMembership& one) {
        memberships_.push_back({actor,
                                {.party = party(name),
                                 .from = one.span.from,
                                 .to = one.span.to,
                                 .evidence = evidence(one.evidence),
                                 .post = post}});
    }

    ReadFacts facts_;
    const Policy& policy_;
    CircleWorld world_;
    std::vector<PatientBond> bonds_;
    std::vector<IndexedActor> actors_;
    std::vector<ActorMembership> memberships_;
    std::set<std::string> wholes_;
    std::map<std::string, std::vector<std::string>> above_;
    std::map<std::string, std::vector<const ReadMembership*>> units_of_;  ///< of persons
    bool has_desks_ = false;
};

void WorldBuilder::resolve_names() {
    const auto resolve = [&](std::string& name) { name = world_.canonical(name); };
    for (ReadBond& one : facts_.bonds) {
        resolve(one.patient);
        resolve(one.party);
    }
    for (ReadMembership& one : facts_.memberships) {
        resolve(one.person);
        resolve(one.party);
    }
    for (ReadDelegation& one : facts_.delegations) {
        resolve(one.person);
        resolve(one.principal);
    }
    for (auto& [name, unit] : facts_.units) std::ranges::for_each(unit.above, resolve);
    for (auto& [name, places] : facts_.service_places) std::ranges::for_each(places, resolve);
    for (auto& [name, patients] : facts_.appointment_patients)
        std::ranges::for_each(patients, resolve);
    for (ReadFacts::Answer& one : facts_.answers) {
        resolve(one.appointment);
        resolve(one.party);
    }
    std::map<std::string, ReadFacts::Roster, std::less<>> rosters;
    for (auto& [name, roster] : facts_.rosters) {
        std::ranges::for_each(roster.persons, resolve);
        std::ranges::for_each(roster.units, resolve);
        ReadFacts::Roster& kept = rosters[world_.canonical(name)];
        std::ranges::copy(roster.slots, std::back_inserter(kept.slots));
        if (roster.persons.empty()) continue;
        kept.persons = roster.persons;
        kept.units = roster.units;
        kept.on_call = roster.on_call;
        kept.horizon = roster.horizon;
    }
    facts_.rosters = std::move(rosters);
    std::map<std::string, ReadPerson, std::less<>> persons;
    for (auto& [name, person] : facts_.persons) {
        ReadPerson& kept = persons[world_.canonical(name)];
        if (kept.name.empty()) kept.name = person.name;
        if (kept.profession.empty()) kept.profession = person.profession;
        kept.is_desk = kept.is_desk || person.is_desk;
        kept.is_care = kept.is_care || person.is_care;
    }
    facts_.persons = std::move(persons);
    for (const ReadMembership& one : facts_.memberships)
        if (one.post == Post::Position)
            world_.person_of_position_.try_emplace(one.party, one.person);
    for (ReadMembership& one : facts_.memberships)
        if (one.post != Post::Position) one.person = person_of(one.person);
    for (ReadDelegation& one : facts_.delegations) {
        one.person = person_of(one.person);
        one.principal = person_of(one.principal);
    }
}

/// Facts that stand in two resources: answers to appointments, rosters and their slots.
void WorldBuilder::finish_pairs() {
    for (const ReadFacts::Answer& one : facts_.answers) {
        const auto patients = facts_.appointment_patients.find(one.appointment);
        if (patients == facts_.appointment_patients.end() || one.party.starts_with("Patient"))
            continue;
        for (const std::string& patient : patients->second)
            if (one.span.from != 0)
                facts_.bonds.push_back({.patient = patient,
                                        .party = one.party,
                                        .kind = Kind::Appointment,
                                        .span = one.span,
                                        .evidence = one.evidence});
    }
    finish_booked();
    finish_indirect();
    finish_rosters();
}

/// An appointment that names a slot and nobody: who holds the slot's schedule.
void WorldBuilder::finish_booked() {
    for (const ReadFacts::Booked& one : facts_.booked)
        for (const std::string& slot : one.slots) {
            const auto schedule = facts_.slot_schedules.find(world_.canonical(slot));
            if (schedule == facts_.slot_schedules.end()) continue;
            const auto roster = facts_.rosters.find(world_.canonical(schedule->second));
            if (roster == facts_.rosters.end()) continue;
            for (const auto* parties : {&roster->second.persons, &roster->second.units})
                for (const std::string& party : *parties)
                    for (const std::string& patient : one.patients)
                        facts_.bonds.push_back({.patient = world_.canonical(patient),
                                                .party = party,
                                                .kind = one.kind,
                                                .span = one.span,
                                                .evidence = one.evidence});
        }
}

void WorldBuilder::finish_indirect() {
    for (const ReadFacts::Indirect& one : facts_.indirect)
        for (const std::string& way : one.through) {
            const auto subject = facts_.subjects.find(world_.canonical(way));
            if (subject == facts_.subjects.end() || subject->second.empty()) continue;
            facts_.bonds.push_back({.patient = world_.canonical(subject->second),
                                    .party = world_.canonical(one.party),
                                    .kind = one.kind,
                                    .span = one.span,
                                    .evidence = one.evidence});
        }
}

void WorldBuilder::finish_rosters() {
    for (const auto& [schedule, roster] : facts_.rosters) {
        const std::vector<Span> spans =
            roster.slots.empty() ? std::vector<Span>{roster.horizon} : roster.slots;
        for (const std::string& named : roster.persons) {
            const std::string person = person_of(named);
            std::vector<std::string> units = roster.units;
            // On call, without a place: wherever the person works.
            if (units.empty() && roster.on_call)
                for (const ReadMembership& one : facts_.memberships)
                    if (one.person == person && is_unit(one.party) && one.post == Post::Unit)
                        units.push_back(one.party);
            for (const std::string& unit : units)
                for (const Span& span : spans)
                    if (span.from < span.to)
                        facts_.memberships.push_back({person, unit, Post::OnCall, span, schedule});
        }
    }
}

void WorldBuilder::measure_units() {
    if (facts_.wholes) {
        wholes_.insert(facts_.wholes->begin(), facts_.wholes->end());
        return;
    }
    std::map<std::string, std::set<std::string>> working;
    std::set<std::string> persons;
    for (const ReadMembership& one : facts_.memberships)
        if (one.post == Post::Unit && is_unit(one.party)) {
            working[one.party].insert(one.person);
            persons.insert(one.person);
        }
    std::map<std::string, std::size_t> members;
    for (const auto& [unit, who] : working) members.emplace(unit, who.size());
    wholes_ = whole_units(facts_.units, members, persons.size());
}

const std::vector<std::string>& WorldBuilder::above(const std::string& unit) {
    const auto [place, is_new] = above_.try_emplace(unit);
    if (!is_new) return place->second;
    std::vector<std::string> found = {unit};
    for (std::size_t i = 0; i < found.size() && found.size() < kAncestorsMax; ++i)
        if (const auto known = facts_.units.find(found[i]); known != facts_.units.end())
            for (const std::string& next : known->second.above)
                if (std::ranges::find(found, next) == found.end()) found.push_back(next);
    found.erase(found.begin());
    return above_[unit] = std::move(found);
}

ActorNumber WorldBuilder::number_of_actor(const std::string& name) {
    const ActorNumber number = world_.actors_.number_of(name);
    if (number < actors_.size()) return number;
    IndexedActor actor{.self = party(name)};
    std::string profession;
    if (name.starts_with("Patient")) {
        actor.role = Role::Patient;
        actor.patient = world_.patients_.number_of(name);
    } else if (name.starts_with("RelatedPerson")) {
        actor.role = Role::Patient;
    } else if (const auto person = facts_.persons.find(name); person != facts_.persons.end()) {
        profession = person->second.profession;
        if (person->second.is_desk && !person->second.is_care) actor.role = Role::Desk;
    }
    has_desks_ = has_desks_ || actor.role == Role::Desk;
    actor.row = &policy_.row_of(actor.role, profession);
    if (actor.row->read == 0) actor.row = &policy_.row_of(actor.role, "");
    actors_.push_back(actor);
    return number;
}

void WorldBuilder::make_actors() {
    for (const auto& [name, person] : facts_.persons) number_of_actor(name);
    for (const ReadMembership& one : facts_.memberships) number_of_actor(one.person);
    for (const auto& [patient, birth] : facts_.births) number_of_actor(world_.canonical(patient));
    for (const ReadBond& one : facts_.bonds) {
        number_of_actor(one.patient);
        if (is_person(one.party)) number_of_actor(person_of(one.party));
    }
    for (const ReadMembership& one : facts_.memberships)
        if (is_unit(one.party)) units_of_[one.person].push_back(&one);
}

void WorldBuilder::place_in(ActorNumber actor, const std::string& unit, const ReadMembership& one,
                            int depth) {
    const bool desk = actors_[actor].role == Role::Desk;
    const Post post = desk ? Post::Counter : one.post;
    if (desk || one.serves_house || post == Post::OnCall || !is_whole(unit)) {
        add(actor, unit, post, one);
        add(actor, within(unit), post, one);
    } else {
        add(actor, unit, Post::Assigned, one);
    }
    for (const std::string& larger : above(unit)) {
        add(actor, larger, desk || !is_whole(larger) ? post : Post::Assigned, one);
        if (one.serves_house) add(actor, within(larger), post, one);
    }
    const auto places = facts_.service_places.find(unit);
    if (depth > 0 || places == facts_.service_places.end()) return;
    for (const std::string& place : places->second) place_in(actor, place, one, depth + 1);
}

void WorldBuilder::place(const ReadMembership& one) {
    const ActorNumber actor = number_of_actor(one.person);
    if (is_unit(one.party) && (one.post == Post::Unit || one.post == Post::OnCall))
        place_in(actor, one.party, one, 0);
    else
        add(actor, one.party, one.post, one);
}

void WorldBuilder::tie_unit(PatientNumber patient, const std::string& unit, Bond bond) {
    bond.party = party(unit);
    bonds_.push_back({patient, bond});
    for (const std::string& larger : above(unit)) {
        bond.party = party(within(larger));
        bonds_.push_back({patient, bond});
    }
}

/// Who works at the desk of whoever acts for the patient has to do with the papers of it.
void WorldBuilder::tie_desk(PatientNumber patient, const ReadBond& one, Bond bond) {
    const auto units = units_of_.find(person_of(one.party));
    if (units == units_of_.end()) return;
    bond.kind = Kind::Billing;
    bond.classes = bond.classes & kAdministrative;
    for (const ReadMembership* place : units->second) {
        Bond there = bond;
        there.from = std::max(bond.from, place->span.from);
        there.to = std::min(bond.to, place->span.to);
        if (there.from < there.to) tie_unit(patient, place->party, there);
    }
}

void WorldBuilder::tie(const ReadBond& one) {
    const PatientNumber patient = world_.patients_.number_of(one.patient);
    Bond bond{.party = party(one.party),
              .from = one.span.from,
              .to = one.span.to,
              .evidence = evidence(one.evidence),
              .kind = one.kind,
              .classes = one.classes};
    world_.patient_of_evidence_.try_emplace(bond.evidence, patient);
    if (one.until_majority) {
        const auto birth = facts_.births.find(one.patient);
        // Unknown, or long of age.
        if (birth == facts_.births.end() || birth->second == 0) return;
        bond.to = std::min(bond.to, birth->second + kMajority);
    }
    const bool refuses = one.kind == Kind::Opposition || one.kind == Kind::Restriction;
    if (bond.from >= bond.to || (one.party.empty() && !refuses)) return;
    if (is_unit(one.party)) return tie_unit(patient, one.party, bond);
    bonds_.push_back({patient, bond});
    if (has_desks_ && !refuses && one.kind != Kind::Proxy && one.kind != Kind::Consent)
        tie_desk(patient, one, bond);
}

CircleWorld CircleWorld::build(ReadFacts facts, const Policy& policy) {
    return WorldBuilder(std::move(facts), policy).build();
}

std::string CircleWorld::canonical(std::string_view name) const {
    std::string at(name);
    for (int i = 0; i < kAliasSteps; ++i) {
        const auto found = aliases_.find(at);
        if (found == aliases_.end() || found->second.empty() || found->second == at) break;
        at = found->second;
    }
    return at;
}

std::optional<ActorNumber> CircleWorld::find_actor(std::string_view name) const {
    for (const std::string& spelling :
         {std::string(name), "Practitioner/" + std::string(name), "=" + std::string(name),
          "PractitionerRole/" + std::string(name), "RelatedPerson/" + std::string(name)}) {
        std::string one = canonical(spelling);
        if (const auto position = person_of_position_.find(one);
            position != person_of_position_.end())
            one = position->second;
        if (const auto found = actors_.find(one)) return found;
    }
    return std::nullopt;
}

std::optional<PatientNumber> CircleWorld::find_patient(std::string_view name) const {
    for (const std::string& spelling :
         {std::string(name), "Patient/" + std::string(name), "=" + std::string(name)})
        if (const auto found = patients_.find(canonical(spelling))) return found;
    return std::nullopt;
}

std::optional<PatientNumber> CircleWorld::patient_of(std::string_view resource) const {
    const auto number = evidence_.find(canonical(resource));
    if (!number) return std::nullopt;
    const auto found = patient_of_evidence_.find(*number);
    return found == patient_of_evidence_.end() ? std::nullopt : std::optional(found->second);
}

ActorWords CircleWorld::words_of(const std::string& actor) const {
    ActorWords words;
    const auto person = persons_.find(actor);
    if (person == persons_.end()) return words;
    words.name = person->second.name;
    const Role role = person->second.is_desk && !person->second.is_care ? Role::Desk : Role::Care;
    if (role == Role::Desk || !person->second.profession.empty())
        words.profession = index_->policy().row_of(role, person->second.profession).title;
    return words;
}

std::string CircleWorld::party_name(Party party) const {
    std::string name = parties_[party];
    if (name.ends_with('^')) name.pop_back();
    return name;
}

}  // namespace hygie::access
