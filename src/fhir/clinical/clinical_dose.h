#pragma once

#include <string>
#include <vector>

#include "fhir/data/json.h"

namespace hygie::fhir {

/// A single dose that its unit makes implausible: a slip of the unit (grams for milligrams) or of
/// the decimal point. The bounds are far outside of any use, so that no treatment trips them.
struct DoseIssue {
    std::string where;  ///< "MedicationRequest.dosageInstruction[0].doseAndRate[0].dose"
    bool is_low = false;
    std::string bound;        ///< "20000 mg"
    bool is_own_max = false;  ///< beyond what the same Dosage says is the most
};

/// Of the doses that a medication resource or an Immunization holds.
std::vector<DoseIssue> implausible_doses(Json resource);

}  // namespace hygie::fhir
