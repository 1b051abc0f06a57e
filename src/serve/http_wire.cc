#include "serve/http_wire.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "base/check.h"

namespace hygie::serve {
namespace {

using boost::system::error_code;

constexpr auto kAsTuple =
    boost::asio::as_tuple(boost::asio::use_awaitable_t<Wire::executor_type>{});

bool would_wait() {
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace

/// A BIO over the socket of a Wire. Unlike OpenSSL's own it raises no signal, and tells the Wire
/// what a call would have waited for: the queue of errors, which all of a thread share, is not
/// asked.
struct Wire::Pipe {
    static Wire& of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }
    static int read(BIO* bio, char* into, int size) {
        BIO_clear_retry_flags(bio);
        const int got = of(bio).receive(into, size);
        if (of(bio).blocked_ == Wants::Read) BIO_set_retry_read(bio);
        return got;
    }
    static int write(BIO* bio, const char* bytes, int size) {
        BIO_clear_retry_flags(bio);
        const int put = of(bio).send(bytes, size);
        if (of(bio).blocked_ == Wants::Write) BIO_set_retry_write(bio);
        return put;
    }
    static long control(BIO*, int what, long, void*) { return what == BIO_CTRL_FLUSH ? 1 : 0; }

    static BIO* open(Wire& wire) {
        static BIO_METHOD* const method = [] {
            BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
            BIO_meth_set_read(made, read);
            BIO_meth_set_write(made, write);
            BIO_meth_set_ctrl(made, control);
            return made;
        }();
        BIO* const bio = BIO_new(method);
        HYGIE_CHECK(bio != nullptr, "no memory for a connection");
        BIO_set_data(bio, &wire);
        BIO_set_init(bio, 1);
        return bio;
    }
};

void Wire::FreeTls::operator()(SSL* tls) const {
    SSL_free(tls);
}

Wire::Wire(Socket socket) : socket_(std::move(socket)) {
    error_code ignored;
    socket_.native_non_blocking(true, ignored);
}
Wire::~Wire() = default;

int Wire::receive(char* into, int size) {
    const ssize_t got = ::recv(socket_.native_handle(), into, static_cast<std::size_t>(size), 0);
    blocked_ = got < 0 && would_wait() ? Wants::Read : Wants::Nothing;
    drained_ = got < size;
    return static_cast<int>(got);
}

int Wire::send(const char* bytes, int size) {
    const int flags = MSG_NOSIGNAL | (follows_ == Follows::More ? MSG_MORE : 0);
    const ssize_t put =
        ::send(socket_.native_handle(), bytes, static_cast<std::size_t>(size), flags);
    blocked_ = put < 0 && would_wait() ? Wants::Write : Wants::Nothing;
    return static_cast<int>(put);
}

Wire::Moved Wire::outcome(int done, std::size_t bytes) {
    if (done > 0) return {bytes, Wants::Nothing};
    if (blocked_ == Wants::Nothing) ERR_clear_error();
    return {0, blocked_};
}

Wire::Moved Wire::try_read(std::span<std::uint8_t> into) {
    blocked_ = Wants::Nothing;
    if (tls_) {
        std::size_t got = 0;
        const int done = SSL_read_ex(tls_.get(), into.data(), into.size(), &got);
        return outcome(done, got);
    }
    const int taken = receive(reinterpret_cast<char*>(into.data()), static_cast<int>(into.size()));
    return outcome(taken, static_cast<std::size_t>(std::max(0, taken)));
}

Wire::Moved Wire::try_write(std::span<const std::uint8_t> bytes) {
    constexpr std::size_t kAtOnceMax = 1 << 20;
    blocked_ = Wants::Nothing;
    bytes = bytes.first(std::min(bytes.size(), kAtOnceMax));
    if (tls_) {
        std::size_t put = 0;
        const int done = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &put);
        return outcome(done, put);
    }
    const int sent =
        send(reinterpret_cast<const char*>(bytes.data()), static_cast<int>(bytes.size()));
    return outcome(sent, static_cast<std::size_t>(std::max(0, sent)));
}

Wire::Awaitable<bool> Wire::wait(Wants wants) {
    const auto way = wants == Wants::Write ? Socket::wait_write : Socket::wait_read;
    auto [error] = co_await socket_.async_wait(way, kAsTuple);
    co_return !error;
}

Wire::Awaitable<bool> Wire::accept_tls(Tls context) {
    context_ = std::move(context);
    tls_.reset(SSL_new(context_->native_handle()));
    HYGIE_CHECK(tls_ != nullptr, "no memory for a connection");
    BIO* const pipe = Pipe::open(*this);
    SSL_set_bio(tls_.get(), pipe, pipe);
    SSL_set_read_ahead(tls_.get(), 1);  // a record is one call of the kernel, not two
    // A connection that only waits holds no buffers: 34 kB of each of them.
    SSL_set_mode(tls_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
    while (true) {
        blocked_ = Wants::Nothing;
        const int done = SSL_accept(tls_.get());
        if (done == 1) co_return true;
        const Moved moved = outcome(done, 0);
        if (moved.wants == Wants::Nothing) co_return false;
        const bool ready = co_await wait(moved.wants);
        if (!ready) co_return false;
    }
}

std::string_view Wire::protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    if (tls_) SSL_get0_alpn_selected(tls_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

Wire::Awaitable<std::size_t> Wire::read(std::span<std::uint8_t> into) {
    // After an answer there is hardly ever something yet: the kernel is asked once, when there is.
    if (drained_ && !(tls_ && SSL_has_pending(tls_.get()) == 1)) {
        const bool ready = co_await wait(Wants::Read);
        if (!ready) co_return 0;
    }
    while (true) {
        const Moved moved = try_read(into);
        if (moved.wants == Wants::Nothing) co_return moved.bytes;
        const bool ready = co_await wait(moved.wants);
        if (!ready) co_return 0;
    }
}

Wire::Awaitable<bool> Wire::write(std::span<const std::uint8_t> bytes, Follows follows) {
    while (!bytes.empty()) {
        const bool takes_more = tls_ && bytes.size() > SSL3_RT_MAX_PLAIN_LENGTH;
        follows_ = takes_more ? Follows::More : follows;
        const Moved moved = try_write(bytes);
        follows_ = Follows::Nothing;
        bytes = bytes.subspan(moved.bytes);
        if (moved.bytes > 0) continue;
        if (moved.wants == Wants::Nothing) co_return false;
        const bool ready = co_await wait(moved.wants);
        if (!ready) co_return false;
    }
    co_return true;
}

void Wire::shut() {
    if (tls_ && SSL_is_init_finished(tls_.get()) == 1) SSL_shutdown(tls_.get());
    ERR_clear_error();
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void Wire::cancel() {
    error_code ignored;
    socket_.cancel(ignored);
}

void Wire::close() {
    error_code ignored;
    socket_.close(ignored);
}

Wire::Awaitable<void> Wire::drain() {
    std::array<char, 4096> scrap;
    while (true) {
        const int got = receive(scrap.data(), static_cast<int>(scrap.size()));
        if (got > 0) continue;
        if (blocked_ == Wants::Nothing) co_return;
        const bool ready = co_await wait(Wants::Read);
        if (!ready) co_return;
    }
}

}  // namespace hygie::serve
