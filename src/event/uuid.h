#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "host/random.h"

namespace hygie::event {

inline constexpr std::size_t kUuidBytes = 16;
using Uuid = std::array<std::uint8_t, kUuidBytes>;

/// A UUID in its one usual spelling (RFC 9562 §4: 8-4-4-4-12 lower-case digits), of any version;
/// none otherwise.
std::optional<Uuid> parse_uuid(std::string_view text);
std::string print_uuid(std::span<const std::uint8_t, kUuidBytes> uuid);

/// A new UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits.
Uuid make_uuid(WallTime now, Random& random);

}  // namespace hygie::event
