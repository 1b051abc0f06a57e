#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/ed25519.h"
#include "crypto/secret.h"
#include "event/event.h"
#include "host/disk.h"
#include "host/random.h"
#include "link/session.h"
#include "link/stream.h"

namespace hygie::link {

struct SpoolOptions {
    std::string dir;  ///< the guard's own
    SourceId source;
    NodeId node;
    /// The source signs its stream at least every so many events.
    std::uint64_t seal_every = 256;
    std::uint64_t segment_bytes = 4 << 20;
    /// Above this, events are refused with Code::Full; at least 2 MiB and two segments.
    std::uint64_t max_bytes = std::uint64_t{1} << 30;
    /// Only for a directory that holds no spool: the stream starts after this counter. Not zero
    /// only when an operator declares that an earlier spool was lost: what the core does not hold
    /// up to here becomes a declared gap. Code::AlreadyThere where there is a spool.
    std::uint64_t start_after = 0;
};

/// When a source signs: every `seal_every` events, or with these events too. Heartbeats are always
/// signed, so that an idle source's whole stream is.
enum class Sealing { WhenDue, Now };

/// The events of one source that the core may not hold yet: counted without a gap, durable before
/// the caller goes on, sealed on disk, signed (FORMAT.md). Thread-safe; reading and acknowledging
/// are for one thread.
class Spool final : public Outbox {
  public:
    /// Opens or creates. `sealing_key` seals what is on disk. Code::Busy when another process has
    /// it open, Code::Denied when it belongs to another source or key, Code::Corrupt when events
    /// that were durable cannot be read any more.
    static Result<std::unique_ptr<Spool>> open(Disk& disk, Random& random,
                                               const crypto::SigningKey& key,
                                               const crypto::Secret32& sealing_key,
                                               SpoolOptions options);
    ~Spool() override;

    /// Gives the events the next counters and makes them durable; the last counter. All or none, at
    /// most what a batch holds. Callers at the same time share one sync. The events' own source,
    /// node and counter are ignored. Code::Full when the spool or its disk is full: the guard's
    /// failure policy decides. Code::Io after a failed sync is final: the process must stop.
    Result<std::uint64_t> append(std::span<const event::Event> events,
                                 Sealing sealing = Sealing::WhenDue);
    Result<std::uint64_t> append(const event::Event& event, Sealing sealing = Sealing::WhenDue) {
        return append(std::span(&event, 1), sealing);
    }

    const SourceInfo& self() const;
    const crypto::SigningKey& key() const;
    /// Bytes on disk.
    std::uint64_t bytes();

    std::uint64_t base() override;
    std::uint64_t last() override;
    Result<Batch> read(std::uint64_t after) override;
    Status acknowledge(std::uint64_t counter) override;

  private:
    struct State;
    explicit Spool(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hygie::link
