#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/sha256.h"
#include "event/event.h"

namespace hygie::event {

/// The part of an event that the ledger keeps readable: nothing about a person.
struct Stamp {
    Type type;
    WallTime time;
    std::uint64_t counter;
    Retention retention;
    bool operator==(const Stamp&) const = default;
};

Stamp stamp_of(const Event& event);

/// Deterministic CBOR (RFC 8949 §4.2.1) of everything that is not in the stamp nor the source and
/// node: a map with integer keys, empty fields left out. See event/FORMAT.md. Code::BadInput when
/// it would exceed limits::kEventBytesMax.
Result<Bytes> encode_body(const Event& event);
/// The inverse; source and node are left for the caller. Any other spelling of the same event is
/// Code::Corrupt.
Result<Event> decode_body(const Stamp& stamp, ByteView body);

/// One link of a source's signed stream: SHA-256(previous ‖ CBOR [type, time, counter, retention] ‖
/// body).
crypto::Hash chain(const crypto::Hash& previous, const Stamp& stamp, ByteView body);

}  // namespace hygie::event
