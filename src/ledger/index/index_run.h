#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "host/disk.h"
#include "host/random.h"
#include "ledger/index/index_block.h"

/// A run: the sealed, immutable file that indexes one range of sequences (INDEX_FORMAT.md).
namespace hygie::ledger {

/// Earliest and latest time are kept for every chunk of this many sequences.
inline constexpr std::uint64_t kChunkSequences = 4096;

/// Earliest and latest time of some entries, in microseconds since 1970.
struct TimeSpan {
    std::int64_t earliest = INT64_MAX;
    std::int64_t latest = INT64_MIN;

    void add(const TimeSpan& other) {
        earliest = std::min(earliest, other.earliest);
        latest = std::max(latest, other.latest);
    }
    bool operator==(const TimeSpan&) const = default;
};

/// The chunks of a range, the first being chunk range.first / kChunkSequences.
using Chunks = std::vector<TimeSpan>;
Chunks empty_chunks(SequenceRange range);

/// Where a block is and what it hashes to.
struct BlockRef {
    std::uint64_t first_key = 0;
    std::uint64_t offset = 0;  ///< in the file
    std::uint32_t size = 0;    ///< sealed
    crypto::Hash leaf{};       ///< leaf_hash of the plaintext
    bool operator==(const BlockRef&) const = default;
};

/// What a run knows of itself; small enough to stay in memory (about 50 bytes per 4,096 postings).
struct RunDirectory {
    SequenceRange range;
    std::array<std::vector<BlockRef>, kDimensions.size()> blocks;
    Chunks chunks;

    const std::vector<BlockRef>& of(Dimension dimension) const {
        return blocks[static_cast<std::size_t>(dimension)];
    }
    bool operator==(const RunDirectory&) const = default;
};

/// The commitment of a dimension: SHA-256(number of blocks, 8 bytes big-endian ‖ RFC 6962 root over
/// the blocks). The number is bound so that no other shape of tree can be passed off.
crypto::Hash dimension_root(std::uint64_t blocks, const crypto::Hash& tree_root);
crypto::Hash dimension_root(std::span<const BlockRef> blocks);

/// The blocks of a dimension that can hold a key: [first, end) of their numbers.
struct BlockRange {
    std::size_t first = 0;
    std::size_t end = 0;
};
BlockRange blocks_of(std::span<const BlockRef> blocks, std::uint64_t key);

/// Cuts sorted lists into blocks. The same cut makes the files and re-derives their commitments.
class BlockCutter {
  public:
    struct Cut {
        std::uint64_t first_key;
        Bytes plaintext;
    };
    BlockCutter(Dimension dimension, SequenceRange range)
        : positions_(positions_of(dimension, range).count) {}

    /// Adds ascending offsets under a key; keys ascend, and an offset given twice in a row counts
    /// once.
    void add(std::uint64_t key, std::span<const std::uint32_t> offsets);
    /// Cuts what remains, if anything.
    void finish();
    bool has_full() const { return !full_.empty(); }
    /// The blocks that are full since the last call.
    std::vector<Cut> take_full() { return std::exchange(full_, {}); }

  private:
    void cut();

    std::uint64_t positions_;
    Block block_;
    std::uint64_t last_key_ = 0;
    std::int64_t last_offset_ = -1;  ///< under last_key_; -1 before the first
    std::vector<Cut> full_;
};

/// Writes a run; all of one dimension before the next, in the order of kDimensions.
class RunWriter {
  public:
    static Result<RunWriter> create(Disk& disk, Random& random, const std::string& path,
                                    const crypto::Secret32& index_key, SequenceRange range);

    Status add(Dimension dimension, std::uint64_t key, std::span<const std::uint32_t> offsets);
    /// Ends a dimension; every dimension is ended once, in order.
    Status end_dimension(Dimension dimension);
    /// Durable on return.
    Result<RunDirectory> finish(Chunks chunks);

  private:
    RunWriter(std::unique_ptr<File> file, crypto::Secret32 file_key, SequenceRange range);
    Status keep(Dimension dimension);
    Status seal(std::uint64_t number, ByteView plaintext);
    Status write_out();

    std::unique_ptr<File> file_;
    crypto::Secret32 file_key_;
    std::vector<BlockCutter> cutters_;
    RunDirectory directory_;
    std::uint64_t sealed_ = 0;   ///< blocks sealed so far
    std::uint64_t written_ = 0;  ///< bytes in the file
    Bytes buffer_;               ///< bytes behind them
};

/// An open run.
class Run {
  public:
    /// Code::Corrupt when the file is not whole or was not sealed under this key.
    static Result<Run> open(Disk& disk, const std::string& path, const crypto::Secret32& index_key);

    const RunDirectory& directory() const { return directory_; }
    SequenceRange range() const { return directory_.range; }
    /// The plaintext of a block.
    Result<Bytes> plaintext(Dimension dimension, std::size_t number) const;
    Result<Block> block(Dimension dimension, std::size_t number) const;

  private:
    Run(std::unique_ptr<File> file, const crypto::Secret32& file_key, RunDirectory directory)
        : file_(std::move(file)), file_key_(file_key), directory_(std::move(directory)) {}

    std::unique_ptr<File> file_;
    crypto::Secret32 file_key_;
    RunDirectory directory_;
};

/// What one list of postings says: the sequences of an offset, cut to the run's own range.
SequenceRange sequences_at(Dimension dimension, SequenceRange run, std::uint32_t offset);

}  // namespace hygie::ledger
