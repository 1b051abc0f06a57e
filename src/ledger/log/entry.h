#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "crypto/tokens.h"
#include "event/event.h"

namespace hygie::ledger {

inline constexpr std::uint64_t kEntryVersion = 1;
/// The longest encoded header, with the head of the payload behind it.
inline constexpr std::size_t kHeaderBytesMax = 96;

/// The readable part of an entry. It says nothing about a person: the actor is a keyed token and
/// the key slot is masked, so that two entries about one patient do not look alike.
struct Header {
    event::Type type = event::Type::Heartbeat;
    WallTime time{};
    std::uint64_t sequence = 0;  ///< the entry's own index in the log
    std::uint64_t node = 0;      ///< number given at registration
    std::uint64_t source = 0;    ///< number given at registration; 0 is the ledger itself
    std::uint64_t counter = 0;   ///< gap-free per source, from 1
    event::Retention retention = event::Retention::System;
    crypto::Token actor{};  ///< blind token of the actor, zeros when there is none
    std::uint32_t run = 0;  ///< random number of the writer's run; nonce = run ‖ sequence
    std::array<std::uint8_t, 8>
        key_ref{};  ///< key-table slot, masked with a keystream of (run, sequence)
    bool operator==(const Header&) const = default;
};

/// An entry of the log, seen in place: the views point into the bytes it was parsed from.
struct EntryView {
    Header header;
    ByteView associated;    ///< the encoded header, authenticated together with a sealed payload
    ByteView payload;       ///< sealed: AEAD of the event body; open: the event body itself
    bool is_sealed = true;  ///< false for the ledger's entries about itself, which anyone may read
};

/// How an entry's payload is written: sealed (a byte string) or open (the CBOR map of the body
/// itself).
enum class Payload { Sealed, Open };

/// Writes the deterministic CBOR of the header and, for a sealed payload, the head of its byte
/// string of `size` bytes; the payload itself follows. `out` has room for kHeaderBytesMax bytes.
/// Layout: array of 12 = version, type, time µs, sequence, node, source, counter, retention, actor,
/// run, key_ref, payload. `associated_size` receives the size of the part before the payload item.
std::size_t encode_header(const Header& header, Payload payload, std::size_t size,
                          std::uint8_t* out, std::size_t& associated_size);

/// Strict inverse: any other spelling is Code::Corrupt. Cheap: no copy, no key needed. An open
/// payload is only checked to be a map; event::decode_body judges it.
Result<EntryView> parse_entry(ByteView entry);

/// The nonce of an entry: run ‖ sequence, big-endian, unique under every key of the log.
crypto::Nonce nonce_of(const Header& header);

}  // namespace hygie::ledger
