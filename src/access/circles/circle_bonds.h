#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "access/decide/circle.h"
#include "access/decide/policy_pack.h"

/// The bonds of every patient, laid out for questions about one patient at one moment. Most
/// questions are answered by two neighbouring cache lines, whose place follows from the patient's
/// number.
namespace hygie::access {

using PatientNumber = std::uint32_t;

struct PatientBond {
    PatientNumber patient = 0;
    Bond bond;
};

class CircleBonds {
  public:
    /// The windows of `policy` are those that will be asked under.
    CircleBonds(const Policy& policy, std::size_t patients, std::vector<PatientBond> bonds);

    /// Starts to fetch the lines that most questions about the patient end at.
    void prefetch(PatientNumber patient) const {
        __builtin_prefetch(&slots_[patient]);
        __builtin_prefetch(&slots_[patient].ends);
    }
    /// Starts to fetch the bonds themselves; waits for the lines.
    void prefetch_bonds(PatientNumber patient) const;

    /// Hands over, as (bond, its number), every bond to `party` that may hold at `now`; true as
    /// soon as `found` says so. Bonds come without their evidence.
    template <typename Found>
    bool each(PatientNumber patient, Second now, Party party, const Found& found) const;

    /// With its evidence. Numbers of one patient's bonds are 0 to count_of(patient); they change
    /// when a bond ends.
    Bond bond(PatientNumber patient, std::uint32_t number) const;
    std::uint32_t count_of(PatientNumber patient) const;
    /// Whether something opposes or restricts, whenever.
    bool may_refuse(PatientNumber patient) const { return slots_[patient].refuses; }

    void add(const PatientBond& bond);
    /// Ends, at `at`, what was read from a resource. How many bonds ended.
    std::size_t end_evidence(PatientNumber patient, std::uint32_t evidence, Second at);

    std::size_t patients() const { return slots_.size(); }
    std::size_t size() const { return size_; }
    std::size_t bytes() const;

  private:
    static constexpr std::size_t kCacheLine = 64;
    /// Up to this many, bonds lie by their end, the last first: a question about now looks at few.
    /// More than these lie by party and are searched.
    static constexpr std::uint32_t kScanned = 64;
    /// Of as many of the last to end, the slot knows the party and the end.
    static constexpr std::size_t kNear = 12;
    /// Fills the rest of a slot: no party has this number.
    static constexpr Party kNoParty = UINT32_MAX;

    /// Where a patient's bonds lie, and which of them a question is about: whoever is none of
    /// `parties` is a stranger, now or later than `filtered_from`.
    struct alignas(2 * kCacheLine) Slot {
        std::uint32_t first = 0;
        std::uint32_t count = 0;
        Second filtered_from = 0;
        bool refuses = false;
        bool has_added = false;
        std::array<Party, kNear> parties{};
        std::array<Second, kNear> ends{};

        bool names(Party party) const {
            std::uint32_t any = 0;  // not a bool, and no early end: four are compared at once
            for (const Party one : parties) any |= one == party ? 1U : 0U;
            return any != 0;
        }
    };
    static_assert(sizeof(Slot) == 2 * kCacheLine && offsetof(Slot, ends) == kCacheLine);
    /// A bond without its evidence, which only proofs ask for: four in a cache line.
    struct Packed {
        Party party;
        Second from, to;
        Relation::Kind kind;
        Classes classes;
        Bond unpacked() const {
            return {.party = party, .from = from, .to = to, .kind = kind, .classes = classes};
        }
    };

    /// When a bond stops to hold, its window counted in.
    Second end_of(Relation::Kind kind, Second to) const {
        const std::uint64_t end =
            std::uint64_t{to} + windows_[static_cast<std::size_t>(kind)].after;
        return to == kForever || end > kForever ? kForever : static_cast<Second>(end);
    }
    static bool is_past(Second end, Second now) { return end != kForever && end <= now; }
    void settle(PatientNumber patient, std::span<PatientBond> bonds);
    void sort_by_end(Slot& slot);
    void bring_near(Slot& slot, std::span<const PatientBond> by_end) const;
    std::span<const Packed> packed(const Slot& slot) const {
        return std::span(packed_).subspan(slot.first, slot.count);
    }
    const std::vector<Bond>& added_to(PatientNumber patient) const {
        return added_.find(patient)->second;
    }

    std::array<Window, kRelationKinds> windows_;
    std::vector<Slot> slots_;
    std::vector<Packed> packed_;
    std::vector<std::uint32_t> evidence_;  ///< of each
    std::unordered_map<PatientNumber, std::vector<Bond>> added_;
    std::size_t size_ = 0;
};

template <typename Found>
bool CircleBonds::each(PatientNumber patient, Second now, Party party, const Found& found) const {
    const Slot& slot = slots_[patient];
    if (slot.has_added) {
        std::uint32_t number = slot.count;
        for (const Bond& one : added_to(patient))
            if (const auto at = number++; one.party == party && found(one, at)) return true;
    }
    if (now >= slot.filtered_from && !slot.names(party)) return false;
    const std::span<const Packed> bonds = packed(slot);
    if (bonds.size() > kScanned) {
        auto one = std::ranges::lower_bound(bonds, party, {}, &Packed::party);
        for (; one != bonds.end() && one->party == party; ++one)
            if (found(one->unpacked(), static_cast<std::uint32_t>(one - bonds.begin())))
                return true;
        return false;
    }
    for (std::uint32_t i = 0; i < bonds.size(); ++i) {
        const bool is_near = i < kNear;
        if (is_past(is_near ? slot.ends[i] : end_of(bonds[i].kind, bonds[i].to), now)) break;
        if (is_near && slot.parties[i] != party) continue;
        if (bonds[i].party == party && found(bonds[i].unpacked(), i)) return true;
    }
    return false;
}

}  // namespace hygie::access
