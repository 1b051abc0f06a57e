#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "ledger/proofs/policy.h"
#include "ledger/tree/checkpoint.h"
#include "ledger/tree/merkle.h"

namespace hygie::ledger {

inline constexpr std::size_t kProofExtraBytesMax = 64 << 10;
inline constexpr std::size_t kTlogProofBytesMax = kNoteBytesMax + 2 * kProofExtraBytesMax;

/// One file that shows, off line, that an entry is in a log (C2SP tlog-proof): the exhibit to hand
/// over.
struct TlogProof {
    std::optional<Bytes> extra;  ///< for the application; nothing vouches for it
    std::uint64_t index = 0;
    Proof hashes;  ///< from the leaf's sibling up
    SignedCheckpoint checkpoint;

    /// Strict: what is accepted encodes to the same bytes; Code::BadInput otherwise.
    static Result<TlogProof> parse(std::string_view text);
    std::string encode() const;
    bool operator==(const TlogProof&) const = default;
};

/// Whether the entry is in a log that the policy accepts. Code::Forged or Code::Stale when it is
/// not shown.
Result<Endorsement> verify_proof(ByteView entry, const TlogProof& proof, const Policy& policy,
                                 const Moment& moment);

}  // namespace hygie::ledger
