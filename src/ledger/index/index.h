#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "crypto/secret.h"
#include "crypto/tokens.h"
#include "host/disk.h"
#include "host/random.h"
#include "ledger/index/index_commitment.h"
#include "ledger/index/index_merge.h"
#include "ledger/index/index_run.h"

namespace hygie::ledger {

/// What the index keeps of an entry. A token of zeros means none.
struct IndexRow {
    std::uint64_t sequence = 0;
    WallTime time{};
    crypto::Token actor{};
    crypto::Token patient{};
    crypto::Token object{};
};

/// Sizes of runs. The defaults are part of what makes files small and merges rare: every entry is
/// written twice. Tests make everything smaller.
struct IndexSizes {
    std::uint64_t run_rows = 1 << 18;  ///< rows kept in memory, and entries in the smallest runs
    std::uint64_t fan_out = 64;        ///< runs merged into one
    unsigned levels = 2;               ///< 262,144 → 16 M entries; larger runs are not made
};

/// A run's blocks that can hold an actor, with what proves them against the run's commitment.
struct RunEvidence {
    SequenceRange range;            ///< of the run
    std::uint64_t logged_at = 0;    ///< index of the IndexCommitted entry
    std::uint64_t block_count = 0;  ///< of the actor dimension
    std::uint64_t first_block = 0;
    std::vector<Bytes> blocks;         ///< plaintexts, neighbours in the run
    std::vector<crypto::Hash> hashes;  ///< of the rest of the run's tree, see completeness_tree.h
    std::vector<SequenceRange> found;  ///< what they say about the actor
};

/// The query index of a ledger: a sealed, rebuildable log-structured merge tree of runs over
/// neighbouring ranges of sequences. Everything in it comes from the log, so losing it loses
/// nothing: after a crash the caller feeds again from covered_end(), and on Code::Corrupt it calls
/// wipe() and feeds from the start. One thread at a time.
class QueryIndex {
  public:
    /// Opens or creates `dir`, private. Whatever the manifest does not name is removed, and so is a
    /// run that flush() made: its rows are to be fed again.
    static Result<std::unique_ptr<QueryIndex>> open(Disk& disk, Random& random,
                                                    const std::string& dir,
                                                    const crypto::Secret32& index_key,
                                                    IndexSizes sizes = {});
    /// Removes an index of any state.
    static Status wipe(Disk& disk, const std::string& dir);

    /// Takes rows without gaps from covered_end() on; an empty index starts at any sequence. Writes
    /// a run whenever one is full. On an I/O failure the rows below covered_end() are kept, and the
    /// next call tries the write again.
    Status add(std::span<const IndexRow> rows);
    /// Writes the rows in memory as a run, so that they can be proven.
    Status flush();
    /// Writes them down as they are, sealed, so that the next open() has them: without it the
    /// caller feeds them again, which unseals as many entries.
    Status keep_rows();
    /// A few milliseconds of merging; true while there is more. One call for every 32,768 rows
    /// added keeps up; fewer let the number of runs grow, and with it the work of find().
    Result<bool> merge_step();
    /// Forgets runs that lie wholly below a pruned log's minimum index.
    Status drop_below(std::uint64_t minimum);

    /// The sequences in the index, whole: rows in memory are found as well.
    SequenceRange covered() const;
    std::uint64_t covered_end() const { return covered().end; }

    /// Where entries with this token are, ascending. Nothing is left out. Actors: exactly theirs.
    /// Patients and objects: whole bundles that may hold one, so the caller checks each entry.
    /// Reads one or two blocks per run.
    Result<std::vector<SequenceRange>> find(Dimension dimension, const crypto::Token& token,
                                            SequenceRange within) const;
    /// Where entries of from ≤ time < until are, ascending, in whole chunks of 4,096: the caller
    /// checks each entry. Nothing is left out, even where the clock stepped back.
    std::vector<SequenceRange> sequences_in(WallTime from, WallTime until) const;

    /// Commitments not handed out since the index was opened and not known to be logged. The caller
    /// logs each as an IndexCommitted entry and tells where it went.
    std::vector<IndexCommitment> take_commitments();
    /// A commitment stands in the log. It counts for the run of that range and those roots, if
    /// there is one: numbers start again when an index is rebuilt.
    void committed(const IndexCommitment& commitment, std::uint64_t logged_at);

    /// Evidence about an actor from every run that touches `within`, in order; rows in memory are
    /// left out, so flush() first. Code::Stale while the commitment of such a run is not logged.
    Result<std::vector<RunEvidence>> evidence(const crypto::Token& actor,
                                              SequenceRange within) const;

    std::size_t runs() const { return runs_.size() + (tail_ ? 1 : 0); }

  private:
    struct Entry {
        std::uint64_t number = 0;
        std::shared_ptr<const Run> run;
        std::optional<std::uint64_t> logged_at;
        bool handed_out = false;

        SequenceRange range() const { return run->range(); }
    };
    struct Merging {
        Merge merge;
        std::uint64_t number;
        std::size_t first;  ///< inputs in runs_
        std::size_t count;
    };

    QueryIndex(Disk& disk, Random& random, std::string dir, const crypto::Secret32& index_key,
               IndexSizes sizes);
    Status load();
    Status load_runs();
    void load_rows();
    Status read_manifest(ByteView plaintext);
    Status write_manifest();
    Status remove_unnamed();
    Status adopt(std::vector<Entry> runs, std::optional<Entry> tail);
    Result<Entry> write_rows();
    bool is_full() const;
    Status close_full();
    Result<bool> start_merge();
    void abandon_merge();
    std::vector<const Entry*> entries() const;
    static Result<RunEvidence> evidence_of(const Run& run, const crypto::Token& actor);
    std::string path_of_run(std::uint64_t number) const;

    Disk* disk_;
    Random* random_;
    std::string dir_;
    crypto::Secret32 key_;
    IndexSizes sizes_;
    std::uint64_t next_number_ = 0;
    std::vector<Entry>
        runs_;  ///< neighbours, in order; each but the first ends where a full run may
    std::optional<Entry> tail_;   ///< what flush() wrote of rows_
    std::vector<IndexRow> rows_;  ///< after runs_
    std::optional<Merging> merging_;
};

}  // namespace hygie::ledger
