#pragma once

#include <span>
#include <string>
#include <vector>

#include "fhir/data/json.h"
#include "fhir/search/search_query.h"
#include "fhir/search/segment.h"

namespace hygie::fhir {

/// Whether a search would find this resource if it were all there is: chains and _has lead nowhere.
/// `updated` is what _lastUpdated compares with.
bool would_find(const Query& query, Json resource, WallTime updated);

/// These resources as a compartment of their own; `updated` is what _lastUpdated compares with.
Compartment compartment_of(std::span<const Json> resources, WallTime updated);

/// The ids of what a search finds there, Query::count at most: chains and _has lead nowhere else.
std::vector<std::string> ids_found(const Query& query, const Compartment& compartment);

}  // namespace hygie::fhir
