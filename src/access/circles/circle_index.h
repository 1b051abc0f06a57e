#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "access/circles/circle_bonds.h"
#include "access/decide/circle_judge.h"

/// Everybody's circles in memory: bonds by patient, memberships by actor. Knows a change at once
/// (nothing is cached, nothing expires). One writer or many readers at a time: who shares it guards
/// it.
namespace hygie::access {

using ActorNumber = std::uint32_t;
inline constexpr std::uint32_t kNobody = UINT32_MAX;
/// Memberships of one actor, delegations followed; what is beyond is left out, which closes.
inline constexpr std::size_t kMembershipsMax = 1024;

/// Who an actor is to the engine.
struct IndexedActor {
    Role role = Role::Care;
    const PolicyRow* row = nullptr;
    Party self = kEverybody;          ///< the party that is this person
    PatientNumber patient = kNobody;  ///< when the actor is a patient
    bool frozen = false;
};

/// `actor` acts for `principal`.
struct Delegation {
    ActorNumber actor = 0;
    ActorNumber principal = 0;
    Second from = 0;
    Second to = kForever;
    std::uint32_t evidence = 0;
    bool operator==(const Delegation&) const = default;
};

struct ActorMembership {
    ActorNumber actor = 0;
    Membership member;
};

/// A question about one resource.
struct Query {
    Second now = 0;
    DataClass data = DataClass::Identity;
    bool writing = false;
    bool strong = false;
    std::uint8_t labels = 0;
    Pressure pressure = Pressure::Calm;
    bool justified = false;
    Purpose purpose = Purpose::None;
};

/// A break-glass of one actor for one patient.
struct Glass {
    Second from = 0;
    Second to = 0;
    bool vital = false;
    std::uint32_t evidence = 0;
    bool cosigned = false;
};

/// Leave of one actor for a purpose beside care.
struct Leave {
    ActorNumber actor = 0;
    Purpose purpose = Purpose::None;
    Second from = 0;
    Second to = 0;
    std::uint32_t evidence = 0;
};

/// A unit that an incident holds.
struct HeldUnit {
    Party unit = kEverybody;
    Second from = 0;
    Second to = kForever;
    std::uint32_t evidence = 0;
};

class CircleIndex {
  public:
    /// `policy` must outlive the index. Bonds are sorted here.
    CircleIndex(const Policy& policy, std::size_t patients, std::vector<PatientBond> bonds,
                std::vector<IndexedActor> actors, std::span<const ActorMembership> memberships,
                std::vector<Delegation> delegations);

    /// The decision with its proof.
    Outcome decide(ActorNumber actor, PatientNumber patient, const Query& query) const;
    /// decide(…).permitted(), without looking for the best proof.
    bool allows(ActorNumber actor, PatientNumber patient, const Query& query) const;
    /// Starts to fetch what a decision about this patient will read.
    void prefetch(ActorNumber actor, PatientNumber patient) const {
        bonds_.prefetch(patient);
        __builtin_prefetch(&lines_[actor]);
    }
    void prefetch_bonds(PatientNumber patient) const { bonds_.prefetch_bonds(patient); }

    struct Item {
        PatientNumber patient = 0;
        DataClass data = DataClass::Identity;
        std::uint8_t labels = 0;
    };
    /// allows() for each item of a bundle, 1 or 0.
    void filter(ActorNumber actor, const Query& query, std::span<const Item> items,
                std::span<std::uint8_t> out) const;

    // Changes, effective for the next question.
    void add(const PatientBond& bond) { bonds_.add(bond); }
    /// Ends, at `at`, what was read from a resource about this patient. How many bonds ended.
    std::size_t end_evidence(PatientNumber patient, std::uint32_t evidence, Second at) {
        return bonds_.end_evidence(patient, evidence, at);
    }
    void add(const ActorMembership& membership);
    void add(const Delegation& delegation);
    std::size_t end_memberships(ActorNumber actor, std::uint32_t evidence, Second at);
    void freeze(ActorNumber actor, bool frozen) {
        who_[actor].frozen = lines_[actor].frozen = frozen;
    }
    void open_glass(ActorNumber actor, PatientNumber patient, const Glass& glass);
    /// Null when the actor declared none for that patient.
    const Glass* glass(ActorNumber actor, PatientNumber patient) const;
    /// Who treats or receives in the unit, or in a part of it, is refused but for emergencies.
    void hold(const HeldUnit& unit) { held_.push_back(unit); }
    /// Ends what holds the unit.
    void release(Party unit, Second at);
    void grant(const Leave& leave) { leaves_.push_back(leave); }
    /// The leave that the actor has for that purpose now; null when there is none. Of who treats or
    /// receives.
    const Leave* leave(ActorNumber actor, Purpose purpose, Second now) const;
    /// What holds the actor now, the newest, with the membership through which; none for who
    /// neither treats nor receives.
    struct Held {
        HeldUnit unit;
        Membership member;
    };
    std::optional<Held> held(ActorNumber actor, Second now) const;

    /// Bonds of one patient by number, for proofs and who-can.
    Bond bond(PatientNumber patient, std::uint32_t number) const {
        return bonds_.bond(patient, number);
    }
    std::uint32_t bonds_of(PatientNumber patient) const { return bonds_.count_of(patient); }
    const Membership& membership(ActorNumber actor, std::uint32_t number) const {
        return reach_[lines_[actor].first + number];
    }
    std::span<const Membership> memberships_of(ActorNumber actor) const {
        return std::span(reach_).subspan(lines_[actor].first, lines_[actor].count);
    }
    const IndexedActor& actor(ActorNumber number) const { return who_[number]; }
    std::size_t actors() const { return who_.size(); }
    std::size_t patients() const { return bonds_.patients(); }
    std::size_t size() const { return bonds_.size(); }
    const Policy& policy() const { return *policy_; }
    std::size_t bytes() const;

  private:
    /// One cache line whose place follows from the actor's number alone, so that it is fetched
    /// beside the patient's: what the actor is, and the first parties it belongs to.
    struct alignas(64) ActorLine {
        static constexpr std::size_t kNear = 10;
        const PolicyRow* row = nullptr;
        std::uint32_t first = 0;  ///< of its memberships, by party: everybody, own, by delegation
        std::uint32_t count = 0;
        PatientNumber patient = kNobody;
        Role role = Role::Care;
        bool frozen = false;
        bool has_glass = false;
        std::array<Party, kNear> near{};
    };
    static_assert(sizeof(ActorLine) == 64);
    Party party_of(const ActorLine& actor, std::uint32_t member) const {
        return member < ActorLine::kNear ? actor.near[member] : reach_[actor.first + member].party;
    }

    Question question_of(const ActorLine& actor, ActorNumber number, PatientNumber patient,
                         const Query& query) const;
    template <typename Done>
    void join(const ActorLine& actor, PatientNumber patient, Judge& judge, Done done) const;
    std::vector<Membership> reach_of(ActorNumber actor) const;
    void refresh_all();
    void refresh(ActorNumber actor);
    void refresh_around(ActorNumber actor);
    void follow(ActorNumber actor, Second from, Second to, std::vector<ActorNumber>& path,
                std::vector<Membership>& reach) const;

    const Policy* policy_;
    CircleBonds bonds_;
    std::vector<IndexedActor> who_;
    std::vector<ActorLine> lines_;
    std::vector<Membership> reach_;             ///< of all actors
    std::vector<std::uint32_t> room_;           ///< places kept there for each actor
    std::size_t reach_lost_ = 0;                ///< places of reach_ that nobody uses any more
    std::vector<std::vector<Membership>> own_;  ///< of each actor
    std::vector<Delegation> delegations_;
    std::unordered_map<std::uint64_t, Glass> glasses_;
    std::vector<HeldUnit> held_;
    std::vector<Leave> leaves_;
};

/// Where a break-glass is found again.
constexpr std::uint64_t pair_of(ActorNumber actor, PatientNumber patient) {
    return (std::uint64_t{actor} << 32) | patient;
}

}  // namespace hygie::access
