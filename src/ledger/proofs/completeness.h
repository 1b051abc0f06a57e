#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/tokens.h"
#include "ledger/index/index.h"
#include "ledger/log/entry.h"
#include "ledger/proofs/policy.h"
#include "ledger/proofs/tile_hashes.h"
#include "ledger/tree/checkpoint.h"
#include "ledger/tree/log_reader.h"

/// "These are all the traces of this actor": an answer of the query index that somebody without any
/// key can check (format in INDEX_FORMAT.md).
namespace hygie::ledger {

inline constexpr std::string_view kCompletenessMagic = "hygie-completeness@v1\n";

/// An entry of the log and where it stands.
struct LoggedEntry {
    std::uint64_t index = 0;
    Bytes bytes;
    bool operator==(const LoggedEntry&) const = default;
};

/// What one run of the index shows.
struct RunProof {
    LoggedEntry commitment;  ///< the IndexCommitted entry
    std::uint64_t block_count = 0;
    std::uint64_t first_block = 0;
    std::vector<Bytes> blocks;         ///< neighbours, in order
    std::vector<crypto::Hash> hashes;  ///< prove_leaves of these blocks
    bool operator==(const RunProof&) const = default;
};

struct CompletenessProof {
    crypto::Token actor{};
    SequenceRange range;
    SignedCheckpoint checkpoint;
    std::vector<RunProof> runs;        ///< in order of their ranges
    std::vector<LoggedEntry> entries;  ///< ascending
    std::vector<crypto::Hash> hashes;  ///< prove_leaves of entries and commitments together

    Bytes encode() const;
    /// Strict inverse: any other spelling is Code::BadInput. Believes nothing.
    static Result<CompletenessProof> decode(ByteView bytes);
    bool operator==(const CompletenessProof&) const = default;
};

/// What a checked proof says. The caller compares actor and range with what it asked about.
struct CompleteAnswer {
    crypto::Token actor{};
    SequenceRange range;
    Endorsement endorsement;             ///< who vouches for the checkpoint
    std::vector<std::uint64_t> entries;  ///< every trace of the actor in the range
};

/// Gathers the proof for sequences `range`, in the log of `checkpoint`. The range must lie in the
/// index below its rows in memory, and every commitment must be logged below the checkpoint's size:
/// Code::Stale otherwise, so flush, log the commitments and take a newer checkpoint.
Result<CompletenessProof> prove_completeness(const QueryIndex& index, LogReader& log,
                                             TileCache& tiles, const SignedCheckpoint& checkpoint,
                                             const crypto::Token& actor, SequenceRange range);

/// Checks a proof without any key. Code::Forged, or what the policy says of the checkpoint.
///
/// It proves, for the log that the policy accepts: every listed entry is in the log and bears the
/// actor's token; the index that the ledger committed to in that same log, before it knew of this
/// question, lists exactly these entries for the actor in the range; the commitments cover the
/// range without a hole. So nobody, the administrator included, can leave out or add a trace after
/// its run was committed.
///
/// It does not prove that the commitments were honest when they were made: that takes the whole log
/// and check_commitment for each of them. It says nothing about entries outside the range, nor
/// about acts that no guard recorded (the gap-free counters of the sources tell those), nor about
/// what a token stands for: only the holder of the ledger's keys can say whose it is.
Result<CompleteAnswer> check_completeness(const CompletenessProof& proof, const Policy& policy,
                                          const Moment& moment);

/// The commitment in an entry of type IndexCommitted. Code::Forged unless it is the ledger's own
/// open word (source 0) about entries before it.
Result<IndexCommitment> commitment_in(const EntryView& entry);

/// Re-derives a commitment's actor root from the public headers of its range, as found in the log:
/// Code::Forged when the index left out, added or moved a trace. Reads every bundle of the range
/// and takes up to 128 MiB of memory; `size` is that of the checkpoint, whose entries the caller
/// has verified.
Status check_commitment(LogReader& log, std::uint64_t size, const IndexCommitment& commitment);

/// check_commitment for every commitment logged from `first` on; how many. Those about pruned
/// entries cannot be re-derived any more and are passed over.
Result<std::uint64_t> check_commitments(LogReader& log, std::uint64_t first, std::uint64_t size,
                                        std::uint64_t minimum_index);

}  // namespace hygie::ledger
