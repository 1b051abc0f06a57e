#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/cbor.h"
#include "base/ids.h"
#include "base/result.h"
#include "crypto/ed25519.h"
#include "crypto/sha256.h"
#include "event/codec.h"

/// The stream of a source: its events, counted from 1 without a gap, each chained to the one
/// before, the chain signed now and then. Both the spool and the wire carry it (FORMAT.md).
namespace hygie::link {

/// Names are 1 to 128 bytes: a host name has at most 255, a guard's name is a word.
inline constexpr std::size_t kNameBytesMax = 128;
/// What one frame and one spool record hold at most. Half a MiB holds any eight events.
inline constexpr std::size_t kBatchEventsMax = 1024;
inline constexpr std::size_t kBatchBytesMax = 512 << 10;

/// Who writes a stream.
struct SourceInfo {
    SourceId source;
    NodeId node;
    crypto::PublicKey key{};
    bool operator==(const SourceInfo&) const = default;
};

/// A place in a stream: after the event with this counter. The zero point is the start.
struct Point {
    std::uint64_t counter = 0;
    crypto::Hash chain{};
    bool operator==(const Point&) const = default;
};

/// An event as it travels: its stamp, and its body as event::encode_body spells it.
struct StampedBody {
    event::Stamp stamp;
    Bytes body;
    bool operator==(const StampedBody&) const = default;
};

/// The source's signature over its own stream up to a point.
struct Seal {
    Point at;
    crypto::Signature signature{};
    bool operator==(const Seal&) const = default;
};

/// Consecutive events and, if the source signed inside them, the last such seal.
struct Batch {
    Point after;
    std::vector<StampedBody> events;
    std::optional<Seal> seal;
    bool operator==(const Batch&) const = default;
};

/// Counters that a source used and that never arrived, both ends included.
struct Gap {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    bool operator==(const Gap&) const = default;
};

/// The stream's next point.
Point after(const Point& point, const StampedBody& event);
/// The point after the last event of a batch. Writes into the batch's seal the chain it stands on.
Point follow(Batch& batch);
/// What an event counts for in kBatchBytesMax.
std::size_t weight(const StampedBody& event);

/// What a seal signs (FORMAT.md): the source, its node and a point.
Bytes seal_message(const SourceInfo& source, const Point& at);
Seal make_seal(const SourceInfo& source, const Point& at, const crypto::SigningKey& key);
bool verify(const Seal& seal, const SourceInfo& source);

/// Refuses names that are empty, too long, or hold control characters. Code::BadInput.
Status check_names(const SourceInfo& source);

/// Array of events, then the seal: the part that frames and spool records share. Counters are not
/// written: they follow from the point before, so that a gap inside a batch has no spelling.
void write_batch(cbor::Writer& out, const Batch& batch);
/// Strict inverse for a batch after `point`; the seal's chain is left to follow(). Code::Corrupt
/// for any other spelling, for more than the limits above, and for types no guard may write: those
/// by which the ledger speaks of itself, Heartbeat excepted.
Result<Batch> read_batch(cbor::Reader& in, const Point& point);
/// Whether a guard may report events of this type.
bool guard_may_report(event::Type type);

}  // namespace hygie::link
