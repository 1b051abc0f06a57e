#pragma once

#include <string_view>
#include <vector>

#include "guards/records/sight/sight.h"

namespace hygie::records {

/// Versions written at that time or later, of everything that is open to the asker: oldest first,
/// the newest `most` of them.
Answer<std::vector<vault::Version>> versions_since(Sight& sight, WallTime since, std::size_t most);

}  // namespace hygie::records
