#include "guards/records/staff_room.h"

#include <array>

#include "vault/unassigned.h"

namespace hygie::records {
namespace {

/// What may say who belongs where. Basic is left out: the house keeps its memory of requests in it.
constexpr std::array<std::string_view, 12> kTypes = {
    "Practitioner", "PractitionerRole",  "CareTeam", "Group", "Location", "Organization",
    "Person",       "HealthcareService", "Schedule", "Slot",  "Task",     "Appointment"};

}  // namespace

/// Takes over what changed in the house; whether anything did.
bool StaffRoom::refresh(const Place& house, const Place& apart) {
    std::map<std::string, Kept, std::less<>> now;
    bool changed = false;
    const auto take = [&](const Place& place, std::string_view type) {
        for (const vault::Entry& entry : place->entries(type)) {
            if (now.size() >= kStaffMax) return;
            std::string name = std::string(entry.type) + '/' + std::string(entry.id);
            const auto known = kept_.find(name);
            if (known != kept_.end() && known->second.version == entry.version) {
                now.emplace(std::move(name), std::move(known->second));
                continue;
            }
            changed = true;
            // What cannot be read ties nobody.
            if (auto version = vault_.read({place, entry}))
                now.emplace(std::move(name), Kept{entry.version, std::move(version->body)});
        }
    };
    for (const std::string_view type : kTypes) take(house, type);
    if (apart) take(apart, "CareTeam");
    changed = changed || now.size() != kept_.size();
    kept_ = std::move(now);
    return changed;
}

std::shared_ptr<const access::Staff> StaffRoom::now(
    const std::shared_ptr<const access::Policy>& policy) {
    const std::lock_guard lock(mutex_);
    auto house = vault_.record("");
    if (!house) return nullptr;
    const Place apart = vault_.record(vault::kUnassigned).value_or(nullptr);
    const bool same = house_ == *house && apart_ == apart;
    if (staff_ && same && policy_ == policy) return staff_;
    const bool changed = !same && refresh(*house, apart);
    house_ = *house;
    apart_ = apart;
    if (staff_ && !changed && policy_ == policy) return staff_;
    policy_ = policy;
    access::ReadFacts facts;
    facts.local_only = true;
    for (const auto& [name, kept] : kept_)
        if (const auto document = fhir::parse(kept.body))
            access::read_resource(document->root, facts);
    // Nobody becomes another by an identifier or a link that anybody may write.
    facts.aliases.clear();
    std::erase_if(facts.memberships, [](const access::ReadMembership& one) {
        return one.post == access::Post::Self &&
               (one.person.starts_with("Practitioner") || one.party.starts_with("Practitioner"));
    });
    // The policy lives as long as the staff that was built under it.
    staff_ = std::shared_ptr<const access::Staff>(
        new access::Staff(std::move(facts), *policy),
        [policy](const access::Staff* staff) { delete staff; });
    return staff_;
}

/// A patient who represents others: the Person in the own record says who that human is elsewhere.
void StaffRoom::add_selves(const std::string& person, std::vector<access::Belonging>& into) {
    constexpr std::string_view kPatient = "Patient/";
    if (!person.starts_with(kPatient)) return;
    const auto record = vault_.record(std::string_view(person).substr(kPatient.size()));
    if (!record) return;
    access::ReadFacts facts;
    facts.local_only = true;
    for (const vault::Entry& entry : (*record)->entries("Person")) {
        const auto version = vault_.read({*record, entry});
        const auto document =
            version ? fhir::parse(version->body) : std::unexpected(version.error());
        if (document) access::read_resource(document->root, facts);
    }
    for (const access::ReadMembership& one : facts.memberships)
        if (one.person == person && !one.party.starts_with("Practitioner"))
            into.push_back({.party = one.party,
                            .post = static_cast<std::uint8_t>(one.post),
                            .evidence = one.evidence});
}

std::vector<access::Belonging> StaffRoom::belongings(
    const std::shared_ptr<const access::Policy>& policy, const std::string& person) {
    std::vector<access::Belonging> all;
    if (person.empty()) return all;
    if (const auto staff = now(policy)) all = *staff->of(person);
    add_selves(person, all);
    return all;
}

}  // namespace hygie::records
