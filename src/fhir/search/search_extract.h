#pragma once

#include <vector>

#include "fhir/data/json.h"
#include "fhir/search/segment.h"

namespace hygie::fhir {

/// The values by which a resource is found: for each search parameter of its type, by the R4
/// expressions. The resource is as it will be stored; rows point into it. Wrong values in it give
/// no row: telling so is the validator's work. Thread-safe. Leaves out _id and _lastUpdated (they
/// are in the entry) and parameters that others answer (combo-code is code or component-code).
std::vector<IndexRow> extract(Json resource);

}  // namespace hygie::fhir
