#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace hygie::crypto {

/// SHA-1 (FIPS 180-4). Only to compare with what others wrote so (FHIR's Attachment.hash): it
/// proves that bytes came through whole, and nothing against who means to forge them.
std::array<std::uint8_t, 20> sha1(ByteView bytes);

}  // namespace hygie::crypto
