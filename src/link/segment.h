#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "host/disk.h"
#include "host/random.h"
#include "link/stream.h"

/// One file of the spool: a head that says whose stream it is and where it starts, then records,
/// each the events of one sync (FORMAT.md). Everything that could speak of a person is sealed.
namespace hygie::link {

/// Keys of the spool's files, out of its one sealing key.
struct SegmentKeys {
    explicit SegmentKeys(const crypto::Secret32& sealing_key);
    crypto::Secret32 box;   ///< seals heads and records
    crypto::Secret32 mark;  ///< marks where records begin
};

struct SegmentHead {
    SourceInfo self;
    Point base;               ///< the segment's first event follows it
    std::uint64_t bytes = 0;  ///< of the head itself: the first record begins there
};

struct Record {
    Batch batch;            ///< the seal's chain is left to follow()
    std::uint64_t end = 0;  ///< offset of the next record
};

Bytes encode_segment_head(const SegmentKeys& keys, const SourceInfo& self, const Point& base,
                          Random& random);
/// Code::Corrupt when the head or the key is another.
Result<SegmentHead> read_segment_head(const SegmentKeys& keys, File& file);

Bytes encode_record(const SegmentKeys& keys, const Batch& batch, Random& random);
/// The record at `offset`, which must follow `at`; none at the end of the file. Code::Corrupt when
/// the bytes there are no such record.
Result<std::optional<Record>> read_record(const SegmentKeys& keys, File& file, std::uint64_t offset,
                                          const Point& at);
/// Whether the unreadable bytes from `offset` on are a write that a crash cut short: at most one
/// record long, and no record begins inside. Otherwise something durable was damaged.
Result<bool> is_torn_tail(const SegmentKeys& keys, File& file, std::uint64_t offset,
                          const Point& at);

}  // namespace hygie::link
