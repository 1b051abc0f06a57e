#include "access/circle_index.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "host/memory.h"

namespace hygie::access {
namespace {

using Kind = Relation::Kind;

/// Below this, comparing all is faster than searching.
constexpr std::size_t kScanned = 48;
/// Bonds of one patient that are fetched before they are needed.
constexpr std::uint32_t kFetched = 32;
constexpr std::size_t kAheadSlots = 24;
constexpr std::size_t kAheadBonds = 12;

bool refuses(Kind kind) {
    return kind == Kind::Opposition || kind == Kind::Restriction;
}

/// Bonds in the order of the arrays.
bool comes_before(const PatientBond& left, const PatientBond& right) {
    const auto key = [](const PatientBond& one) {
        return std::tuple(one.patient, !refuses(one.bond.kind), one.bond.party, one.bond.kind,
                          one.bond.from, one.bond.to, one.bond.evidence);
    };
    return key(left) < key(right);
}

}  // namespace

CircleIndex::CircleIndex(const Policy& policy, std::size_t patients, std::vector<PatientBond> bonds,
                         std::vector<IndexedActor> actors,
                         std::span<const ActorMembership> memberships,
                         std::vector<Delegation> delegations)
    : policy_(&policy), own_(actors.size()), delegations_(std::move(delegations)) {
    HYGIE_CHECK(bonds.size() < kNobody / 2, "bonds are numbered with 31 bits");
    if (!std::ranges::is_sorted(bonds, comes_before)) std::ranges::sort(bonds, comes_before);
    reserve_large(slots_, patients);
    slots_.resize(patients);
    reserve_large(parties_, bonds.size());
    reserve_large(rest_, bonds.size());
    for (const auto& [patient, bond] : bonds) {
        HYGIE_CHECK(patient < patients, "a bond is of a known patient");
        Slot& slot = slots_[patient];
        if (slot.count++ == 0) slot.first = static_cast<std::uint32_t>(parties_.size());
        if (refuses(bond.kind)) {
            HYGIE_CHECK(slot.refusing < UINT16_MAX, "refusals of one patient count in 16 bits");
            ++slot.refusing;
        } else {
            slot.note(bond.party);
        }
        parties_.push_back(bond.party);
        rest_.push_back({bond.from, bond.to, bond.evidence, bond.classes, bond.kind});
    }
    actors_.reserve(actors.size());
    for (const IndexedActor& actor : actors) actors_.push_back({.who = actor});
    for (const ActorMembership& one : memberships) own_[one.actor].push_back(one.member);
    refresh_all();
}

Bond CircleIndex::at(std::uint32_t number) const {
    const Rest& rest = rest_[number];
    return {.party = parties_[number],
            .from = rest.from,
            .to = rest.to,
            .evidence = rest.evidence,
            .kind = rest.kind,
            .classes = rest.classes};
}

Bond CircleIndex::bond(std::uint32_t number) const {
    return number < parties_.size() ? at(number) : added_[number - parties_.size()].bond;
}

std::vector<std::uint32_t> CircleIndex::bonds_of(PatientNumber patient) const {
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t i = slots_[patient].first; i < slots_[patient].end(); ++i)
        numbers.push_back(i);
    if (const auto found = added_of_.find(patient); found != added_of_.end())
        for (const std::uint32_t place : found->second)
            numbers.push_back(static_cast<std::uint32_t>(parties_.size()) + place);
    return numbers;
}

/// Every pair with the same party; refusing bonds before the others, so that `done` may stop at the
/// first proof.
template <typename Done>
void CircleIndex::join(const ActorState& actor, PatientNumber patient, Judge& judge,
                       Done done) const {
    const Slot& slot = slots_[patient];
    const std::uint32_t end = slot.end();
    const std::uint32_t permits_from = slot.first + slot.refusing;
    const std::uint32_t members = actor.count;
    for (std::uint32_t i = slot.first; i < permits_from; ++i)
        for (std::uint32_t m = 0; m < members && party_of(actor, m) <= parties_[i]; ++m)
            if (party_of(actor, m) == parties_[i])
                judge.consider(at(i), reach_[actor.first + m], {i, m});
    if (slot.has_added) join_added(actor, patient, judge);
    const Party* const begin = parties_.data() + permits_from;
    const Party* const last = parties_.data() + end;
    bool fetched = false;
    for (std::uint32_t m = 0; m < members; ++m) {
        const Party party = party_of(actor, m);
        if (!slot.may_hold(party)) continue;
        if (!std::exchange(fetched, true)) fetch(slot);
        const Party* found = end - permits_from <= kScanned ? std::find(begin, last, party)
                                                            : std::lower_bound(begin, last, party);
        for (; found != last && *found == party; ++found) {
            const auto i = static_cast<std::uint32_t>(found - parties_.data());
            judge.consider(at(i), reach_[actor.first + m], {i, m});
            if (done(slot)) return;
        }
    }
}

/// Both arrays at once, before the first is waited for.
void CircleIndex::fetch(const Slot& slot) const {
    constexpr std::uint32_t kRestsPerLine = 64 / sizeof(Rest);
    const std::uint32_t end = std::min(slot.end(), slot.first + kFetched);
    for (std::uint32_t i = slot.first; i < end; i += kRestsPerLine) __builtin_prefetch(&rest_[i]);
    if (slot.count > 0) __builtin_prefetch(&parties_[slot.first]);
}

void CircleIndex::join_added(const ActorState& actor, PatientNumber patient, Judge& judge) const {
    for (const std::uint32_t place : added_of_.at(patient)) {
        const Bond& bond = added_[place].bond;
        const auto number = static_cast<std::uint32_t>(parties_.size() + place);
        for (std::uint32_t m = 0; m < actor.count; ++m)
            if (party_of(actor, m) == bond.party)
                judge.consider(bond, reach_[actor.first + m], {number, m});
    }
}

Question CircleIndex::question_of(const ActorState& actor, ActorNumber number,
                                  PatientNumber patient, const Query& query) const {
    Question question{.role = actor.who.role,
                      .row = actor.who.row,
                      .now = query.now,
                      .data = query.data,
                      .writing = query.writing,
                      .strong = query.strong,
                      .is_self = actor.who.patient == patient,
                      .labels = query.labels,
                      .pressure = query.pressure,
                      .justified = query.justified,
                      .frozen = actor.who.frozen};
    if (!actor.has_glass) return question;
    if (const auto glass = glasses_.find(pair_of(number, patient)); glass != glasses_.end()) {
        question.glass = holds(glass->second.from, glass->second.to, query.now) &&
                         glass->second.to - glass->second.from <= policy_->break_glass_seconds;
        question.vital = glass->second.vital;
    }
    return question;
}

Outcome CircleIndex::decide(ActorNumber number, PatientNumber patient, const Query& query) const {
    prefetch(number, patient);
    const ActorState& actor = actors_[number];
    const Question question = question_of(actor, number, patient, query);
    Judge judge(*policy_, question);
    join(actor, patient, judge, [](const Slot&) { return false; });
    return judge.conclude();
}

bool CircleIndex::allows(ActorNumber number, PatientNumber patient, const Query& query) const {
    prefetch(number, patient);
    const ActorState& actor = actors_[number];
    const Question question = question_of(actor, number, patient, query);
    Judge judge(*policy_, question);
    // With labels or refusals, a later pair may be the exception that lets in.
    join(actor, patient, judge, [&](const Slot& slot) {
        return judge.has_proof() && slot.refusing == 0 && slot.has_added == 0 && query.labels == 0;
    });
    return judge.conclude().permitted();
}

void CircleIndex::prefetch(ActorNumber actor, PatientNumber patient) const {
    __builtin_prefetch(&slots_[patient]);
    __builtin_prefetch(&actors_[actor]);
    __builtin_prefetch(&actors_[actor].near);
}

void CircleIndex::prefetch_bonds(PatientNumber patient) const {
    const Slot& slot = slots_[patient];
    if (slot.count == 0) return;
    __builtin_prefetch(&parties_[slot.first]);
    __builtin_prefetch(&rest_[slot.first]);
}

void CircleIndex::filter(ActorNumber actor, const Query& query, std::span<const Item> items,
                         std::span<std::uint8_t> out) const {
    HYGIE_CHECK(items.size() == out.size(), "one answer for each item");
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i + kAheadSlots < items.size()) prefetch(actor, items[i + kAheadSlots].patient);
        if (i + kAheadBonds < items.size()) prefetch_bonds(items[i + kAheadBonds].patient);
        Query one = query;
        one.data = items[i].data;
        one.labels = items[i].labels;
        out[i] = allows(actor, items[i].patient, one) ? 1 : 0;
    }
}

void CircleIndex::add(const PatientBond& bond) {
    HYGIE_CHECK(bond.patient < patients(), "a bond is of a known patient");
    slots_[bond.patient].has_added = 1;
    added_of_[bond.patient].push_back(static_cast<std::uint32_t>(added_.size()));
    added_.push_back(bond);
}

std::size_t CircleIndex::end_evidence(PatientNumber patient, std::uint32_t evidence, Second at) {
    std::size_t ended = 0;
    const auto end = [&](Second& to, std::uint32_t source) {
        if (source != evidence || to <= at) return;
        to = at;
        ++ended;
    };
    for (std::uint32_t i = slots_[patient].first; i < slots_[patient].end(); ++i)
        end(rest_[i].to, rest_[i].evidence);
    if (const auto found = added_of_.find(patient); found != added_of_.end())
        for (const std::uint32_t place : found->second)
            end(added_[place].bond.to, added_[place].bond.evidence);
    return ended;
}

void CircleIndex::add(const ActorMembership& membership) {
    own_[membership.actor].push_back(membership.member);
    refresh_all();
}

void CircleIndex::add(const Delegation& delegation) {
    delegations_.push_back(delegation);
    refresh_all();
}

std::size_t CircleIndex::end_memberships(ActorNumber actor, std::uint32_t evidence, Second at) {
    std::size_t ended = 0;
    const auto end = [&](Second& to, std::uint32_t source) {
        if (source != evidence || to <= at) return;
        to = at;
        ++ended;
    };
    for (Membership& member : own_[actor]) end(member.to, member.evidence);
    for (Delegation& one : delegations_)
        if (one.actor == actor) end(one.to, one.evidence);
    refresh_all();
    return ended;
}

void CircleIndex::open_glass(ActorNumber actor, PatientNumber patient, const Glass& glass) {
    actors_[actor].has_glass = true;
    glasses_[pair_of(actor, patient)] = glass;
}

/// Delegations from `path.back()` on: a loop ends where it meets itself.
void CircleIndex::follow(ActorNumber actor, Second from, Second to, std::vector<ActorNumber>& path,
                         std::vector<Membership>& reach) const {
    if (path.size() > policy_->delegation_depth) return;
    const auto first = std::ranges::lower_bound(delegations_, actor, {}, &Delegation::actor);
    for (auto one = first; one != delegations_.end() && one->actor == actor; ++one) {
        const Second start = std::max(from, one->from);
        const Second end = std::min(to, one->to);
        if (start >= end || std::ranges::find(path, one->principal) != path.end()) continue;
        const ActorState& principal = actors_[one->principal];
        const auto depth = static_cast<std::uint8_t>(path.size());
        const auto add = [&](Party party, Second member_from, Second member_to) {
            if (reach.size() < kMembershipsMax)
                reach.push_back({.party = party,
                                 .from = std::max(start, member_from),
                                 .to = std::min(end, member_to),
                                 .evidence = one->evidence,
                                 .post = Post::Principal,
                                 .depth = depth});
        };
        add(principal.who.self, 0, kForever);
        for (const Membership& member : own_[one->principal])
            if (member.post == Post::Position) add(member.party, member.from, member.to);
        path.push_back(one->principal);
        follow(one->principal, start, end, path, reach);
        path.pop_back();
    }
}

std::vector<Membership> CircleIndex::reach_of(ActorNumber number) const {
    std::vector<Membership> reach = {{.party = kEverybody, .post = Post::Self}};
    const Party self = actors_[number].who.self;
    if (self != kEverybody) reach.push_back({.party = self, .post = Post::Self});
    for (const Membership& member : own_[number])
        if (reach.size() < kMembershipsMax && member.party != kEverybody) reach.push_back(member);
    std::vector<ActorNumber> path = {number};
    follow(number, 0, kForever, path, reach);
    std::ranges::stable_sort(reach, {}, &Membership::party);
    return reach;
}

void CircleIndex::refresh_all() {
    std::ranges::stable_sort(delegations_, {}, &Delegation::actor);
    reach_.clear();
    for (ActorNumber i = 0; i < actors_.size(); ++i) {
        const std::vector<Membership> reach = reach_of(i);
        ActorState& actor = actors_[i];
        actor.first = static_cast<std::uint32_t>(reach_.size());
        actor.count = static_cast<std::uint32_t>(reach.size());
        for (std::size_t m = 0; m < std::min(reach.size(), ActorState::kNear); ++m)
            actor.near[m] = reach[m].party;
        reach_.insert(reach_.end(), reach.begin(), reach.end());
    }
}

std::size_t CircleIndex::bytes() const {
    std::size_t total = slots_.capacity() * sizeof(Slot) + parties_.capacity() * sizeof(Party) +
                        rest_.capacity() * sizeof(Rest) + added_.capacity() * sizeof(PatientBond);
    for (std::size_t i = 0; i < actors_.size(); ++i)
        total += sizeof(ActorState) + (own_[i].capacity() + actors_[i].count) * sizeof(Membership);
    return total;
}

}  // namespace hygie::access
