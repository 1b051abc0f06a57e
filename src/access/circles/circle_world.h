#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/circles/circle_index.h"
#include "access/circles/circle_read.h"
#include "access/circles/review_opened.h"

/// A hospital as its FHIR resources tell it: names on the outside, an index of numbers inside.
namespace hygie::access {

/// Texts and their numbers, in the order they came.
class Names {
  public:
    std::uint32_t number_of(const std::string& name);
    std::optional<std::uint32_t> find(std::string_view name) const;
    const std::string& operator[](std::uint32_t number) const { return names_[number]; }
    std::size_t size() const { return names_.size(); }

  private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> numbers_;
    std::vector<std::string> names_;
};

class CircleWorld {
  public:
    /// `policy` must outlive the world.
    static CircleWorld build(ReadFacts facts, const Policy& policy);
    static CircleWorld build(ReadFacts facts, const Policy&& policy) = delete;

    CircleIndex& index() { return *index_; }
    const CircleIndex& index() const { return *index_; }

    /// By reference ("Practitioner/1"), id, position or identifier value.
    std::optional<ActorNumber> find_actor(std::string_view name) const;
    std::optional<PatientNumber> find_patient(std::string_view name) const;
    /// The patient that a resource is about, when a circle was read from it.
    std::optional<PatientNumber> patient_of(std::string_view resource) const;

    const std::string& actor_name(ActorNumber actor) const { return actors_[actor]; }
    std::string patient_name(PatientNumber patient) const { return patients_[patient]; }
    std::string party_name(Party party) const;
    /// Whether it is the party of all who see what is within that unit, its parts included.
    bool is_within(Party party) const { return parties_[party].ends_with('^'); }
    const std::string& evidence_name(std::uint32_t evidence) const { return evidence_[evidence]; }

    /// The name and profession of an actor, for people.
    ActorWords words_of(const std::string& actor) const;

    /// Who treats or receives in the unit is refused but for emergencies (UnitHold). A unit that
    /// this world does not know holds nobody.
    void hold(const UnitHold& hold);

    /// The decision in words, with its proof path.
    Decision explain(ActorNumber actor, PatientNumber patient, const Query& query) const;

  private:
    friend class WorldBuilder;
    std::string canonical(std::string_view name) const;
    ProofStep step_of(ActorNumber actor, const Membership& member) const;
    void add_hold(ActorNumber actor, Second now, Decision& decision) const;
    std::unique_ptr<CircleIndex> index_;
    Names actors_, patients_, parties_, evidence_;
    std::unordered_map<std::uint32_t, PatientNumber> patient_of_evidence_;
    std::map<std::string, std::string, std::less<>> aliases_;
    std::unordered_map<std::string, std::string> person_of_position_;
    std::map<std::string, ReadPerson, std::less<>> persons_;
};

}  // namespace hygie::access
