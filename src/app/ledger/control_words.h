#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "app/ledger/clerk.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "event/codec.h"
#include "link/refusal.h"

/// The words between a command and the process that holds its ledger, and their one spelling
/// (FORMAT.md). No I/O.
namespace hygie::app::control {

inline constexpr std::uint64_t kVersion = 1;
/// Any message. A batch of events, or of answers, and one more of the largest.
inline constexpr std::size_t kMessageBytesMax = 4 << 20;
/// All that a stranger may make us keep.
inline constexpr std::size_t kProofBytesMax = 64;
/// Items of any list.
inline constexpr std::uint64_t kItemsMax = 1024;
/// Of a completeness proof, at a time.
inline constexpr std::size_t kPartBytesMax = 1 << 20;

using Word32 = std::array<std::uint8_t, 32>;

/// An event as it travels: what is in the stamp, then the body as event::encode_body spells it.
struct SentEvent {
    event::Stamp stamp{};
    std::string source;
    std::string node;
    Bytes body;
    bool operator==(const SentEvent&) const = default;
};
Result<SentEvent> sent(const event::Event& event);
Result<event::Event> received(const SentEvent& sent);

// ---- what a command says

/// That it holds the ledger's root key: proof_of(control key, nonce of the challenge).
struct Proof {
    Word32 proof{};
    bool operator==(const Proof&) const = default;
};
struct Append {
    std::vector<SentEvent> events;
    bool operator==(const Append&) const = default;
};
struct Read {
    ActorId reader;
    Question question;
    bool operator==(const Read&) const = default;
};
/// Go on with the reading: first its completeness proofs, part by part, then entries.
struct Next {
    bool operator==(const Next&) const = default;
};
struct Prune {
    ActorId by;
    bool dry_run = false;
    bool operator==(const Prune&) const = default;
};
struct Rotate {
    bool operator==(const Rotate&) const = default;
};
struct Rewrap {
    bool operator==(const Rewrap&) const = default;
};
/// What the vault beside the ledger says about circles: parts of NDJSON, the others by Next.
struct World {
    ActorId reader;
    std::string patient;  ///< id; empty: everybody
    bool operator==(const World&) const = default;
};
/// An act upon the vault: what it gives comes in parts, the others by Next; parts without bytes say
/// that it goes on.
using Ask =
    std::variant<Proof, Append, Read, Next, Erasure, Prune, Rotate, Rewrap, World, VaultAct>;

// ---- what the holder answers, one answer for each ask

/// Its first word, unasked.
struct Challenge {
    std::uint64_t version = kVersion;
    Word32 nonce{};
    bool operator==(const Challenge&) const = default;
};
/// The proof was right.
struct Welcome {
    bool operator==(const Welcome&) const = default;
};
struct Appended {
    std::vector<std::optional<std::uint64_t>> indexes;
    bool operator==(const Appended&) const = default;
};
struct Found {
    std::uint64_t size = 0;
    std::string origin;
    std::uint64_t proofs = 0;
    bool operator==(const Found&) const = default;
};
struct Part {
    Bytes bytes;
    bool is_last = false;  ///< of this proof
    bool operator==(const Part&) const = default;
};
/// An entry: an event, or why there is none.
struct SentEntry {
    std::uint64_t index = 0;
    std::uint16_t type = 0;
    WallTime time{};
    std::optional<SentEvent> event;
    std::optional<link::Refused> problem;
    bool operator==(const SentEntry&) const = default;
};
struct Entries {
    std::uint64_t position = 0;
    std::vector<SentEntry> entries;
    bool is_last = false;
    bool operator==(const Entries&) const = default;
};
struct Count {
    std::uint64_t count = 0;
    bool operator==(const Count&) const = default;
};
struct Dropped {
    std::uint64_t minimum_index = 0;
    std::uint64_t bundles = 0;
    std::uint64_t keys = 0;
    bool operator==(const Dropped&) const = default;
};
struct NewKey {
    std::string key;
    bool operator==(const NewKey&) const = default;
};
using Answer = std::variant<Challenge, Welcome, Appended, Found, Part, Entries, Count, Dropped,
                            NewKey, link::Refused>;

/// The payload of a frame (link/framing.h).
Bytes encode(const Ask& ask);
Bytes encode(const Answer& answer);
/// Strict inverses: Code::Corrupt for any other spelling.
Result<Ask> decode_ask(ByteView payload);
Result<Answer> decode_answer(ByteView payload);

/// What only a holder of the key can say to this nonce.
Word32 proof_of(const crypto::Secret32& control_key, const Word32& nonce);

}  // namespace hygie::app::control
