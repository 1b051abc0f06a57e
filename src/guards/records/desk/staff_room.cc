#include "guards/records/desk/staff_room.h"

#include <algorithm>
#include <array>

#include "vault/unassigned.h"

namespace hygie::records {
namespace {

/// What may say who belongs where.
constexpr std::array<std::string_view, 12> kTypes = {
    "Practitioner", "PractitionerRole",  "CareTeam", "Group", "Location", "Organization",
    "Person",       "HealthcareService", "Schedule", "Slot",  "Task",     "Appointment"};

}  // namespace

/// The newest version of a resource, as the place has it now.
void StaffRoom::take_over(const Place& place, std::string_view type, std::string_view id) {
    const auto entry = place->index().find(type, id);
    if (!entry) return;
    const std::string name = std::string(type) + '/' + std::string(id);
    const std::uint32_t known = book_.version_of(name);
    if (entry->deleted) {
        // Gone from here in the version that stands elsewhere now: it has only moved.
        if (known != 0 && known < entry->version) book_.drop(name);
        return;
    }
    if (known == entry->version || (known == 0 && book_.size() >= kStaffMax)) return;
    // What cannot be read ties nobody.
    auto version = vault_.read({place, *entry});
    if (version)
        book_.put(name, entry->version, std::move(version->body));
    else
        book_.drop(name);
}

/// Takes over what changed: all of it is in the pieces that were not there before.
void StaffRoom::take(Seen& seen, const Place& now, std::span<const std::string_view> types) {
    if (seen.place == now) return;
    std::vector<std::shared_ptr<const fhir::Segment>> pieces;
    if (now)
        for (const fhir::Compartment::Piece& piece : now->index().pieces())
            pieces.push_back(piece.segment);
    for (const auto& segment : pieces) {
        if (std::ranges::find(seen.pieces, segment) != seen.pieces.end()) continue;
        for (const std::string_view type : types) {
            const auto [first, last] = segment->range_of(type);
            for (std::size_t i = first; i < last; ++i) take_over(now, type, segment->entry(i).id);
        }
    }
    seen = {now, std::move(pieces)};
}

/// Whether the house can be read at all.
bool StaffRoom::catch_up(const std::shared_ptr<const access::Policy>& policy) {
    const std::uint64_t version = vault_.house_version();
    if (version == version_ && policy_ == policy) return true;
    version_ = 0;
    const auto house = vault_.record("");
    if (!house) return false;
    static constexpr std::array<std::string_view, 2> kApart = {"CareTeam", "Person"};
    take(house_, *house, kTypes);
    take(apart_, vault_.record(vault::kUnassigned).value_or(nullptr), kApart);
    if (policy_ != policy) book_.forget();
    policy_ = policy;
    version_ = version;
    return true;
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
    {
        const std::lock_guard lock(mutex_);
        if (catch_up(policy)) all = *book_.of(*policy, person);
    }
    add_selves(person, all);
    return all;
}

std::vector<access::Belonging> StaffRoom::belongings_with(
    const std::shared_ptr<const access::Policy>& policy, const std::string& person,
    std::span<const access::StaffBook::Draft> drafts) {
    const std::lock_guard lock(mutex_);
    catch_up(policy);
    return *book_.of_with(*policy, person, drafts);
}

}  // namespace hygie::records
