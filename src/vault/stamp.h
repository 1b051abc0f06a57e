#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "fhir/data/json.h"

namespace hygie::vault {

/// Whole milliseconds, as instants are written: "2026-11-24T08:30:00.000Z".
WallTime to_millis(WallTime time);
std::string instant_text(WallTime time);

/// The resource as it is stored: type, id and meta first, with the version and time given; the rest
/// as it was.
fhir::Json stamped(fhir::Arena& arena, fhir::Json resource, std::string_view id,
                   std::uint32_t version, WallTime updated);
/// Whether a text that stamped() or deletion_text() began is that of a resource.
bool is_text_of(std::string_view text, std::string_view type, std::string_view id);
/// What is stored of a deletion.
std::string deletion_text(std::string_view type, std::string_view id);

}  // namespace hygie::vault
