#pragma once

#include <optional>

#include "fhir/data/json.h"

namespace hygie::fhir {

/// The days that should lie between two doses of the vaccine, when both resources are given doses
/// of the same one and lie closer; absent otherwise. The intervals are minimum ones, less the four
/// days that schedules tolerate, so that what keeps a schedule is never told.
std::optional<int> broken_interval(Json one, Json other);

/// Whether both resources are given doses of the same vaccine that bear the same number in the same
/// series, less than half a year apart: given twice, or numbered wrongly.
bool repeats_dose(Json one, Json other);

}  // namespace hygie::fhir
