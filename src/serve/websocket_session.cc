#include "serve/websocket_session.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <mutex>
#include <optional>

namespace hygie::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;

/// How long a client that no longer reads may keep us at the end.
constexpr std::chrono::seconds kLastWords{30};

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable_t<Wire::executor_type>{});

using Socket = websocket::stream<Wire&>;

/// What waits to leave. The timer wakes who writes; it is let go with the connection, so that a
/// sender may outlive the server.
class Peer final : public WebSocket {
  public:
    explicit Peer(asio::any_io_executor executor)
        : timer_(std::make_shared<asio::steady_timer>(std::move(executor))) {}

    bool send(std::string text) override {
        const std::scoped_lock lock(mutex_);
        if (!timer_ || queue_.size() >= kWaitingMax) return false;
        queue_.push_back(std::move(text));
        wake();
        return true;
    }
    void close() {
        const std::scoped_lock lock(mutex_);
        if (timer_) wake();
        timer_.reset();
    }
    /// The timer to wait on; null once closed.
    std::shared_ptr<asio::steady_timer> timer() {
        const std::scoped_lock lock(mutex_);
        return timer_;
    }
    std::optional<std::string> next() {
        const std::scoped_lock lock(mutex_);
        if (queue_.empty()) return std::nullopt;
        std::string text = std::move(queue_.front());
        queue_.pop_front();
        return text;
    }

  private:
    /// On the thread of the connection: a timer is not to be touched from two.
    void wake() {
        asio::post(timer_->get_executor(), [timer = timer_] { timer->cancel(); });
    }

    std::mutex mutex_;
    std::deque<std::string> queue_;
    std::shared_ptr<asio::steady_timer> timer_;
};

Wire::Awaitable<void> write_all(Socket& socket, Peer& peer) {
    for (;;) {
        const auto timer = peer.timer();
        if (!timer) co_return;
        // Armed before it looks: what comes in between wakes it.
        timer->expires_at(asio::steady_timer::time_point::max());
        const std::optional<std::string> text = peer.next();
        if (!text) {
            co_await timer->async_wait(kAsTuple);
            continue;
        }
        auto [error, size] = co_await socket.async_write(asio::buffer(*text), kAsTuple);
        if (error) {
            peer.close();
            co_return;
        }
    }
}

Wire::Awaitable<void> read_all(Socket& socket, const Hearing& hears, Micros silence) {
    asio::steady_timer limit(socket.get_executor(), silence);
    limit.async_wait([&socket](error_code heard) {
        if (!heard) socket.next_layer().cancel();
    });
    beast::flat_buffer buffer;
    for (;;) {
        auto [error, size] = co_await socket.async_read(buffer, kAsTuple);
        limit.cancel();
        if (error) co_return;
        const auto data = buffer.cdata();
        const std::string_view message(static_cast<const char*>(data.data()), data.size());
        if (!socket.got_text() || !hears(message)) co_return;
        buffer.consume(buffer.size());
    }
}

}  // namespace

bool wants_socket(const SocketHead& head, const WebSocketDoor& door) {
    const std::string_view target = head.target();
    return websocket::is_upgrade(head) && target.substr(0, target.find('?')) == door.path;
}

Wire::Awaitable<void> talk(Wire& wire, const SocketHead& head, const WebSocketDoor& door) {
    wire.expires_never();
    Socket socket(wire);
    socket.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    socket.read_message_max(WebSocket::kMessageBytesMax);
    auto [refused] = co_await socket.async_accept(head, kAsTuple);
    if (refused) co_return;
    const auto executor = socket.get_executor();
    const auto peer = std::make_shared<Peer>(executor);
    asio::steady_timer ended(executor, asio::steady_timer::time_point::max());
    bool writing = true;
    asio::co_spawn(executor, write_all(socket, *peer), [&](std::exception_ptr) {
        writing = false;
        ended.cancel();
    });
    const Hearing hears = door.open(peer);
    co_await read_all(socket, hears, door.silence);
    peer->close();
    wire.expires_after(kLastWords);
    while (writing) {
        co_await ended.async_wait(kAsTuple);
    }
    co_await socket.async_close(websocket::close_code::normal, kAsTuple);
}

}  // namespace hygie::serve
