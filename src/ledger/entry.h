#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/tokens.h"
#include "event/event.h"

namespace hygie::ledger {

inline constexpr std::uint64_t kEntryVersion = 1;

/// The readable part of an entry. It says nothing about a person: the actor is a keyed token and the key slot is
/// masked, so that two entries about one patient do not look alike.
struct Header {
    event::Type type = event::Type::Heartbeat;
    WallTime time{};
    std::uint64_t sequence = 0;  ///< the entry's own index in the log
    std::uint64_t node = 0;      ///< number given at registration
    std::uint64_t source = 0;    ///< number given at registration; 0 is the ledger itself
    std::uint64_t counter = 0;   ///< gap-free per source, from 1
    event::Retention retention = event::Retention::System;
    crypto::Token actor{};       ///< blind token of the actor, zeros when there is none
    std::uint32_t run = 0;       ///< random number of the writer's run; nonce = run ‖ sequence
    std::array<std::uint8_t, 8> key_ref{};  ///< key-table slot, masked with a keystream of (run, sequence)
    bool operator==(const Header&) const = default;
};

/// An entry of the log, seen in place: `sealed` points into the bytes it was parsed from.
struct EntryView {
    Header header;
    ByteView associated;  ///< the encoded header: everything before the sealed payload, authenticated with it
    ByteView sealed;      ///< AEAD of the event body
};

/// Appends the deterministic CBOR of the header to `out`, ready for the sealed payload's bytes of `sealed_size`.
/// Layout: array of 12 = version, type, time µs, sequence, node, source, counter, retention, actor, run, key_ref, payload.
void encode_header(const Header& header, std::size_t sealed_size, Bytes& out);

/// Strict inverse: any other spelling is Code::Corrupt. Cheap: no copy, no key needed.
Result<EntryView> parse_entry(ByteView entry);

}  // namespace hygie::ledger
