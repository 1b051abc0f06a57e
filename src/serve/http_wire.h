#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "serve/http_listen.h"

// g++ 12 sees Asio's frames of coroutines freed otherwise than they were made: once inlined, both
// are its recycling allocator.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

/// Inside of the server: one connection as bytes.
namespace hygie::serve {

/// In clear or under TLS. What can be moved is moved at once; the rest is awaited. It has a
/// deadline and no timer: its server looks at the deadlines of all together. For the one thread of
/// its executor; reading may be awaited beside writing.
class Wire {
  public:
    using executor_type = boost::asio::io_context::executor_type;
    using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, executor_type>;
    using Time = std::chrono::steady_clock::time_point;
    template <typename T>
    using Awaitable = boost::asio::awaitable<T, executor_type>;

    enum class Wants : std::uint8_t { Nothing, Read, Write };
    /// Whether the rest of a message comes with the next call.
    enum class Follows : std::uint8_t { Nothing, More };

    explicit Wire(Socket socket);
    ~Wire();
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    executor_type get_executor() { return socket_.get_executor(); }

    /// Until when what is awaited may last; cancel() is its server's to call.
    void expires_at(Time time) { deadline_ = time; }
    void expires_after(std::chrono::steady_clock::duration time) {
        deadline_ = std::chrono::steady_clock::now() + time;
    }
    void expires_never() { deadline_ = Time::max(); }
    Time deadline() const { return deadline_; }
    /// Ends what is awaited.
    void cancel();

    /// The client's greeting to the end of the handshake; false when they do not agree.
    Awaitable<bool> accept_tls(Tls context);
    /// What both agreed to speak (RFC 7301): "h2", "http/1.1"; empty when nothing was said of it.
    std::string_view protocol() const;
    /// At least a byte; 0 when none will come.
    Awaitable<std::size_t> read(std::span<std::uint8_t> into);
    /// All of it; false when that is not possible. The kernel is told what follows: it sends the
    /// records of one message together, and wakes who waits for it once.
    Awaitable<bool> write(std::span<const std::uint8_t> bytes, Follows follows = Follows::Nothing);
    /// Says goodbye; what still comes can be read.
    void shut();
    void close();
    /// What still comes until the client has closed, or the deadline has passed, unread.
    Awaitable<void> drain();

    // As an AsyncStream of Beast, for WebSockets:
    template <typename Buffers, typename Token>
    auto async_read_some(const Buffers& buffers, Token&& token);
    template <typename Buffers, typename Token>
    auto async_write_some(const Buffers& buffers, Token&& token);

  private:
    /// What was moved at once; nothing when it must wait for `wants`, or ended.
    struct Moved {
        std::size_t bytes = 0;
        Wants wants = Wants::Nothing;
    };
    template <Wants kWay, typename Buffer>
    struct Transfer;

    Moved try_read(std::span<std::uint8_t> into);
    Moved try_write(std::span<const std::uint8_t> bytes);
    Awaitable<bool> wait(Wants wants);
    template <typename Handler>
    void wait(Wants wants, Handler&& handler) {
        socket_.async_wait(wants == Wants::Write ? Socket::wait_write : Socket::wait_read,
                           std::forward<Handler>(handler));
    }
    Moved outcome(int done, std::size_t bytes);
    int receive(char* into, int size);
    int send(const char* bytes, int size);
    struct Pipe;  ///< how OpenSSL reaches the socket

    struct FreeTls {
        void operator()(SSL* tls) const;
    };
    Socket socket_;
    Tls context_;
    std::unique_ptr<SSL, FreeTls> tls_;
    Time deadline_ = Time::max();
    Wants blocked_ = Wants::Nothing;  ///< on what OpenSSL's last call on the socket would wait
    bool drained_ = false;  ///< all that had arrived was read: look before waiting no more
    Follows follows_ = Follows::Nothing;  ///< what is sent now
};

template <Wire::Wants kWay, typename Buffer>
struct Wire::Transfer {
    Wire& wire;
    Buffer buffer;
    std::size_t moved = 0;
    bool waited = false, done = false;

    template <typename Self>
    void operator()(Self& self, boost::system::error_code error = {}) {
        if (error || done) return self.complete(error, moved);
        Moved now;
        if constexpr (kWay == Wants::Read)
            now = wire.try_read({static_cast<std::uint8_t*>(buffer.data()), buffer.size()});
        else
            now = wire.try_write({static_cast<const std::uint8_t*>(buffer.data()), buffer.size()});
        if (now.wants != Wants::Nothing) {
            waited = true;
            return wire.wait(now.wants, std::move(self));
        }
        moved = now.bytes;
        const bool ended = moved == 0 && buffer.size() > 0;
        if (waited || ended) {
            // Never inside of the call that began it.
            const auto code = ended ? boost::asio::error::make_error_code(boost::asio::error::eof)
                                    : boost::system::error_code();
            if (waited) return self.complete(code, moved);
            auto executor = wire.get_executor();
            return boost::asio::post(executor,
                                     [self = std::move(self), code]() mutable { self(code); });
        }
        done = true;
        auto executor = wire.get_executor();
        boost::asio::post(executor, std::move(self));
    }
};

namespace wire_detail {
template <typename Buffer, typename Buffers>
Buffer first_of(const Buffers& buffers) {
    auto it = boost::asio::buffer_sequence_begin(buffers);
    for (; it != boost::asio::buffer_sequence_end(buffers); ++it)
        if (Buffer(*it).size() > 0) return Buffer(*it);
    return {};
}
}  // namespace wire_detail

template <typename Buffers, typename Token>
auto Wire::async_read_some(const Buffers& buffers, Token&& token) {
    using Buffer = boost::asio::mutable_buffer;
    return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        Transfer<Wants::Read, Buffer>{*this, wire_detail::first_of<Buffer>(buffers)}, token, *this);
}

template <typename Buffers, typename Token>
auto Wire::async_write_some(const Buffers& buffers, Token&& token) {
    using Buffer = boost::asio::const_buffer;
    return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        Transfer<Wants::Write, Buffer>{*this, wire_detail::first_of<Buffer>(buffers)}, token,
        *this);
}

// What Beast calls at the end of a WebSocket.
inline void teardown(boost::beast::role_type, Wire& wire, boost::system::error_code& error) {
    wire.shut();
    error = {};
}
template <typename Handler>
void async_teardown(boost::beast::role_type, Wire& wire, Handler&& handler) {
    wire.shut();
    auto executor = wire.get_executor();
    boost::asio::post(executor, [handler = std::forward<Handler>(handler)]() mutable {
        handler(boost::system::error_code());
    });
}
inline void beast_close_socket(Wire& wire) {
    wire.close();
}

}  // namespace hygie::serve
