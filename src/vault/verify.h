#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "crypto/sha256.h"

namespace hygie::vault {

/// What the ledger says about commits: the detail "digest" of the vault's event with this counter.
class Evidence {
  public:
    virtual ~Evidence() = default;
    /// None when the ledger has no such event.
    virtual Result<std::optional<crypto::Hash>> digest_of(std::uint64_t counter) const = 0;
};

/// Something is not as it was committed.
struct Rot {
    enum class Kind : std::uint8_t {
        Version = 1,   ///< a stored version is gone, damaged or another one
        Commit = 2,    ///< all versions open, but they are not those that the ledger saw
        Evidence = 3,  ///< the ledger knows nothing of this commit
        Chain = 4,     ///< a version does not continue the one before it
        Index = 5,     ///< the index of the record does not show the newest version
        Missing = 6,   ///< the ledger knows a commit that is not here
    };
    Kind kind = Kind::Version;
    std::uint64_t commit = 0;
    std::uint64_t row = 0;  ///< of the version; 0: the whole commit
    bool operator==(const Rot&) const = default;
};
/// One sentence.
Text describe(const Rot& rot);

/// How far a verification is, and what it saw.
struct Verified {
    std::uint64_t next_commit = 1;
    bool done = false;
    std::uint64_t commits = 0;
    std::uint64_t versions = 0;
    std::uint64_t erased =
        0;                 ///< versions of erased patients: their place in the digest is checked
    std::vector<Rot> rot;  ///< at most kRotMax
};
inline constexpr std::size_t kRotMax = 1'000;

}  // namespace hygie::vault
