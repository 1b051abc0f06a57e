#include "link/guard_link.h"

#include <algorithm>

namespace hygie::link {
namespace {

constexpr Micros kConnectMax = std::chrono::seconds(5);
/// Nothing is polled while idle: this only bounds how long a lost wake could matter.
constexpr Micros kIdleMax = std::chrono::seconds(10);

}  // namespace

Micros Backoff::next(Random& random) {
    const auto word = load_be<std::uint32_t>(random.bytes<4>().data());
    const Micros half = ceiling_ / 2;
    const Micros pause = half + Micros(static_cast<std::int64_t>(word) % (half.count() + 1));
    ceiling_ = std::min(ceiling_ * 2, kLongest);
    return pause;
}

GuardLink::GuardLink(Doors doors, Spool& spool, Endpoint core, GuardSession::Obey obey)
    : doors_(doors), spool_(spool), core_(std::move(core)), obey_(std::move(obey)), thread_([this] {
          run();
      }) {}

GuardLink::~GuardLink() {
    {
        const std::lock_guard held(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    wake_.signal();
}

Result<std::uint64_t> GuardLink::report(const event::Event& event, Sealing sealing) {
    return report(std::span(&event, 1), sealing);
}

Result<std::uint64_t> GuardLink::report(std::span<const event::Event> events, Sealing sealing) {
    const auto counter = spool_.append(events, sealing);
    if (counter) wake_.signal();
    return counter;
}

LinkState GuardLink::state() {
    const std::lock_guard held(mutex_);
    LinkState now = state_;
    now.last = spool_.last();
    return now;
}

bool GuardLink::wait_delivered(std::uint64_t counter, Micros timeout) {
    std::unique_lock held(mutex_);
    return changed_.wait_for(held, timeout, [&] { return state_.acknowledged >= counter; });
}

void GuardLink::run() {
    while (!stop_) {
        if (const Status ended = converse(); !ended) note(ended.error());
        if (!pause(backoff_.next(doors_.random))) return;
    }
}

Result<std::unique_ptr<Connection>> GuardLink::connect() {
    if (const auto* local = std::get_if<LocalEndpoint>(&core_))
        return std::make_unique<Connection>(doors_.clock, TRY(connect_local(*local)));
    const auto& remote = std::get<TlsEndpoint>(core_);
    UniqueFd fd = TRY(connect_tcp(doors_.disk, remote.host, remote.port, kConnectMax));
    auto connection = std::make_unique<Connection>(
        doors_.clock, std::move(fd), TlsChannel::client(remote.tls, remote.peer_name));
    TRY_STATUS(connection->handshake(kConnectMax));
    return connection;
}

/// One connection, from its beginning to its end.
Status GuardLink::converse() {
    const auto connection = TRY(connect());
    GuardSession session(spool_, spool_.self(), spool_.key(), connection->binding(), doors_.random,
                         obey_);
    Bytes out;
    Bytes in;
    while (!stop_) {
        TRY_STATUS(session.advance());
        append(out, session.take_output());
        TRY_STATUS(connection->exchange(out, in, &wake_, kIdleMax));
        TRY_STATUS(session.feed(std::exchange(in, {})));
        note(session);
    }
    return {};
}

void GuardLink::note(const GuardSession& session) {
    if (!session.welcomed()) return;
    const std::lock_guard held(mutex_);
    // A core that welcomes us but cannot keep what we send must not be asked without a pause.
    if (session.acknowledged() > state_.acknowledged || session.acknowledged() == spool_.last())
        backoff_.reset();
    state_.connected = true;
    state_.problem.reset();
    state_.acknowledged = session.acknowledged();
    changed_.notify_all();
}

void GuardLink::note(const Error& problem) {
    const std::lock_guard held(mutex_);
    state_.connected = false;
    state_.problem = problem;
    changed_.notify_all();
}

/// False when it is time to stop.
bool GuardLink::pause(Micros duration) {
    std::unique_lock held(mutex_);
    return !changed_.wait_for(held, duration, [&] { return stop_.load(); });
}

}  // namespace hygie::link
