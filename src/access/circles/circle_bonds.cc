#include "access/circles/circle_bonds.h"

#include <numeric>
#include <tuple>

#include "base/check.h"
#include "host/memory.h"

namespace hygie::access {
namespace {

bool refuses(Relation::Kind kind) {
    return kind == Relation::Kind::Opposition || kind == Relation::Kind::Restriction;
}

}  // namespace

CircleBonds::CircleBonds(const Policy& policy, std::size_t patients, std::vector<PatientBond> bonds)
    : windows_(policy.windows) {
    HYGIE_CHECK(bonds.size() < UINT32_MAX, "bonds are counted in 32 bits");
    if (!std::ranges::is_sorted(bonds, {}, &PatientBond::patient))
        std::ranges::stable_sort(bonds, {}, &PatientBond::patient);
    HYGIE_CHECK(bonds.empty() || bonds.back().patient < patients, "a bond is of a known patient");
    reserve_large(slots_, patients);
    slots_.resize(patients);
    reserve_large(packed_, bonds.size());
    reserve_large(evidence_, bonds.size());
    for (auto first = bonds.begin(); first != bonds.end();) {
        const auto last = std::find_if(first, bonds.end(), [&](const PatientBond& one) {
            return one.patient != first->patient;
        });
        settle(first->patient, {first, last});
        first = last;
    }
}

void CircleBonds::settle(PatientNumber patient, std::span<PatientBond> bonds) {
    const auto end = [&](const PatientBond& one) { return end_of(one.bond.kind, one.bond.to); };
    std::ranges::sort(bonds, [&](const PatientBond& left, const PatientBond& right) {
        const auto key = [&](const PatientBond& one) {
            const Bond& bond = one.bond;
            return std::tuple(kForever - end(one), bond.party, bond.kind, bond.from, bond.to,
                              bond.evidence);
        };
        return key(left) < key(right);
    });
    Slot& slot = slots_[patient];
    slot.first = static_cast<std::uint32_t>(packed_.size());
    slot.count = static_cast<std::uint32_t>(bonds.size());
    bring_near(slot, bonds);
    if (bonds.size() > kScanned)
        std::ranges::stable_sort(bonds, {}, [](const PatientBond& one) { return one.bond.party; });
    for (const auto& [whose, bond] : bonds) {
        slot.refuses = slot.refuses || refuses(bond.kind);
        packed_.push_back({bond.party, bond.from, bond.to, bond.kind, bond.classes});
        evidence_.push_back(bond.evidence);
    }
    size_ += bonds.size();
}

void CircleBonds::bring_near(Slot& slot, std::span<const PatientBond> by_end) const {
    const auto end = [&](std::size_t i) { return end_of(by_end[i].bond.kind, by_end[i].bond.to); };
    slot.parties.fill(kNoParty);
    for (std::size_t i = 0; i < std::min(by_end.size(), kNear); ++i) {
        slot.parties[i] = by_end[i].bond.party;
        slot.ends[i] = end(i);
    }
    slot.filtered_from = by_end.size() > kNear ? end(kNear) : 0;
}

void CircleBonds::prefetch_bonds(PatientNumber patient) const {
    const Slot& slot = slots_[patient];
    if (slot.count > 0) __builtin_prefetch(&packed_[slot.first]);
}

Bond CircleBonds::bond(PatientNumber patient, std::uint32_t number) const {
    const Slot& slot = slots_[patient];
    if (number >= slot.count) return added_to(patient)[number - slot.count];
    Bond bond = packed_[slot.first + number].unpacked();
    bond.evidence = evidence_[slot.first + number];
    return bond;
}

std::uint32_t CircleBonds::count_of(PatientNumber patient) const {
    const Slot& slot = slots_[patient];
    const std::size_t added = slot.has_added ? added_to(patient).size() : 0;
    return slot.count + static_cast<std::uint32_t>(added);
}

void CircleBonds::add(const PatientBond& bond) {
    HYGIE_CHECK(bond.patient < patients(), "a bond is of a known patient");
    Slot& slot = slots_[bond.patient];
    slot.has_added = true;
    slot.refuses = slot.refuses || refuses(bond.bond.kind);
    added_[bond.patient].push_back(bond.bond);
    ++size_;
}

std::size_t CircleBonds::end_evidence(PatientNumber patient, std::uint32_t evidence, Second at) {
    std::size_t ended = 0;
    const auto end = [&](Second& to, std::uint32_t source) {
        if (source != evidence || to <= at) return;
        to = at;
        ++ended;
    };
    Slot& slot = slots_[patient];
    for (std::size_t i = slot.first; i < slot.first + slot.count; ++i)
        end(packed_[i].to, evidence_[i]);
    if (slot.has_added)
        for (Bond& one : added_[patient]) end(one.to, one.evidence);
    if (ended > 0 && slot.count <= kScanned) sort_by_end(slot);
    return ended;
}

void CircleBonds::sort_by_end(Slot& slot) {
    std::vector<std::uint32_t> order(slot.count);
    std::iota(order.begin(), order.end(), slot.first);
    std::ranges::stable_sort(order, std::greater<>{}, [&](std::uint32_t place) {
        return end_of(packed_[place].kind, packed_[place].to);
    });
    std::vector<PatientBond> bonds;
    for (const std::uint32_t place : order) {
        bonds.push_back({0, packed_[place].unpacked()});
        bonds.back().bond.evidence = evidence_[place];
    }
    for (std::size_t i = 0; i < bonds.size(); ++i) {
        const Bond& bond = bonds[i].bond;
        packed_[slot.first + i] = {bond.party, bond.from, bond.to, bond.kind, bond.classes};
        evidence_[slot.first + i] = bond.evidence;
    }
    bring_near(slot, bonds);
}

std::size_t CircleBonds::bytes() const {
    std::size_t total = slots_.capacity() * sizeof(Slot) + packed_.capacity() * sizeof(Packed) +
                        evidence_.capacity() * sizeof(std::uint32_t);
    for (const auto& [patient, bonds] : added_) total += bonds.capacity() * sizeof(Bond);
    return total;
}

}  // namespace hygie::access
