#include "link/core_listener.h"

#include <deque>

namespace hygie::link {
namespace {

/// From the first word to the proof.
constexpr Micros kProofMax = std::chrono::seconds(10);
constexpr Micros kLastWordsMax = std::chrono::seconds(1);
constexpr Micros kIdleMax = std::chrono::seconds(10);
/// How often the deadline of the proof is looked at.
constexpr Micros kLook = std::chrono::milliseconds(100);
constexpr std::size_t kOrdersWaitingMax = 256;

std::unexpected<Error> not_connected() {
    return fail(Code::Unavailable, {"la garde n'est pas reliée", "the guard is not connected"},
                {"l'ordre repartira quand elle reviendra ; vérifiez qu'elle tourne",
                 "the order goes when it comes back; check that it runs"});
}

}  // namespace

/// One visit. As a sink it lets one connection at a time speak for a source.
class CoreListener::Peer final : public CoreSink {
  public:
    Peer(CoreListener& listener, Visit& visit) : listener_(listener), visit_(visit) {}
    ~Peer() override { leave(); }

    void converse();
    void stop() { visit_.end(); }
    const SourceInfo& source() const { return source_; }
    /// With the listener's mutex held.
    bool queue(const event::Order& order) {
        if (orders_.size() >= kOrdersWaitingMax) return false;
        orders_.push_back(order);
        visit_.wake.signal();
        return true;
    }

  private:
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
    Visit& visit_;
    std::shared_ptr<Gate> gate_;
    SourceInfo source_;                ///< guarded by the listener's mutex
    std::deque<event::Order> orders_;  ///< guarded by the listener's mutex
};

void CoreListener::Peer::converse() {
    CoreSession session(*this, visit_.connection.binding(), listener_.doors_.random);
    const SteadyTime deadline = listener_.doors_.clock.steady() + kProofMax;
    Bytes out;
    Bytes in;
    while (!visit_.is_over) {
        if (!session.source() && listener_.doors_.clock.steady() >= deadline) return;
        const Micros wait = session.source() ? kIdleMax : kLook;
        if (!visit_.connection.exchange(out, in, &visit_.wake, wait)) return;
        const Status fed = session.feed(std::exchange(in, {}));
        if (fed && session.source()) send_orders(session);
        hygie::append(out, session.take_output());
        if (!fed) {
            (void)visit_.connection.finish(out, kLastWordsMax);
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
    if (!visit_.connection.peer_is(source.node.str()))
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

Result<std::unique_ptr<CoreListener>> CoreListener::start(Doors doors, CoreSink& sink,
                                                          ListenerOptions options) {
    std::unique_ptr<CoreListener> listener(new CoreListener(doors, sink));
    CoreListener& self = *listener;
    self.acceptor_ = TRY(Acceptor::start(doors.disk, doors.clock, std::move(options),
                                         [&self](Visit& visit) { Peer(self, visit).converse(); }));
    return listener;
}

CoreListener::~CoreListener() = default;

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
