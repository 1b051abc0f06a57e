#pragma once

#include "fhir/data/json.h"
#include "fhir/search/search_query.h"

namespace hygie::fhir {

/// Whether a search would find this resource if it were all there is: chains and _has lead nowhere.
/// `updated` is what _lastUpdated compares with.
bool would_find(const Query& query, Json resource, WallTime updated);

}  // namespace hygie::fhir
