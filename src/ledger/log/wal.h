#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/sha256.h"
#include "host/disk.h"

namespace hygie::ledger {

/// Bytes left free at the front of a batch's buffer for the record header.
inline constexpr std::size_t kWalHeaderBytes = 64;
/// A segment is closed once it passes this size.
inline constexpr std::uint64_t kWalSegmentBytes = 64ull << 20;
/// A segment grows by this much at a time, written as zeros: a sync that also makes a new length
/// durable takes a second write.
inline constexpr std::uint64_t kWalGrowBytes = 1ull << 20;
/// Settled segments kept for reuse: overwriting written blocks is what makes a sync cheap.
inline constexpr std::size_t kWalSpareSegments = 3;

/// Framed entries, each a big-endian uint16 length and its bytes: the layout of an entry bundle
/// (C2SP tlog-tiles). Calls `each` for every entry; false when the framing is broken or `each`
/// returns false.
bool for_each_entry(ByteView framed, const std::function<bool(ByteView entry)>& each);

/// The write-ahead log: where a batch becomes durable with one write and one sync, before tiles are
/// made of it. Records are chained by hash, so a stale record of a reused segment can never pass
/// for a new one. One thread.
class Wal {
  public:
    /// Called for each whole record in order.
    using Replay = std::function<Status(std::uint64_t first, ByteView framed,
                                        std::span<const crypto::Hash> leaves)>;

    /// Reads every record from `from` on, up to the first that is missing or torn. What lies behind
    /// was never acknowledged. Records below `from` are skipped.
    static Status replay(Disk& disk, const std::string& dir, std::uint64_t from,
                         const Replay& visit);

    /// Starts afresh: every older segment is removed first, so call it only after their entries are
    /// settled.
    static Result<std::unique_ptr<Wal>> create(Disk& disk, const std::string& dir,
                                               std::uint32_t run);

    /// Writes one record. `buffer` holds kWalHeaderBytes free bytes, then the framed entries.
    /// Durable only at sync().
    Status append(std::uint64_t first, std::span<const crypto::Hash> leaves, Bytes& buffer);
    /// A failure is final: the log must be opened anew.
    Status sync();

    /// Frees the segments whose entries all lie below `settled`. May run beside append: it touches
    /// other files only.
    Status release(std::uint64_t settled);
    /// Removes every segment: a clean close leaves no second copy behind.
    Status remove_all();

  private:
    struct Segment {
        std::uint64_t number;
        std::uint64_t end;  ///< sequence after its last entry
    };

    Wal(Disk& disk, std::string dir, std::uint32_t run);
    Status start_segment(std::uint64_t first);
    Status make_room(std::size_t bytes);
    std::string path(std::uint64_t number) const;

    Disk& disk_;
    std::string dir_;
    std::uint32_t run_;
    std::unique_ptr<File> file_;
    std::uint64_t number_ = 0;
    std::uint64_t offset_ = 0;
    std::uint64_t length_ = 0;  ///< of the file
    std::uint64_t end_ = 0;
    crypto::Hash chain_{};
    std::mutex closed_mutex_;
    std::vector<Segment> closed_;
    std::vector<std::uint64_t> spare_;
};

}  // namespace hygie::ledger
