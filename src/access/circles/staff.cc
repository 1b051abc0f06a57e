#include "access/circles/staff.h"

#include <algorithm>
#include <set>

namespace hygie::access {
namespace {

constexpr std::size_t kKnownMax = 100'000;
constexpr std::size_t kAboveMax = 16;

/// Every unit with all that it is part of, at any height.
std::multimap<std::string, std::string, std::less<>> parts_of(const ReadFacts& facts) {
    std::multimap<std::string, std::string, std::less<>> parts;
    for (const auto& [name, unit] : facts.units) {
        std::vector<std::string> above = unit.above;
        for (std::size_t i = 0; i < above.size() && above.size() < kAboveMax; ++i)
            if (const auto larger = facts.units.find(above[i]); larger != facts.units.end())
                for (const std::string& next : larger->second.above)
                    if (next != name && std::ranges::find(above, next) == above.end())
                        above.push_back(next);
        for (const std::string& larger : above) parts.emplace(larger, name);
    }
    return parts;
}

}  // namespace

Staff::Staff(ReadFacts facts, const Policy& policy)
    : parts_(parts_of(facts)), world_(CircleWorld::build(std::move(facts), policy)) {}

std::vector<Belonging> Staff::look(std::string_view person) const {
    std::vector<Belonging> all;
    const auto actor = world_.find_actor(person);
    if (!actor) return all;
    const auto add = [&](const std::string& party, const Membership& member, bool is_part) {
        Belonging one{.party = party,
                      .post = static_cast<std::uint8_t>(member.post),
                      .start = time_of(member.from),
                      .end = time_of(member.to),
                      .evidence = world_.evidence_name(member.evidence),
                      .depth = member.depth};
        if (all.size() >= kBelongingsMax || std::ranges::find(all, one) != all.end()) return;
        one.is_part = is_part;
        if (is_part && std::ranges::find(all, one) != all.end()) return;
        all.push_back(std::move(one));
    };
    const auto members = world_.index().memberships_of(*actor);
    for (const Membership& member : members) {
        const std::string party = world_.party_name(member.party);
        const bool is_self = party == person && member.post == Post::Self;
        if (!party.empty() && !is_self && !world_.is_within(member.party))
            add(party, member, false);
    }
    for (const Membership& member : members) {
        if (!world_.is_within(member.party)) continue;
        const std::string party = world_.party_name(member.party);
        add(party, member, true);
        const auto [first, last] = parts_.equal_range(party);
        for (auto part = first; part != last; ++part) add(part->second, member, true);
    }
    return all;
}

Staff::Belongings Staff::of(std::string_view person) const {
    const std::scoped_lock lock(mutex_);
    if (const auto known = known_.find(person); known != known_.end()) return known->second;
    auto found = std::make_shared<const std::vector<Belonging>>(look(person));
    if (known_.size() < kKnownMax) known_.emplace(person, found);
    return found;
}

}  // namespace hygie::access
