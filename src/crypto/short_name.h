#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace hygie::crypto {

/// A keyed name of 128 bits: two texts share one with a probability nobody has to count on, and
/// without the key nobody can choose texts that do.
struct ShortName {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const ShortName&) const = default;
};

using ShortNameKey = std::array<std::uint8_t, 16>;

/// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein: "SipHash", Indocrypt 2012): for tables
/// in memory. Nothing of it may reach a disk: use blind() there.
ShortName short_name(const ShortNameKey& key, ByteView text);

}  // namespace hygie::crypto
