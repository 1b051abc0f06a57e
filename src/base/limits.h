#pragma once

#include <cstddef>
#include <cstdint>

/// Every limit that more than one room must agree on, by name. A limit used in one room stays in
/// that room.
namespace hygie::limits {

/// C2SP tlog-tiles: an entry is length-prefixed with a big-endian uint16.
inline constexpr std::size_t kEntryBytesMax = 65'535;
/// One line of NDJSON on input; leaves room for the header and the seal of an entry.
inline constexpr std::size_t kEventBytesMax = 60'000;
/// JSON nesting deeper than this is hostile, not honest.
inline constexpr std::size_t kJsonDepthMax = 64;

}  // namespace hygie::limits
