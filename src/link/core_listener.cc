#include "link/core_listener.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <deque>

namespace hygie::link {
namespace {

/// From the first byte to the proof.
constexpr Micros kHandshakeMax = std::chrono::seconds(10);
constexpr Micros kLastWordsMax = std::chrono::seconds(1);
constexpr Micros kIdleMax = std::chrono::seconds(10);
/// When descriptors run out, accept fails at once: without a pause it would spin.
constexpr Micros kAcceptPause = std::chrono::milliseconds(100);
constexpr std::size_t kOrdersWaitingMax = 256;

std::unexpected<Error> not_connected() {
    return fail(Code::Unavailable, {"la garde n'est pas reliée", "the guard is not connected"},
                {"l'ordre repartira quand elle reviendra ; vérifiez qu'elle tourne",
                 "the order goes when it comes back; check that it runs"});
}

}  // namespace

/// One connection and its thread. As a sink it lets one connection at a time speak for a source.
class CoreListener::Peer final : public CoreSink {
  public:
    Peer(CoreListener& listener, std::unique_ptr<Connection> connection)
        : listener_(listener), connection_(std::move(connection)), thread_([this] { run(); }) {}
    ~Peer() override { stop(); }

    void stop() {
        stop_ = true;
        wake_.signal();
    }
    bool over() const { return over_; }
    const SourceInfo& source() const { return source_; }
    /// With the listener's mutex held.
    bool queue(const event::Order& order) {
        if (orders_.size() >= kOrdersWaitingMax) return false;
        orders_.push_back(order);
        wake_.signal();
        return true;
    }

  private:
    void run();
    void converse();
    void send_orders(CoreSession& session);
    void leave();
    Status check_turn();

    Result<Position> position(const SourceInfo& source) override;
    Status gap(const SourceInfo& source, const Gap& gap) override;
    Status append(const SourceInfo& source, const Batch& batch) override;
    void order_done(const SourceInfo& source, const OrderDone& done) override {
        listener_.sink_.order_done(source, done);
    }

    CoreListener& listener_;
    std::unique_ptr<Connection> connection_;
    Wake wake_;
    std::atomic<bool> stop_ = false;
    std::atomic<bool> over_ = false;
    std::shared_ptr<Gate> gate_;
    SourceInfo source_;                ///< guarded by the listener's mutex
    std::deque<event::Order> orders_;  ///< guarded by the listener's mutex
    std::jthread thread_;
};

void CoreListener::Peer::run() {
    if (connection_->handshake(kHandshakeMax)) converse();
    leave();
    over_ = true;
    listener_.wake_.signal();
}

void CoreListener::Peer::converse() {
    CoreSession session(*this, connection_->binding(), listener_.doors_.random);
    const SteadyTime deadline = listener_.doors_.clock.steady() + kHandshakeMax;
    Bytes out;
    Bytes in;
    while (!stop_) {
        if (!session.source() && listener_.doors_.clock.steady() >= deadline) return;
        const Micros wait = session.source() ? kIdleMax : kAcceptPause;
        if (!connection_->exchange(out, in, &wake_, wait)) return;
        const Status fed = session.feed(std::exchange(in, {}));
        if (fed && session.source()) send_orders(session);
        hygie::append(out, session.take_output());
        if (!fed) {
            (void)connection_->finish(out, kLastWordsMax);
            return;
        }
    }
}

void CoreListener::Peer::send_orders(CoreSession& session) {
    std::deque<event::Order> orders;
    {
        const std::lock_guard held(listener_.mutex_);
        orders.swap(orders_);
    }
    for (const event::Order& order : orders) session.order(order);
}

void CoreListener::Peer::leave() {
    const std::lock_guard held(listener_.mutex_);
    if (!gate_) return;
    if (gate_->current == this) gate_->current = nullptr;
    gate_.reset();
    // Names that nobody bears any more leave nothing behind.
    std::erase_if(listener_.gates_,
                  [](const auto& entry) { return entry.second.use_count() == 1; });
}

Result<Position> CoreListener::Peer::position(const SourceInfo& source) {
    if (!connection_->peer_is(source.node.str()))
        return fail(Code::Denied,
                    {"le certificat de la garde ne porte pas le nom de sa machine",
                     "the guard's certificate does not bear the name of its node"},
                    {"donnez à la garde un certificat au nom de sa machine",
                     "give the guard a certificate in the name of its node"});
    {
        const std::lock_guard held(listener_.mutex_);
        auto& gate = listener_.gates_[{source.source, source.node}];
        if (!gate) gate = std::make_shared<Gate>();
        gate_ = gate;
    }
    const std::lock_guard turn(gate_->turn);
    const Position held_at = TRY(listener_.sink_.position(source));
    // Only now, known to be the source: whoever spoke for it before is replaced.
    const std::lock_guard held(listener_.mutex_);
    if (gate_->current) gate_->current->stop();
    gate_->current = this;
    source_ = source;
    return held_at;
}

/// With the gate's turn held.
Status CoreListener::Peer::check_turn() {
    const std::lock_guard held(listener_.mutex_);
    if (gate_->current == this) return {};
    return fail(
        Code::Busy,
        {"une liaison plus récente parle pour cette source",
         "a newer connection speaks for this source"},
        {"vérifiez qu'une seule garde porte ce nom", "check that one guard bears this name"});
}

Status CoreListener::Peer::gap(const SourceInfo& source, const Gap& gap) {
    const std::lock_guard turn(gate_->turn);
    TRY_STATUS(check_turn());
    return listener_.sink_.gap(source, gap);
}

Status CoreListener::Peer::append(const SourceInfo& source, const Batch& batch) {
    const std::lock_guard turn(gate_->turn);
    TRY_STATUS(check_turn());
    return listener_.sink_.append(source, batch);
}

// ---- listener

CoreListener::CoreListener(Doors doors, CoreSink& sink, ListenerOptions options)
    : doors_(doors), sink_(sink), options_(std::move(options)) {}

Result<std::unique_ptr<CoreListener>> CoreListener::start(Doors doors, CoreSink& sink,
                                                          ListenerOptions options) {
    std::unique_ptr<CoreListener> listener(new CoreListener(doors, sink, std::move(options)));
    CoreListener& self = *listener;
    if (self.options_.local) self.local_fd_ = TRY(listen_local(*self.options_.local));
    if (self.options_.remote)
        self.remote_fd_ =
            TRY(listen_tcp(doors.disk, self.options_.remote->host, self.options_.remote->port));
    self.thread_ = std::jthread([&self] { self.accept_all(); });
    return listener;
}

CoreListener::~CoreListener() {
    stop_ = true;
    wake_.signal();
    if (thread_.joinable()) thread_.join();
    // Nobody is added any more, and each peer takes the mutex while it leaves.
    for (const auto& peer : peers_) peer->stop();
    peers_.clear();
    if (local_fd_) ::unlink(options_.local->path.c_str());
}

void CoreListener::accept_all() {
    std::array<pollfd, 3> waiting{pollfd{wake_.fd(), POLLIN, 0}, pollfd{local_fd_.get(), POLLIN, 0},
                                  pollfd{remote_fd_.get(), POLLIN, 0}};
    while (!stop_) {
        (void)::poll(waiting.data(), waiting.size(), -1);
        wake_.clear();
        reap();
        if (waiting[1].revents & POLLIN) accept_one(local_fd_.get(), true);
        if (waiting[2].revents & POLLIN) accept_one(remote_fd_.get(), false);
    }
}

void CoreListener::accept_one(int listening, bool local) {
    UniqueFd fd(::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
        pollfd nothing{wake_.fd(), POLLIN, 0};
        (void)::poll(&nothing, 1, static_cast<int>(kAcceptPause / std::chrono::milliseconds(1)));
        return;
    }
    const std::lock_guard held(mutex_);
    if (peers_.size() >= options_.connections_max) return;
    if (local && !check_peer(fd.get(), *options_.local)) return;
    auto connection = local
                          ? std::make_unique<Connection>(doors_.clock, std::move(fd))
                          : std::make_unique<Connection>(doors_.clock, std::move(fd),
                                                         TlsChannel::server(options_.remote->tls));
    peers_.push_back(std::make_unique<Peer>(*this, std::move(connection)));
}

/// Lets go of connections that have ended.
void CoreListener::reap() {
    std::list<std::unique_ptr<Peer>> ended;
    const std::lock_guard held(mutex_);
    for (auto it = peers_.begin(); it != peers_.end();) {
        const auto here = it++;
        if ((*here)->over()) ended.splice(ended.end(), peers_, here);
    }
}

Status CoreListener::send(const SourceId& source, const NodeId& node, const event::Order& order) {
    TRY_STATUS(check_order(order));
    const std::lock_guard held(mutex_);
    const auto gate = gates_.find({source, node});
    if (gate == gates_.end() || !gate->second->current) return not_connected();
    if (gate->second->current->queue(order)) return {};
    return fail(Code::Full,
                {"trop d'ordres attendent cette garde", "too many orders wait for this guard"},
                {"vérifiez que la garde répond", "check that the guard answers"});
}

std::vector<SourceInfo> CoreListener::connected() {
    std::vector<SourceInfo> out;
    const std::lock_guard held(mutex_);
    for (const auto& [name, gate] : gates_)
        if (gate->current) out.push_back(gate->current->source());
    return out;
}

}  // namespace hygie::link
