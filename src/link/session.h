#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/ed25519.h"
#include "host/random.h"
#include "link/frame.h"
#include "link/stream.h"

/// The two ends of the link as state machines: bytes in, bytes out, no socket, no clock.
namespace hygie::link {

/// What a guard holds for the core: its stream from `base` to `last`. The spool is one.
class Outbox {
  public:
    virtual ~Outbox() = default;
    /// Every event after this counter can still be read.
    virtual std::uint64_t base() = 0;
    /// The last durable event; nothing beyond it may leave the guard.
    virtual std::uint64_t last() = 0;
    /// The events that follow `after` (base ≤ after ≤ last), as many as a batch holds.
    virtual Result<Batch> read(std::uint64_t after) = 0;
    /// The core keeps everything up to `counter`: it need not be kept here any longer.
    virtual Status acknowledge(std::uint64_t counter) = 0;
};

/// One connection as the guard sees it. One batch travels at a time: the core's ledger groups the
/// guards, and the spool grows a fuller batch meanwhile.
class GuardSession {
  public:
    /// Carries an order out; its failure is told to the core. Orders may come twice: same id, same
    /// effect.
    using Obey = std::function<Status(const event::Order&)>;

    /// `key` is that of `self`. The first output is the greeting.
    GuardSession(Outbox& outbox, SourceInfo self, const crypto::SigningKey& key, Bytes binding,
                 Random& random, Obey obey);

    /// Takes bytes of the core. After an error the session is over: a refusal has the core's code.
    Status feed(ByteView bytes);
    /// Sends the next batch, when the core waits for one and there is one.
    Status advance();
    /// Bytes for the core, each given once.
    Bytes take_output() { return std::exchange(output_, {}); }
    /// The core knows us and events flow.
    bool welcomed() const { return state_ == State::Open; }
    /// The core holds everything up to this counter.
    std::uint64_t acknowledged() const { return acknowledged_; }

  private:
    enum class State { AwaitChallenge, AwaitWelcome, Open };

    Status take(const Message& message);
    Status take_welcome(const Welcome& welcome);
    Status take_ack(const Ack& ack);
    void say(const Message& message) { append(output_, encode(message)); }

    Outbox& outbox_;
    const crypto::SigningKey& key_;
    Bytes binding_;
    Obey obey_;
    Hello hello_;
    State state_ = State::AwaitChallenge;
    std::uint64_t acknowledged_ = 0;
    std::optional<std::uint64_t> in_flight_;  ///< the last counter of the batch on its way
    FrameReader reader_;
    Bytes output_;
};

/// How far the core holds a stream. The chain is empty when the core does not know it (it was
/// restored, or a gap was declared): the guard's word is then taken, and the next seal checks it.
struct Position {
    std::uint64_t counter = 0;
    std::optional<crypto::Hash> chain;
};

/// Where the core puts what guards send: the ledger.
class CoreSink {
  public:
    virtual ~CoreSink() = default;
    /// How far this source's stream is durable; zero for a new source that may join. The source has
    /// proven that it holds the key. Code::Denied when it may not join, or has another key.
    virtual Result<Position> position(const SourceInfo& source) = 0;
    /// These counters will never arrive. Durable on return; position() is then the gap's end.
    virtual Status gap(const SourceInfo& source, const Gap& gap) = 0;
    /// The stream's next events. Durable on return. A seal in the batch has been verified.
    virtual Status append(const SourceInfo& source, const Batch& batch) = 0;
    virtual void order_done(const SourceInfo& source, const OrderDone& done) = 0;
};

/// One connection as the core sees it.
class CoreSession {
  public:
    CoreSession(CoreSink& sink, Bytes binding, Random& random);

    /// Takes bytes of the guard; acknowledges what the sink has made durable. After an error the
    /// session is over: the last output tells the guard why, then the connection is closed.
    Status feed(ByteView bytes);
    /// Sends an order (check_order) to a source that has proven itself.
    void order(const event::Order& order);
    Bytes take_output() { return std::exchange(output_, {}); }
    /// The source, once it has proven itself and was let in.
    const std::optional<SourceInfo>& source() const { return source_; }

  private:
    enum class State { AwaitHello, AwaitProof, Open, Over };

    Status take_all();
    Status take(Message& message);
    Status take_hello(const Hello& hello);
    Status take_proof(const Proof& proof);
    Status take_batch(Batch& batch);
    void say(const Message& message) { append(output_, encode(message)); }

    CoreSink& sink_;
    Bytes binding_;
    Hello hello_;
    Challenge challenge_;
    State state_ = State::AwaitHello;
    std::optional<SourceInfo> source_;
    Position position_;
    FrameReader reader_;
    Bytes output_;
};

}  // namespace hygie::link
