#include "access/circles/circle_index.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/check.h"
#include "host/memory.h"

namespace hygie::access {
namespace {

/// How far ahead memory is asked for when questions come one after the other.
constexpr std::size_t kAhead = 24;
constexpr std::size_t kAheadBonds = 12;

}  // namespace

CircleIndex::CircleIndex(const Policy& policy, std::size_t patients, std::vector<PatientBond> bonds,
                         std::vector<IndexedActor> actors,
                         std::span<const ActorMembership> memberships,
                         std::vector<Delegation> delegations)
    : policy_(&policy),
      bonds_(policy, patients, std::move(bonds)),
      who_(std::move(actors)),
      own_(who_.size()),
      delegations_(std::move(delegations)) {
    reserve_large(lines_, who_.size());
    for (const IndexedActor& one : who_)
        lines_.push_back(
            {.row = one.row, .patient = one.patient, .role = one.role, .frozen = one.frozen});
    for (const ActorMembership& one : memberships) own_[one.actor].push_back(one.member);
    std::ranges::stable_sort(delegations_, {}, &Delegation::actor);
    refresh_all();
}

/// Every pair with the same party, until `done`.
template <typename Done>
void CircleIndex::join(const ActorLine& actor, PatientNumber patient, Judge& judge,
                       Done done) const {
    for (std::uint32_t m = 0; m < actor.count; ++m)
        if (bonds_.each(patient, judge.now(), party_of(actor, m),
                        [&](const Bond& bond, std::uint32_t number) {
                            judge.consider(bond, reach_[actor.first + m], {number, m});
                            return done();
                        }))
            return;
}

Question CircleIndex::question_of(const ActorLine& actor, ActorNumber number, PatientNumber patient,
                                  const Query& query) const {
    Question question{.role = actor.role,
                      .row = actor.row,
                      .now = query.now,
                      .data = query.data,
                      .writing = query.writing,
                      .strong = query.strong,
                      .is_self = actor.patient == patient,
                      .labels = query.labels,
                      .pressure = query.pressure,
                      .justified = query.justified,
                      .frozen = actor.frozen};
    question.purpose = query.purpose;
    if (query.purpose != Purpose::None)
        question.granted = leave(number, query.purpose, query.now) != nullptr;
    Second since = 0;
    if (!held_.empty())
        if (const auto by = held(number, query.now)) {
            question.contained = true;
            since = by->unit.from;
        }
    if (!actor.has_glass) return question;
    if (const Glass* opened = glass(number, patient)) {
        question.glass = holds(opened->from, opened->to, query.now) && opened->from >= since &&
                         opened->to - opened->from <= policy_->break_glass_seconds;
        question.vital = opened->vital;
        question.cosigned = opened->cosigned;
    }
    return question;
}

Outcome CircleIndex::decide(ActorNumber number, PatientNumber patient, const Query& query) const {
    prefetch(number, patient);
    const ActorLine& actor = lines_[number];
    const Question question = question_of(actor, number, patient, query);
    Judge judge(*policy_, question);
    join(actor, patient, judge, [] { return false; });
    return judge.conclude();
}

bool CircleIndex::allows(ActorNumber number, PatientNumber patient, const Query& query) const {
    prefetch(number, patient);
    const ActorLine& actor = lines_[number];
    const Question question = question_of(actor, number, patient, query);
    Judge judge(*policy_, question);
    // With labels or refusals, a later pair may be the exception that lets in.
    join(actor, patient, judge,
         [&] { return judge.has_proof() && query.labels == 0 && !bonds_.may_refuse(patient); });
    return judge.conclude().permitted();
}

void CircleIndex::filter(ActorNumber actor, const Query& query, std::span<const Item> items,
                         std::span<std::uint8_t> out) const {
    HYGIE_CHECK(items.size() == out.size(), "one answer for each item");
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i + kAhead < items.size()) prefetch(actor, items[i + kAhead].patient);
        if (i + kAheadBonds < items.size()) prefetch_bonds(items[i + kAheadBonds].patient);
        Query one = query;
        one.data = items[i].data;
        one.labels = items[i].labels;
        out[i] = allows(actor, items[i].patient, one) ? 1 : 0;
    }
}

void CircleIndex::add(const ActorMembership& membership) {
    own_[membership.actor].push_back(membership.member);
    refresh_around(membership.actor);
}

void CircleIndex::add(const Delegation& delegation) {
    const auto place =
        std::ranges::upper_bound(delegations_, delegation.actor, {}, &Delegation::actor);
    delegations_.insert(place, delegation);
    refresh_around(delegation.actor);
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
    if (ended > 0) refresh_around(actor);
    return ended;
}

void CircleIndex::open_glass(ActorNumber actor, PatientNumber patient, const Glass& glass) {
    lines_[actor].has_glass = true;
    glasses_[pair_of(actor, patient)] = glass;
}

const Glass* CircleIndex::glass(ActorNumber actor, PatientNumber patient) const {
    const auto found = glasses_.find(pair_of(actor, patient));
    return found == glasses_.end() ? nullptr : &found->second;
}

const Leave* CircleIndex::leave(ActorNumber actor, Purpose purpose, Second now) const {
    const Role role = who_[actor].role;
    if (role != Role::Care && role != Role::Desk) return nullptr;
    const auto found = std::ranges::find_if(leaves_, [&](const Leave& one) {
        return one.actor == actor && one.purpose == purpose && holds(one.from, one.to, now);
    });
    return found == leaves_.end() ? nullptr : &*found;
}

void CircleIndex::release(Party unit, Second at) {
    for (HeldUnit& one : held_)
        if (one.unit == unit) one.to = std::min(one.to, at);
}

std::optional<CircleIndex::Held> CircleIndex::held(ActorNumber actor, Second now) const {
    std::optional<Held> found;
    const Role role = who_[actor].role;
    if (role != Role::Care && role != Role::Desk) return found;
    for (const HeldUnit& unit : held_) {
        if (!holds(unit.from, unit.to, now) || (found && unit.from <= found->unit.from)) continue;
        for (const Membership& member : memberships_of(actor))
            if (member.party == unit.unit && is_of_unit(member.post) &&
                holds(member.from, member.to, now))
                found = Held{unit, member};
    }
    return found;
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
        add(who_[one->principal].self, 0, kForever);
        for (const Membership& member : own_[one->principal])
            if (member.post == Post::Position) add(member.party, member.from, member.to);
        path.push_back(one->principal);
        follow(one->principal, start, end, path, reach);
        path.pop_back();
    }
}

std::vector<Membership> CircleIndex::reach_of(ActorNumber number) const {
    std::vector<Membership> reach = {{.party = kEverybody, .post = Post::Self}};
    const Party self = who_[number].self;
    if (self != kEverybody) reach.push_back({.party = self, .post = Post::Self});
    for (const Membership& member : own_[number])
        if (reach.size() < kMembershipsMax && member.party != kEverybody) reach.push_back(member);
    std::vector<ActorNumber> path = {number};
    follow(number, 0, kForever, path, reach);
    std::ranges::stable_sort(reach, {}, &Membership::party);
    return reach;
}

void CircleIndex::refresh_all() {
    reach_.clear();
    reach_lost_ = 0;
    room_.assign(who_.size(), 0);
    for (ActorNumber i = 0; i < who_.size(); ++i) refresh(i);
}

void CircleIndex::refresh(ActorNumber number) {
    const std::vector<Membership> reach = reach_of(number);
    ActorLine& actor = lines_[number];
    if (reach.size() > room_[number]) {
        reach_lost_ += room_[number];
        actor.first = static_cast<std::uint32_t>(reach_.size());
        room_[number] = static_cast<std::uint32_t>(reach.size());
        reach_.resize(reach_.size() + reach.size());
    }
    std::ranges::copy(reach, reach_.begin() + actor.first);
    actor.count = static_cast<std::uint32_t>(reach.size());
    for (std::size_t m = 0; m < std::min(reach.size(), ActorLine::kNear); ++m)
        actor.near[m] = reach[m].party;
}

/// The actor, and all who act for it, at any distance.
void CircleIndex::refresh_around(ActorNumber number) {
    if (reach_lost_ > reach_.size() / 2) return refresh_all();
    std::vector<bool> reached(who_.size());
    std::vector<ActorNumber> around = {number};
    reached[number] = true;
    for (unsigned depth = 0; depth < policy_->delegation_depth; ++depth) {
        const std::size_t known = around.size();
        for (const Delegation& one : delegations_)
            if (reached[one.principal] && !reached[one.actor]) around.push_back(one.actor);
        for (std::size_t i = known; i < around.size(); ++i) reached[around[i]] = true;
    }
    for (const ActorNumber one : around) refresh(one);
}

std::size_t CircleIndex::bytes() const {
    std::size_t total = bonds_.bytes();
    total += who_.size() * (sizeof(IndexedActor) + sizeof(ActorLine)) +
             reach_.capacity() * sizeof(Membership);
    for (const std::vector<Membership>& own : own_) total += own.capacity() * sizeof(Membership);
    return total;
}

}  // namespace hygie::access
