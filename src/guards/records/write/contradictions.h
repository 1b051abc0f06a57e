#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fhir/clinical/clinical.h"
#include "fhir/data/json.h"
#include "guards/records/write/plan.h"

namespace hygie::records {

/// What is well formed and yet contradicts the record: told to the writer as a warning, and kept as
/// a DetectedIssue beside what was written. Looks only at what the writer may read.
class Contradictions {
  public:
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
    Answer<std::vector<fhir::Finding>> found_in(const Step& step);
    Answer<std::vector<fhir::Json>> around(const Step& step);
    Answer<const std::vector<Seen>*> in_record(const std::string& patient, std::string_view type);
    Answer<void> add_stored(const std::string& patient, std::string_view type,
                            std::vector<Seen>& into);
    fhir::Json medication_of(fhir::Json body);
    Answer<bool> is_known(const Step& step, const fhir::Finding& one);
    fhir::Json resource_of(const Step& step, const fhir::Finding& one);

    Sight& sight_;
    fhir::Arena& arena_;
    const Plan& plan_;
    std::map<std::pair<std::string, std::string>, std::vector<Seen>> seen_;  ///< by patient, type
};

}  // namespace hygie::records
