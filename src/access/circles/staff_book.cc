#include "access/circles/staff_book.h"

#include <algorithm>

#include "access/circles/circle_reading.h"

namespace hygie::access {
namespace {

constexpr std::size_t kKnownMax = 100'000;

/// Nobody becomes another by an identifier or a link that anybody may write.
void keep_honest(ReadFacts& facts) {
    facts.aliases.clear();
    facts.bonds.clear();
    std::erase_if(facts.memberships, [](const ReadMembership& one) {
        return one.post == Post::Self &&
               (one.person.starts_with("Practitioner") || one.party.starts_with("Practitioner"));
    });
}

}  // namespace

StaffBook::Resource StaffBook::read(std::uint32_t version, std::string body) {
    Resource made;
    made.version = version;
    made.body = std::move(body);
    const auto document = fhir::parse(made.body);
    if (!document) return made;
    ReadFacts facts;
    facts.local_only = true;
    read_resource(document->root, facts);
    keep_honest(facts);
    for (const ReadMembership& one : facts.memberships) {
        made.names.push_back(one.person);
        if (one.post == Post::Unit && is_unit_name(one.party))
            made.places.push_back({one.person, one.party});
        if (one.post != Post::Position) continue;
        made.names.push_back(one.party);
        made.links.emplace_back(one.person, one.party);
        made.links.emplace_back(one.party, one.person);
        made.holder = one.person;
    }
    for (const ReadDelegation& one : facts.delegations) {
        made.names.push_back(one.person);
        made.links.emplace_back(one.person, one.principal);
    }
    for (const auto& [schedule, roster] : facts.rosters) {
        made.names.push_back(schedule);
        for (const std::string& person : roster.persons) {
            made.names.push_back(person);
            made.links.emplace_back(person, schedule);
        }
    }
    for (const auto& [name, person] : facts.persons) made.names.push_back(name);
    made.is_unit = !facts.units.empty();
    for (auto& [name, unit] : facts.units) made.unit = std::move(unit);
    for (auto& [name, places] : facts.service_places) made.service_places = std::move(places);
    return made;
}

void StaffBook::put(const std::string& name, std::uint32_t version, std::string body) {
    replace(name, std::make_unique<Resource>(read(version, std::move(body))));
}

void StaffBook::drop(const std::string& name) {
    replace(name, nullptr);
}

std::uint32_t StaffBook::version_of(std::string_view name) const {
    const auto found = resources_.find(std::string(name));
    return found == resources_.end() ? 0 : found->second->version;
}

/// A position that changes hands moves whom the resources count that name the position.
std::unique_ptr<StaffBook::Resource> StaffBook::replace(const std::string& name,
                                                        std::unique_ptr<Resource> fresh) {
    NameSet counted = mentions_[name];
    counted.insert(name);
    for (const std::string& one : counted) count(one, -1);
    std::unique_ptr<Resource> before;
    if (const auto old = resources_.find(name); old != resources_.end()) {
        strike(name, *old->second);
        before = std::move(old->second);
        resources_.erase(old);
    }
    if (fresh) {
        enlist(name, *fresh);
        resources_.emplace(name, std::move(fresh));
    }
    for (const std::string& one : counted) count(one, +1);
    wholes_.reset();
    known_.clear();
    return before;
}

void StaffBook::enlist(const std::string& name, const Resource& resource) {
    for (const std::string& one : resource.names) mentions_[one].insert(name);
    for (const std::string& above : resource.unit.above) parts_[above].insert(name);
}

void StaffBook::strike(const std::string& name, const Resource& resource) {
    const auto leave = [&](auto& sets, const std::string& key) {
        const auto found = sets.find(key);
        if (found == sets.end()) return;
        found->second.erase(name);
        if (found->second.empty()) sets.erase(found);
    };
    for (const std::string& one : resource.names) leave(mentions_, one);
    for (const std::string& above : resource.unit.above) leave(parts_, above);
}

const std::string& StaffBook::holder_of(const std::string& name) const {
    const auto position = resources_.find(name);
    const bool held = position != resources_.end() && !position->second->holder.empty();
    return held ? position->second->holder : name;
}

/// Who works where, for what a whole house is.
void StaffBook::count(const std::string& name, int sign) {
    const auto resource = resources_.find(name);
    if (resource == resources_.end()) return;
    const auto move = [&](auto& counts, const std::string& person) {
        if ((counts[person] += sign) == 0) counts.erase(person);
    };
    for (const Place& place : resource->second->places) {
        const std::string& person = holder_of(place.person);
        move(members_[place.unit], person);
        if (members_[place.unit].empty()) members_.erase(place.unit);
        move(workers_, person);
    }
}

void StaffBook::measure() {
    if (wholes_) return;
    std::map<std::string, ReadUnit, std::less<>> units;
    for (const auto& [unit, parts] : parts_) {
        for (const std::string& part : parts) units[part];
        if (resources_.contains(unit)) units[unit];
    }
    for (const auto& [unit, members] : members_) units[unit];
    for (auto& [name, unit] : units)
        if (const auto known = resources_.find(name);
            known != resources_.end() && known->second->is_unit)
            unit = known->second->unit;
    std::map<std::string, std::size_t> members;
    for (const auto& [unit, persons] : members_) members.emplace(unit, persons.size());
    const auto wholes = whole_units(units, members, workers_.size());
    wholes_ = std::make_shared<const NameSet>(wholes.begin(), wholes.end());
}

/// The person, its positions, those of whom it acts for, their schedules.
StaffBook::NameSet StaffBook::people_around(const std::string& person) const {
    NameSet resources;
    NameSet seen = {person};
    std::vector<std::string> queue = {person};
    for (std::size_t i = 0; i < queue.size() && resources.size() < kGatheredMax; ++i) {
        const auto naming = mentions_.find(queue[i]);
        if (naming == mentions_.end()) continue;
        for (const std::string& name : naming->second) {
            resources.insert(name);
            for (const auto& [from, to] : resources_.at(name)->links)
                if (from == queue[i] && seen.insert(to).second) queue.push_back(to);
        }
    }
    return resources;
}

/// The units that these work in, with all that is in them and all that they are part of.
StaffBook::NameSet StaffBook::units_around(const ReadFacts& facts) const {
    NameSet units;
    std::vector<std::string> queue;
    const auto add = [&](const std::string& unit) {
        if (units.size() < kGatheredMax && units.insert(unit).second) queue.push_back(unit);
    };
    for (const ReadMembership& one : facts.memberships)
        if (is_unit_name(one.party)) add(one.party);
    for (const auto& [schedule, roster] : facts.rosters)
        for (const std::string& unit : roster.units) add(unit);
    for (std::size_t i = 0; i < queue.size(); ++i) {
        const std::string unit = queue[i];
        if (const auto known = resources_.find(unit); known != resources_.end())
            for (const std::string& place : known->second->service_places) add(place);
        if (const auto parts = parts_.find(unit); parts != parts_.end())
            for (const std::string& part : parts->second) add(part);
    }
    for (std::size_t i = 0; i < queue.size(); ++i) {
        const std::string unit = queue[i];
        if (const auto known = resources_.find(unit); known != resources_.end())
            for (const std::string& above : known->second->unit.above) add(above);
    }
    return units;
}

void StaffBook::add_to(const std::string& name, ReadFacts& facts) const {
    const auto found = resources_.find(name);
    if (found == resources_.end()) return;
    if (const auto document = fhir::parse(found->second->body))
        read_resource(document->root, facts);
}

Staff::Belongings StaffBook::of(const Policy& policy, const std::string& person) {
    if (const auto known = known_.find(person); known != known_.end()) return known->second;
    measure();
    ReadFacts facts;
    facts.local_only = true;
    facts.wholes = wholes_;
    const NameSet around = people_around(person);
    for (const std::string& name : around) add_to(name, facts);
    for (const std::string& unit : units_around(facts))
        if (!around.contains(unit)) add_to(unit, facts);
    keep_honest(facts);
    auto found = Staff(std::move(facts), policy).of(person);
    if (known_.size() < kKnownMax) known_.emplace(person, found);
    return found;
}

Staff::Belongings StaffBook::of_with(const Policy& policy, const std::string& person,
                                     std::span<const Draft> drafts) {
    std::vector<std::unique_ptr<Resource>> before;
    for (const Draft& one : drafts)
        before.push_back(replace(one.name, std::make_unique<Resource>(read(0, one.body))));
    auto found = of(policy, person);
    for (std::size_t i = drafts.size(); i > 0; --i)
        replace(drafts[i - 1].name, std::move(before[i - 1]));
    return found;
}

}  // namespace hygie::access
