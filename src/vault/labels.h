#pragma once

#include <cstdint>
#include <string_view>

#include "vault/record.h"

/// Confidentiality labels (access/decide/circle.h) of resources, known from the index without their
/// bodies.
namespace hygie::vault {

/// Whether any resource of a piece has a code of meta.security.
bool has_labels(const fhir::Segment& segment);
/// What meta.security says of the newest version of a resource; 0: nothing.
std::uint8_t labels_of(const Record& record, std::string_view type, std::string_view id);
/// The same by the place in a piece.
std::uint8_t labels_of(const fhir::Segment& segment, std::size_t index);

}  // namespace hygie::vault
