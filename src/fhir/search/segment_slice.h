#pragma once

#include <string_view>

#include "base/bytes.h"
#include "fhir/search/segment.h"

namespace hygie::fhir {

/// Of a segment, what a search over one type asks, in few bytes: the entries and values of the
/// type, and of all other entries the ids alone that these values name. To be kept in memory, never
/// stored. decode() opens it. Empty when no entry is of the type; a value that does not read back
/// makes `segment` damaged, and the slice worth nothing.
Bytes slice(const Segment& segment, std::string_view type);

}  // namespace hygie::fhir
