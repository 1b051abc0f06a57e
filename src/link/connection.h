#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "host/clock.h"
#include "host/unique_fd.h"
#include "link/tls.h"

namespace hygie::link {

/// Wakes a thread that waits in Connection::exchange. Thread-safe.
class Wake {
  public:
    Wake();
    void signal();
    /// Forgets signals given so far.
    void clear();
    int fd() const { return fd_.get(); }

  private:
    UniqueFd fd_;
};

/// A connected stream socket, plain or under TLS, moved without ever blocking on the peer. One
/// thread at a time.
class Connection {
  public:
    Connection(Clock& clock, UniqueFd fd) : clock_(clock), fd_(std::move(fd)) {}
    Connection(Clock& clock, UniqueFd fd, TlsChannel tls)
        : clock_(clock), fd_(std::move(fd)), tls_(std::move(tls)) {}

    /// TLS: until both ends are verified. Nothing to do on a plain socket.
    Status handshake(Micros timeout);
    /// Sends `out`, as far as the peer takes it, and appends what came to `in`. Waits up to `wait`
    /// for either, or for the wake. Code::Unavailable when the peer closed, or takes nothing for
    /// kStallMax.
    Status exchange(Bytes& out, Bytes& in, Wake* wake, Micros wait);
    /// Sends everything. Code::Unavailable when it cannot in time.
    Status flush(Bytes& out, Micros timeout);
    /// The last words, then says that nothing follows and waits, within the timeout, for the peer
    /// to have read them: closing at once could take them back. Code::Denied when the peer refused
    /// our certificate, which under TLS 1.3 is known no sooner than its first answer.
    Status finish(Bytes& out, Micros timeout);

    /// What a proof must be bound to; empty on a local socket.
    Bytes binding() const { return tls_ ? tls_->binding() : Bytes(); }
    /// Whether the peer's certificate bears the name; on a local socket the kernel has vouched.
    bool peer_is(const std::string& name) const { return !tls_ || tls_->peer_is(name); }

  private:
    Status shake_hands(SteadyTime deadline);
    Status move(Bytes& out, Bytes& in, bool& moved);
    Status send_some(Bytes& out, bool& moved);
    Status receive_some(Bytes& in, bool& moved);
    void wait_for(Wake* wake, bool writing, Micros wait);

    Clock& clock_;
    UniqueFd fd_;
    std::optional<TlsChannel> tls_;
    Bytes early_;                        ///< what came with the end of the handshake
    std::optional<SteadyTime> stalled_;  ///< since when the peer takes nothing of what waits
};

}  // namespace hygie::link
