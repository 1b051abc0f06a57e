#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "link/acceptor.h"
#include "link/guard_link.h"
#include "link/session.h"

namespace hygie::link {

/// The core's end of the link: accepts guards, one thread each, and carries what they send into the
/// sink. A source has one connection; a newer one replaces it once it has proven itself, and a
/// source's calls into the sink never overlap.
class CoreListener {
  public:
    /// The sink is called from many threads. It must outlive the listener.
    static Result<std::unique_ptr<CoreListener>> start(Doors doors, CoreSink& sink,
                                                       ListenerOptions options);
    /// Stops when the sink lets go; guards keep what was not acknowledged.
    ~CoreListener();

    /// Sends an order to a source. Code::Unavailable when it is not connected: who orders tries
    /// again when it is. The outcome comes to CoreSink::order_done, at least once per delivery.
    Status send(const SourceId& source, const NodeId& node, const event::Order& order);
    /// Who is connected now.
    std::vector<SourceInfo> connected();
    std::uint16_t port() const { return acceptor_->port(); }

  private:
    class Peer;
    /// One source's turn at the sink.
    struct Gate {
        std::mutex turn;
        Peer* current = nullptr;  ///< guarded by the listener's mutex
    };
    using Name = std::pair<SourceId, NodeId>;

    CoreListener(Doors doors, CoreSink& sink) : doors_(doors), sink_(sink) {}

    Doors doors_;
    CoreSink& sink_;
    std::mutex mutex_;
    std::map<Name, std::shared_ptr<Gate>> gates_;
    std::unique_ptr<Acceptor> acceptor_;  ///< last: its threads use all of the above
};

}  // namespace hygie::link
