#pragma once

#include <string>
#include <vector>

#include "fhir/json.h"
#include "fhir/segment.h"

namespace hygie::fhir {

/// What extract() makes: rows point into the resource and into `kept`.
struct Extracted {
    std::vector<IndexRow> rows;
    std::vector<std::unique_ptr<std::string>> kept;
};

/// The values by which a resource is found: for each search parameter of its type, by the R4
/// expressions. The resource is as it will be stored. Wrong values in it give no row: telling so is
/// the validator's work. Thread-safe. Does not do _id and _lastUpdated (they are in the entry), nor
/// parameters that others answer (combo-code is code or component-code).
Extracted extract(Json resource);

}  // namespace hygie::fhir
