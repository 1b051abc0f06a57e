#pragma once

#include <array>
#include <map>
#include <span>
#include <string>

#include "crypto/sha256.h"
#include "ledger/index/index_run.h"

/// What the ledger says about a run of its index, in an open entry of type IndexCommitted. Pure.
namespace hygie::ledger {

/// Binds the blocks of a run to the entries it covers.
struct IndexCommitment {
    std::uint64_t run = 0;  ///< its number; means something to this ledger only
    SequenceRange range;
    std::array<crypto::Hash, kDimensions.size()> roots{};

    static IndexCommitment of(std::uint64_t run, const RunDirectory& directory);

    /// The event's detail: "run", "first", "end" in decimal, "actor", "patient", "object" in hex.
    std::map<std::string, std::string> detail() const;
    /// Strict; Code::Corrupt for any other spelling.
    static Result<IndexCommitment> parse(const std::map<std::string, std::string>& detail);

    const crypto::Hash& root(Dimension dimension) const {
        return roots[static_cast<std::size_t>(dimension)];
    }
    bool operator==(const IndexCommitment&) const = default;
};

/// The actor root of a run, out of public headers alone: `actors[i]` is Header::actor of entry
/// `first` + i. A verifier that has the whole log compares it with each IndexCommitted entry (see
/// check_commitment);
/// without that check a commitment is only a promise. Takes 8 bytes of memory per entry given and
/// about 50 ns. Patient and object roots rest on sealed payloads and are not for everybody.
crypto::Hash actor_root(std::uint64_t first, std::span<const crypto::Token> actors);

}  // namespace hygie::ledger
