#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fhir/json.h"
#include "guards/records/plan.h"

namespace hygie::records {

/// What is well formed and yet contradicts the record: told to the writer as a warning, and kept as
/// a DetectedIssue beside what was written. Looks only at what the writer may read.
class Contradictions {
  public:
    /// Doses of one vaccine are four weeks apart at least, four days early count (French
    /// vaccination calendar and CDC General Best Practice Guidelines for Immunization, timing and
    /// spacing).
    static constexpr Micros kVaccineInterval = std::chrono::days(24);
    /// Resources of one type that are looked at in one record.
    static constexpr std::size_t kLookedAtMax = 500;

    Contradictions(Sight& sight, fhir::Arena& arena, const Plan& plan)
        : sight_(sight), arena_(arena), plan_(plan) {}

    /// Warns in the step, and gives the DetectedIssue resources to write with it.
    Answer<std::vector<fhir::Json>> find(Step& step);

  private:
    struct Seen {
        std::string reference;
        fhir::Json body;
    };
    struct Contradiction {
        std::string_view code;  ///< of http://terminology.hl7.org/CodeSystem/v3-ActCode
        std::string_view severity;
        Text what;
        std::string other;  ///< what it contradicts, or empty
        std::string element;
    };

    Answer<std::vector<Contradiction>> found_in(const Step& step);
    Answer<const std::vector<Seen>*> in_record(const std::string& patient, std::string_view type);
    Answer<void> add_stored(const std::string& patient, std::string_view type,
                            std::vector<Seen>& into);
    Answer<void> check_vaccine(const Step& step, std::vector<Contradiction>& into);
    Answer<void> check_allergies(const Step& step, std::vector<Contradiction>& into);
    fhir::Json medication_of(fhir::Json body);
    Answer<bool> is_known(const Step& step, const Contradiction& one);
    fhir::Json resource_of(const Step& step, const Contradiction& one);

    Sight& sight_;
    fhir::Arena& arena_;
    const Plan& plan_;
    std::map<std::pair<std::string, std::string>, std::vector<Seen>> seen_;  ///< by patient, type
};

}  // namespace hygie::records
