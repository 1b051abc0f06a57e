#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>

#include "base/result.h"
#include "base/time.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/random.h"
#include "link/address.h"
#include "link/connection.h"
#include "link/session.h"
#include "link/spool.h"

namespace hygie::link {

/// The doors that the link's threads use.
struct Doors {
    Disk& disk;  ///< for /etc/hosts only
    Clock& clock;
    Random& random;
};

/// Pauses between attempts: each up to twice the one before, half of it by chance so that guards do
/// not all come back at once, never longer than 30 s.
class Backoff {
  public:
    Micros next(Random& random);
    void reset() { ceiling_ = kFirst; }

    static constexpr Micros kFirst = std::chrono::milliseconds(200);
    static constexpr Micros kLongest = std::chrono::seconds(30);

  private:
    Micros ceiling_ = kFirst;
};

/// How a guard stands with the core.
struct LinkState {
    bool connected = false;
    std::uint64_t acknowledged = 0;  ///< the core holds everything up to this counter
    std::uint64_t last = 0;          ///< the guard's last event
    std::optional<Error> problem;    ///< why the last connection failed or ended
};

/// A guard's end of the link: one thread that keeps a connection to the core, delivers the spool in
/// order, and hands on orders. The core being away is normal: events wait in the spool.
class GuardLink {
  public:
    using Endpoint = std::variant<LocalEndpoint, TlsEndpoint>;

    /// `obey` runs on the link's thread: events wait while it works.
    GuardLink(Doors doors, Spool& spool, Endpoint core, GuardSession::Obey obey);
    /// Stops at once, or within ten seconds while it connects; what was not delivered stays in the
    /// spool.
    ~GuardLink();

    /// Spool::append, then delivery in the background.
    Result<std::uint64_t> report(const event::Event& event, Sealing sealing = Sealing::WhenDue);
    Result<std::uint64_t> report(std::span<const event::Event> events,
                                 Sealing sealing = Sealing::WhenDue);
    LinkState state();
    /// Waits until the core holds everything up to `counter`; false when it takes longer.
    bool wait_delivered(std::uint64_t counter, Micros timeout);

  private:
    void run();
    Result<std::unique_ptr<Connection>> connect();
    Status converse();
    void note(const GuardSession& session);
    void note(const Error& problem);
    bool pause(Micros duration);

    Doors doors_;
    Spool& spool_;
    Endpoint core_;
    GuardSession::Obey obey_;
    Backoff backoff_;
    Wake wake_;
    std::atomic<bool> stop_ = false;
    std::mutex mutex_;
    std::condition_variable changed_;
    LinkState state_;
    std::jthread thread_;  ///< last: it uses all of the above
};

}  // namespace hygie::link
