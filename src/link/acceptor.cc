#include "link/acceptor.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace hygie::link {
namespace {

constexpr Micros kHandshakeMax = std::chrono::seconds(10);
/// When descriptors run out, accept fails at once: without a pause it would spin.
constexpr Micros kAcceptPause = std::chrono::milliseconds(100);

}  // namespace

/// One connection and its thread.
struct Acceptor::Visitor {
    explicit Visitor(Connection connection) : visit{.connection = std::move(connection)} {}

    Visit visit;
    std::atomic<bool> has_left = false;
    std::jthread thread{};
};

Acceptor::Acceptor(Clock& clock, ListenerOptions options, Converse converse)
    : clock_(clock), options_(std::move(options)), converse_(std::move(converse)) {}

Result<std::unique_ptr<Acceptor>> Acceptor::start(Disk& disk, Clock& clock, ListenerOptions options,
                                                  Converse converse) {
    std::unique_ptr<Acceptor> acceptor(
        new Acceptor(clock, std::move(options), std::move(converse)));
    Acceptor& self = *acceptor;
    if (self.options_.local) self.local_fd_ = TRY(listen_local(*self.options_.local));
    if (self.options_.remote)
        self.remote_fd_ =
            TRY(listen_tcp(disk, self.options_.remote->host, self.options_.remote->port));
    self.thread_ = std::jthread([&self] { self.accept_all(); });
    return acceptor;
}

Acceptor::~Acceptor() {
    stop_ = true;
    wake_.signal();
    if (thread_.joinable()) thread_.join();
    for (const auto& visitor : visitors_) visitor->visit.end();
    visitors_.clear();
    if (local_fd_) ::unlink(options_.local->path.c_str());
}

void Acceptor::accept_all() {
    std::array<pollfd, 3> waiting{pollfd{wake_.fd(), POLLIN, 0}, pollfd{local_fd_.get(), POLLIN, 0},
                                  pollfd{remote_fd_.get(), POLLIN, 0}};
    while (!stop_) {
        (void)::poll(waiting.data(), waiting.size(), -1);
        wake_.clear();
        std::erase_if(visitors_, [](const auto& visitor) { return visitor->has_left.load(); });
        if (waiting[1].revents & POLLIN) accept_one(local_fd_.get(), true);
        if (waiting[2].revents & POLLIN) accept_one(remote_fd_.get(), false);
    }
}

void Acceptor::accept_one(int listening, bool local) {
    UniqueFd fd(::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
        pollfd nothing{wake_.fd(), POLLIN, 0};
        (void)::poll(&nothing, 1, static_cast<int>(kAcceptPause / std::chrono::milliseconds(1)));
        return;
    }
    if (visitors_.size() >= options_.connections_max) return;
    if (local && !check_peer(fd.get(), *options_.local)) return;
    auto connection =
        local ? Connection(clock_, std::move(fd))
              : Connection(clock_, std::move(fd), TlsChannel::server(options_.remote->tls));
    visitors_.push_back(std::make_unique<Visitor>(std::move(connection)));
    Visitor& visitor = *visitors_.back();
    visitor.thread = std::jthread([this, &visitor] { receive(visitor); });
}

void Acceptor::receive(Visitor& visitor) {
    if (visitor.visit.connection.handshake(kHandshakeMax)) converse_(visitor.visit);
    visitor.has_left = true;
    wake_.signal();
}

}  // namespace hygie::link
