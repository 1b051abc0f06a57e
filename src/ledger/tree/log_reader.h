#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "crypto/sha256.h"
#include "host/disk.h"
#include "host/fetch.h"
#include "ledger/tree/checkpoint.h"
#include "ledger/tree/tile_path.h"

/// Reading the files of a tiled log, wherever they are. What is read is not believed: the reader of
/// a file checks it.
namespace hygie::ledger {

/// 256 entries of 65,535 bytes, each behind its length.
inline constexpr std::size_t kBundleBytesMax = kTileHashes * (2 + limits::kEntryBytesMax);

class LogReader {
  public:
    virtual ~LogReader() = default;
    /// The bytes of a file of the log, by its path in the log. Code::NotFound when it is not there,
    /// Code::Full when it is larger than `bytes_max`. Thread-safe.
    virtual Result<Bytes> read(const std::string& path, std::size_t bytes_max) = 0;
};

/// A log in a directory.
class DirReader final : public LogReader {
  public:
    DirReader(Disk& disk, std::string dir) : disk_(disk), dir_(std::move(dir)) {}
    Result<Bytes> read(const std::string& path, std::size_t bytes_max) override;

  private:
    Disk& disk_;
    std::string dir_;
};

/// A log behind HTTP, at a URL prefix.
class HttpReader final : public LogReader {
  public:
    HttpReader(Fetch& fetch, std::string prefix);
    Result<Bytes> read(const std::string& path, std::size_t bytes_max) override;

  private:
    Fetch& fetch_;
    std::string prefix_;
};

Result<SignedCheckpoint> read_checkpoint(LogReader& log);
/// The minimum index of a pruned log, from its file `pruned`; 0 when there is none. It is the log's
/// own word: whoever uses it accepts that older entries may be gone.
Result<std::uint64_t> read_minimum_index(LogReader& log);

/// The hashes of a tile. When the partial tile is gone the front of the full one stands for it, as
/// tlog-tiles allows. Code::Corrupt when the file has another size.
Result<std::vector<crypto::Hash>> read_tile(LogReader& log, TileId tile);

/// The entries of a bundle, in place.
struct Bundle {
    Bundle() = default;
    Bundle(Bundle&&) = default;
    Bundle& operator=(Bundle&&) = default;

    Bytes bytes;
    std::vector<ByteView> entries;  ///< views into bytes
};

/// Cuts a bundle into exactly `width` entries; Code::Corrupt when a byte is missing or left over.
Status split_bundle(ByteView bytes, std::size_t width, std::vector<ByteView>& entries);

/// The entries of a bundle, with the same fallback as read_tile.
Result<Bundle> read_bundle(LogReader& log, BundleId bundle);

}  // namespace hygie::ledger
