#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <thread>

#include "base/result.h"
#include "host/clock.h"
#include "host/disk.h"
#include "link/address.h"
#include "link/connection.h"

namespace hygie::link {

struct ListenerOptions {
    std::optional<LocalEndpoint> local;
    std::optional<TlsEndpoint> remote;  ///< port 0 lets the system choose
    std::size_t connections_max = 256;  ///< any beyond is closed at once
};

/// A connection that was let in, while somebody speaks on it.
struct Visit {
    Connection connection;
    Wake wake{};
    std::atomic<bool> is_over = false;  ///< whoever speaks must return soon

    void end() {
        is_over = true;
        wake.signal();
    }
};

/// Lets peers in whom the kernel or a certificate vouches for, one thread each.
class Acceptor {
  public:
    /// Speaks on a connection; it is closed on return. Called from many threads.
    using Converse = std::function<void(Visit&)>;

    static Result<std::unique_ptr<Acceptor>> start(Disk& disk, Clock& clock,
                                                   ListenerOptions options, Converse converse);
    /// Ends every visit and waits for it, within ten seconds when a peer is slow to shake hands;
    /// removes the local socket.
    ~Acceptor();

    std::uint16_t port() const { return remote_fd_ ? port_of(remote_fd_.get()) : 0; }

  private:
    struct Visitor;

    Acceptor(Clock& clock, ListenerOptions options, Converse converse);
    void accept_all();
    void accept_one(int listening, bool local);
    void receive(Visitor& visitor);

    Clock& clock_;
    ListenerOptions options_;
    Converse converse_;
    UniqueFd local_fd_;
    UniqueFd remote_fd_;
    Wake wake_;
    std::atomic<bool> stop_ = false;
    std::list<std::unique_ptr<Visitor>>
        visitors_;  ///< the accepting thread's, then the destructor's
    std::jthread thread_;
};

}  // namespace hygie::link
