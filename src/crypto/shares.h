#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/secret.h"
#include "host/random.h"

/// Recovery of the root key by k of n people. A share is one printable line (FORMAT.md):
///
///     hygie-share-1:<k>-of-<n>:<index>:<group>:<14 groups of 4 signs>:<6 signs of checksum>
///
/// k of them give the key back; k - 1 say nothing at all about it.
namespace hygie::crypto {

inline constexpr unsigned kSharesMax = 32;

/// A share, taken apart. Equal groups mark the shares of one split.
struct Share {
    /// The secret, then three bytes of its SHA-256, so that a wrong result is never taken for it.
    static constexpr std::size_t kValueBytes = 32 + 3;

    unsigned needed = 0;  ///< k
    unsigned total = 0;   ///< n
    unsigned index = 0;   ///< 1 to n
    std::uint32_t group = 0;
    std::array<std::uint8_t, kValueBytes> value{};
    ~Share();  ///< wipes the value
    bool operator==(const Share&) const = default;
};

std::string format_share(const Share& share);
/// Forgives case, spaces, dashes, and o, i or l typed for 0 and 1. Code::BadInput on anything else.
Result<Share> parse_share(std::string_view line);

/// n lines, any k of which recover the secret. Code::BadInput unless 2 ≤ k ≤ n ≤ kSharesMax.
Result<std::vector<std::string>> split(const Secret32& secret, unsigned k, unsigned n,
                                       Random& random);
/// The secret. Code::BadInput says which line is mistyped, foreign or given twice, or how many
/// are missing.
Result<Secret32> combine(std::span<const std::string> lines);

}  // namespace hygie::crypto
