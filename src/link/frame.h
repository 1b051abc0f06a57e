#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/ed25519.h"
#include "event/event.h"
#include "link/framing.h"
#include "link/refusal.h"
#include "link/stream.h"

/// The words of the link and their one spelling on the wire (FORMAT.md). No I/O.
namespace hygie::link {

inline constexpr std::uint64_t kProtocolVersion = 1;
/// A batch and the head of its frame. Nothing else comes near.
inline constexpr std::size_t kFrameBytesMax = kBatchBytesMax + 128;
/// All that a peer may make us keep before it has proven who it is.
inline constexpr std::size_t kHandshakeBytesMax = 2048;
using Nonce = std::array<std::uint8_t, 32>;

/// The guard's first word.
struct Hello {
    std::uint64_t version = kProtocolVersion;
    SourceInfo self;
    std::uint64_t base = 0;  ///< the guard still holds every event after this counter…
    std::uint64_t last = 0;  ///< …up to this one, the last it ever counted
    Nonce nonce{};
    bool operator==(const Hello&) const = default;
};

/// The core's answer: sign this.
struct Challenge {
    std::uint64_t version = kProtocolVersion;
    Nonce nonce{};
    bool operator==(const Challenge&) const = default;
};

/// The guard's signature over the whole conversation so far (proof_message).
struct Proof {
    crypto::Signature signature{};
    bool operator==(const Proof&) const = default;
};

/// Proof accepted: the core holds everything up to this counter, or has declared it missing.
struct Welcome {
    std::uint64_t counter = 0;
    bool operator==(const Welcome&) const = default;
};

/// Everything up to this counter is durable at the core.
struct Ack {
    std::uint64_t counter = 0;
    bool operator==(const Ack&) const = default;
};

/// What became of an order: carried out, or why it was not.
struct OrderDone {
    std::string id;
    std::optional<Refused> problem;
    bool operator==(const OrderDone&) const = default;
};

using Message =
    std::variant<Hello, Challenge, Proof, Welcome, Batch, Ack, event::Order, OrderDone, Refused>;

/// One frame: its length and the message. All but a refusal's texts must be within its limits
/// (check_names, check_order, a batch within its own).
Bytes encode(const Message& message);
/// Whether an order can travel. Code::BadInput.
Status check_order(const event::Order& order);
/// The message of a frame, without its length. Code::Corrupt for any other spelling.
Result<Message> decode(ByteView payload);

/// What the proof signs: both greetings as they were spelled, and what binds them to this
/// connection (the TLS exporter of RFC 9266; empty on a local socket, where the kernel vouches).
Bytes proof_message(const Hello& hello, const Challenge& challenge, ByteView binding);

/// Cuts a stream of bytes into messages.
class FrameReader {
  public:
    void feed(ByteView bytes) { cutter_.feed(bytes); }
    /// The next whole message, if there is one. Code::BadInput when its frame is above the limit.
    Result<std::optional<Message>> next(std::size_t frame_bytes_max);

  private:
    FrameCutter cutter_;
};

}  // namespace hygie::link
