#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "access/circle_judge.h"

/// Everybody's circles in memory, in flat arrays: bonds by patient, memberships by actor. Answers
/// in a few cache misses, knows a change at once (nothing is cached, nothing expires). One writer
/// or many readers at a time: who shares it guards it.
namespace hygie::access {

using ActorNumber = std::uint32_t;
using PatientNumber = std::uint32_t;
inline constexpr std::uint32_t kNobody = UINT32_MAX;
/// Memberships of one actor, delegations followed; what is beyond is left out, which closes.
inline constexpr std::size_t kMembershipsMax = 1024;

struct PatientBond {
    PatientNumber patient = 0;
    Bond bond;
};

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
};

/// A break-glass of one actor for one patient.
struct Glass {
    Second from = 0;
    Second to = 0;
    bool vital = false;
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
    void prefetch(ActorNumber actor, PatientNumber patient) const;
    void prefetch_bonds(PatientNumber patient) const;

    struct Item {
        PatientNumber patient = 0;
        DataClass data = DataClass::Identity;
        std::uint8_t labels = 0;
    };
    /// allows() for each item of a bundle, 1 or 0.
    void filter(ActorNumber actor, const Query& query, std::span<const Item> items,
                std::span<std::uint8_t> out) const;

    // Changes, effective for the next question.
    void add(const PatientBond& bond);
    /// Ends, at `at`, what was read from a resource about this patient. How many bonds ended.
    std::size_t end_evidence(PatientNumber patient, std::uint32_t evidence, Second at);
    void add(const ActorMembership& membership);
    void add(const Delegation& delegation);
    std::size_t end_memberships(ActorNumber actor, std::uint32_t evidence, Second at);
    void freeze(ActorNumber actor, bool frozen) { actors_[actor].who.frozen = frozen; }
    void open_glass(ActorNumber actor, PatientNumber patient, const Glass& glass);

    Bond bond(std::uint32_t number) const;
    const Membership& membership(ActorNumber actor, std::uint32_t number) const {
        return reach_[actors_[actor].first + number];
    }
    /// Bonds of one patient by number, for who-can.
    std::vector<std::uint32_t> bonds_of(PatientNumber patient) const;
    std::span<const Membership> memberships_of(ActorNumber actor) const {
        return std::span(reach_).subspan(actors_[actor].first, actors_[actor].count);
    }
    const IndexedActor& actor(ActorNumber number) const { return actors_[number].who; }
    std::size_t actors() const { return actors_.size(); }
    std::size_t patients() const { return slots_.size(); }
    std::size_t size() const { return parties_.size() + added_.size(); }
    const Policy& policy() const { return *policy_; }
    std::size_t bytes() const;

  private:
    /// One cache line for each patient: where the bonds lie, refusing ones first, then the others
    /// by party; and one bit per hashed party, so that most strangers stop here.
    struct alignas(64) Slot {
        static constexpr std::size_t kWords = 6;
        std::uint32_t first = 0;
        std::uint32_t count = 0;
        std::uint16_t refusing = 0;
        std::uint16_t has_added = 0;
        std::uint32_t unused = 0;
        std::array<std::uint64_t, kWords> parties{};

        void note(Party party) { parties[word(party)] |= bit_of(party); }
        bool may_hold(Party party) const { return (parties[word(party)] & bit_of(party)) != 0; }
        std::uint32_t end() const { return first + count; }

      private:
        static std::uint32_t hash(Party party) { return party * 0x9E3779B1U; }
        static std::size_t word(Party party) {
            return static_cast<std::size_t>(std::uint64_t{hash(party)} * kWords >> 32);
        }
        static std::uint64_t bit_of(Party party) {
            return std::uint64_t{1} << (hash(party) >> 8 & 63);
        }
    };
    struct Rest {
        Second from, to;
        std::uint32_t evidence;
        Classes classes;
        Relation::Kind kind;
    };
    /// Two cache lines whose places follow from the actor's number alone, so that they are fetched
    /// beside the patient's: what the actor is, and the first parties it belongs to.
    struct alignas(64) ActorState {
        static constexpr std::size_t kNear = 16;
        IndexedActor who;
        std::uint32_t first = 0;  ///< of its memberships, by party: everybody, own, by delegation
        std::uint32_t count = 0;
        bool has_glass = false;
        alignas(64) std::array<Party, kNear> near{};
    };
    Party party_of(const ActorState& actor, std::uint32_t member) const {
        return member < ActorState::kNear ? actor.near[member] : reach_[actor.first + member].party;
    }

    Question question_of(const ActorState& actor, ActorNumber number, PatientNumber patient,
                         const Query& query) const;
    template <typename Done>
    void join(const ActorState& actor, PatientNumber patient, Judge& judge, Done done) const;
    void fetch(const Slot& slot) const;
    void join_added(const ActorState& actor, PatientNumber patient, Judge& judge) const;
    Bond at(std::uint32_t number) const;
    std::vector<Membership> reach_of(ActorNumber actor) const;
    void refresh_all();
    void follow(ActorNumber actor, Second from, Second to, std::vector<ActorNumber>& path,
                std::vector<Membership>& reach) const;

    const Policy* policy_;
    std::vector<Slot> slots_;
    std::vector<Party> parties_;
    std::vector<Rest> rest_;
    std::vector<ActorState> actors_;
    std::vector<Membership> reach_;             ///< of all actors, one after the other
    std::vector<std::vector<Membership>> own_;  ///< of each actor
    std::vector<Delegation> delegations_;
    std::vector<PatientBond> added_;
    std::unordered_map<PatientNumber, std::vector<std::uint32_t>> added_of_;
    std::unordered_map<std::uint64_t, Glass> glasses_;
};

/// Where a break-glass is found again.
constexpr std::uint64_t pair_of(ActorNumber actor, PatientNumber patient) {
    return (std::uint64_t{actor} << 32) | patient;
}

}  // namespace hygie::access
