#include "link/connection.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/check.h"
#include "host/words.h"

namespace hygie::link {
namespace {

constexpr std::size_t kChunkBytes = 64 << 10;
constexpr Micros kStallMax = std::chrono::seconds(30);
constexpr Micros kLastWordsMax = std::chrono::seconds(1);
/// How often a deadline is looked at while waiting.
constexpr Micros kPollMax = std::chrono::milliseconds(100);

std::unexpected<Error> broken(const std::string& fr, const std::string& en) {
    return fail(Code::Unavailable, {fr, en},
                {"vérifiez que l'autre côté fonctionne et que le réseau le joint",
                 "check that the other side runs and that the network reaches it"});
}

std::unexpected<Error> broken(int error) {
    const Text why = os_words(error);
    return broken("liaison rompue : " + why.fr, "link broken: " + why.en);
}

bool would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

Wake::Wake() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    HYGIE_CHECK(static_cast<bool>(fd_), "no descriptor left for a wake");
}

void Wake::signal() {
    // Only fails when the count is full: the thread is awake then.
    (void)::eventfd_write(fd_.get(), 1);
}

void Wake::clear() {
    eventfd_t count = 0;
    (void)::eventfd_read(fd_.get(), &count);
}

Status Connection::handshake(Micros timeout) {
    if (!tls_) return {};
    Status done = shake_hands(clock_.steady() + timeout);
    // The peer must hear why, not only see the connection end.
    Bytes none;
    if (!done) (void)finish(none, kLastWordsMax);
    return done;
}

Status Connection::shake_hands(SteadyTime deadline) {
    Bytes none;
    TRY_STATUS(tls_->receive({}, early_));
    while (!tls_->established() || !tls_->output().empty()) {
        if (clock_.steady() >= deadline)
            return broken("poignée de main TLS trop lente", "TLS handshake too slow");
        Bytes in;
        TRY_STATUS(exchange(none, in, nullptr, kPollMax));
        append(early_, in);
    }
    return {};
}

Status Connection::exchange(Bytes& out, Bytes& in, Wake* wake, Micros wait) {
    bool moved = tls_ && tls_->established() && !early_.empty();
    if (moved) append(in, std::exchange(early_, {}));
    TRY_STATUS(move(out, in, moved));
    if (moved) return {};
    wait_for(wake, !out.empty() || (tls_ && !tls_->output().empty()), wait);
    if (wake) wake->clear();
    return move(out, in, moved);
}

Status Connection::move(Bytes& out, Bytes& in, bool& moved) {
    const std::size_t before = in.size();
    TRY_STATUS(receive_some(in, moved));
    if (tls_ && tls_->established() && !out.empty()) {
        TRY_STATUS(tls_->send(out));
        out.clear();
    }
    const Status sent = send_some(tls_ ? tls_->output() : out, moved);
    // A peer that refused us and left: what it said comes first.
    return in.size() > before ? Status() : sent;
}

Status Connection::send_some(Bytes& out, bool& moved) {
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t put = ::send(fd_.get(), out.data() + done, out.size() - done, MSG_NOSIGNAL);
        if (put < 0 && !would_block()) return broken(errno);
        if (put <= 0) break;
        done += static_cast<std::size_t>(put);
    }
    out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(done));
    moved = moved || done > 0;
    if (done > 0 || out.empty()) {
        stalled_.reset();
    } else if (!stalled_) {
        stalled_ = clock_.steady();
    } else if (clock_.steady() - *stalled_ > kStallMax) {
        return broken("l'autre côté ne prend plus rien", "the other side takes nothing any more");
    }
    return {};
}

Status Connection::receive_some(Bytes& in, bool& moved) {
    std::array<std::uint8_t, kChunkBytes> chunk;
    const ssize_t got = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
    if (got < 0 && would_block()) return {};
    if (got < 0) return broken(errno);
    if (got == 0)
        return broken("l'autre côté a fermé la liaison", "the other side closed the link");
    moved = true;
    const ByteView bytes = ByteView(chunk).first(static_cast<std::size_t>(got));
    if (!tls_) {
        append(in, bytes);
        return {};
    }
    const std::size_t before = in.size();
    const Status received = tls_->receive(bytes, in);
    // Words that came just before the end count.
    return in.size() > before ? Status() : received;
}

void Connection::wait_for(Wake* wake, bool writing, Micros wait) {
    const auto events = static_cast<short>(POLLIN | (writing ? POLLOUT : 0));
    std::array<pollfd, 2> waiting{pollfd{fd_.get(), events, 0},
                                  pollfd{wake ? wake->fd() : -1, POLLIN, 0}};
    const auto millis = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
    (void)::poll(waiting.data(), waiting.size(), static_cast<int>(millis));
}

Status Connection::flush(Bytes& out, Micros timeout) {
    const SteadyTime deadline = clock_.steady() + timeout;
    Bytes ignored;
    const auto waiting = [&] { return !out.empty() || (tls_ && !tls_->output().empty()); };
    while (waiting()) {
        TRY_STATUS(exchange(out, ignored, nullptr, kPollMax));
        if (waiting() && clock_.steady() >= deadline)
            return broken("l'autre côté est trop lent", "the other side is too slow");
    }
    return {};
}

Status Connection::finish(Bytes& out, Micros timeout) {
    const SteadyTime deadline = clock_.steady() + timeout;
    if (tls_ && tls_->established() && !out.empty() && tls_->send(out)) out.clear();
    if (tls_) tls_->close();
    Bytes& last = tls_ ? tls_->output() : out;
    for (bool moved = false; !last.empty() && clock_.steady() < deadline;) {
        if (!send_some(last, moved)) break;
        if (!last.empty()) wait_for(nullptr, true, kPollMax);
    }
    // Under TLS close_notify has said it.
    if (!tls_) ::shutdown(fd_.get(), SHUT_WR);
    Status received;
    while (received && clock_.steady() < deadline) {
        Bytes ignored;
        bool moved = false;
        received = receive_some(ignored, moved);
        if (!moved) wait_for(nullptr, false, kPollMax);
    }
    return !received && received.error().code == Code::Denied ? received : Status();
}

}  // namespace hygie::link
