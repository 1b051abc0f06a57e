#pragma once

#include <string>
#include <vector>

#include "base/text.h"
#include "fhir/data/json.h"

namespace hygie::fhir {

/// What an Observation says that cannot be, or hardly: a slip of the unit, of the decimal point or
/// of the line of a form.
struct ValueIssue {
    std::string where;           ///< "Observation.component[0].value"
    bool is_impossible = false;  ///< no body has this, or the unit measures something else
    Text text;
};

/// Of vital signs and a few common analyses, by their LOINC code; whatever the unit, as long as it
/// converts. What is measured by an amount of substance in one place and by mass in another is not
/// judged in the other unit.
std::vector<ValueIssue> implausible_values(Json observation);

}  // namespace hygie::fhir
