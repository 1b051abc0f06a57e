#pragma once

#include <string>
#include <vector>

#include "access/decide/scope.h"
#include "base/result.h"
#include "fhir/search/search_query.h"

/// The search part of a SMART v2 scope, "patient/Observation.rs?category=laboratory": what a
/// resource must match to be within the scope.
namespace hygie::access {

/// Understands scope.query. Code::BadInput when it is no plain search of that type: parameters of
/// the resource itself, no chain, no _has, nothing that says how to answer; or when the scope lets
/// more than read and search, or speaks of every type or of traces.
Result<fhir::Query> search_of(const Scope& scope, WallTime now);

}  // namespace hygie::access
