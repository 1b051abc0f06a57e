#include "serve/load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "host/unique_fd.h"

namespace hygie::serve {
namespace {

constexpr std::size_t kConnectionsMax = 10'000;
constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::size_t kHeadBytesMax = 64 << 10;
constexpr int kEventsMax = 256;
constexpr int kTickMs = 20;

struct CloseContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct CloseTls {
    void operator()(SSL* tls) const { SSL_free(tls); }
};
using Context = std::unique_ptr<SSL_CTX, CloseContext>;

std::unexpected<Error> bad_plan() {
    return fail(
        Code::BadInput, {"mesure mal décrite", "badly described load"},
        {"donnez http(s)://IP:PORT, l'autorité de certification, au moins une connexion et la "
         "suite des requêtes",
         "give http(s)://IP:PORT, the certificate authority, at least one connection and the "
         "requests"});
}

struct Target {
    bool tls = false;
    std::string host;
    sockaddr_storage address{};
    socklen_t address_size = 0;
};

Result<Target> parse_target(std::string_view url) {
    Target target;
    target.tls = url.starts_with("https://");
    if (!target.tls && !url.starts_with("http://")) return bad_plan();
    url.remove_prefix(target.tls ? 8 : 7);
    const std::size_t colon = url.rfind(':');
    if (colon == std::string_view::npos) return bad_plan();
    target.host = std::string(url.substr(0, colon));
    if (target.host.starts_with('[') && target.host.ends_with(']'))
        target.host = target.host.substr(1, target.host.size() - 2);
    std::uint16_t port = 0;
    const std::string_view digits = url.substr(colon + 1);
    const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (wrong != std::errc{} || end != digits.data() + digits.size() || port == 0)
        return bad_plan();
    auto* v4 = reinterpret_cast<sockaddr_in*>(&target.address);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&target.address);
    if (::inet_pton(AF_INET, target.host.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        target.address_size = sizeof *v4;
    } else if (::inet_pton(AF_INET6, target.host.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        target.address_size = sizeof *v6;
    } else {
        return bad_plan();
    }
    return target;
}

Result<Context> make_context(const LoadPlan& plan, const Target& target) {
    if (!target.tls) return Context{};
    Context context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_load_verify_file(context.get(), plan.authority.c_str()) != 1) return bad_plan();
    X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(context.get()), target.host.c_str());
    return context;
}

/// OpenSSL writes as to a file: what a server closed would end the process by a signal.
class NoPipeSignal {
  public:
    NoPipeSignal() {
        ::sigemptyset(&pipe_);
        ::sigaddset(&pipe_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    ~NoPipeSignal() {
        const timespec at_once{};
        while (::sigtimedwait(&pipe_, nullptr, &at_once) == SIGPIPE) continue;
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    NoPipeSignal(const NoPipeSignal&) = delete;

  private:
    ::sigset_t pipe_{}, before_{};
};

/// Counts of durations, exact to 3 %: thirty-two buckets for each power of two microseconds.
class Histogram {
  public:
    void add(Micros duration) {
        const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
        ++counts_[bucket_of(micros)];
        worst_ = std::max(worst_, duration);
        ++total_;
    }
    Micros quantile(double share) const {
        const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (seen > wanted) return std::min(Micros(top_of(i)), worst_);
        }
        return worst_;
    }
    Micros worst() const { return worst_; }

  private:
    static constexpr unsigned kFineBits = 5;
    static constexpr std::size_t kFine = 1U << kFineBits;
    static constexpr std::size_t kBuckets = (64 - kFineBits + 1) * kFine;

    static std::size_t bucket_of(std::uint64_t micros) {
        if (micros < kFine) return static_cast<std::size_t>(micros);
        const unsigned shift = static_cast<unsigned>(std::bit_width(micros)) - kFineBits - 1;
        return (shift + 1) * kFine + static_cast<std::size_t>((micros >> shift) - kFine);
    }
    /// The largest duration of a bucket.
    static std::int64_t top_of(std::size_t bucket) {
        if (bucket < kFine) return static_cast<std::int64_t>(bucket);
        const std::size_t shift = bucket / kFine - 1;
        return static_cast<std::int64_t>(((bucket % kFine + kFine + 1) << shift) - 1);
    }

    std::array<std::uint64_t, kBuckets> counts_{};
    std::uint64_t total_ = 0;
    Micros worst_{};
};

/// One kept-alive connection and the request it waits for.
struct Line {
    UniqueFd fd;
    std::unique_ptr<SSL, CloseTls> tls;
    bool connected = false;
    bool asking = false;
    std::uint64_t number = 0;
    SteadyTime asked{};
    std::string out;
    std::size_t sent = 0;
    std::string in;
};

/// An answer at the front of what arrived.
struct Answer {
    int status = 0;
    std::size_t head = 0, body = 0;
};

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// None while it is not whole; status 0 when it never will be.
std::optional<Answer> find_answer(std::string_view in) {
    const std::size_t end = in.find("\r\n\r\n");
    if (end == std::string_view::npos)
        return in.size() > kHeadBytesMax ? std::optional<Answer>(Answer{}) : std::nullopt;
    Answer answer;
    answer.head = end + 4;
    if (!in.starts_with("HTTP/1.1 ") || end < 12) return Answer{};
    std::from_chars(in.data() + 9, in.data() + 12, answer.status);
    constexpr std::string_view kLength = "\r\ncontent-length: ";
    const std::string_view head = in.substr(0, end);
    const auto found = std::ranges::search(head, kLength, {}, lower);
    if (!found.empty()) {
        const char* digits = std::to_address(found.begin()) + kLength.size();
        std::from_chars(digits, in.data() + end, answer.body);
    }
    if (in.size() < answer.head + answer.body) return std::nullopt;
    return answer;
}

class Load {
  public:
    Load(const LoadPlan& plan, Clock& clock, const Target& target, SSL_CTX* context)
        : plan_(plan),
          clock_(clock),
          target_(target),
          context_(context),
          poll_(::epoll_create1(EPOLL_CLOEXEC)) {}

    Result<LoadFigures> run() {
        lines_.resize(plan_.connections);
        for (Line& line : lines_)
            if (!open(line)) return unreachable();
        const SteadyTime start = clock_.steady();
        const SteadyTime end = start + plan_.duration;
        while (!over(clock_.steady(), end)) wait();
        figures_.elapsed = std::chrono::floor<Micros>(clock_.steady() - start);
        if (figures_.answers == 0 && figures_.failures > 0) return unreachable();
        figures_.p50 = times_.quantile(0.5);
        figures_.p99 = times_.quantile(0.99);
        figures_.p999 = times_.quantile(0.999);
        figures_.worst = times_.worst();
        return figures_;
    }

  private:
    static std::unexpected<Error> unreachable() {
        return fail(Code::Unavailable, {"le serveur ne répond pas", "the server does not answer"},
                    {"vérifiez l'adresse et l'autorité de certification",
                     "check the address and the certificate authority"});
    }

    bool over(SteadyTime now, SteadyTime end) const {
        const std::uint64_t done = figures_.answers + figures_.failures;
        return now >= end || (plan_.requests_max > 0 && done >= plan_.requests_max) ||
               std::ranges::none_of(lines_, [](const Line& line) { return bool(line.fd); });
    }

    bool open(Line& line) {
        line = Line{};
        line.fd = UniqueFd(
            ::socket(target_.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (!line.fd) return false;
        const int on = 1;
        ::setsockopt(line.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const auto* address = reinterpret_cast<const sockaddr*>(&target_.address);
        if (::connect(line.fd.get(), address, target_.address_size) != 0 && errno != EINPROGRESS)
            return false;
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLET;
        event.data.ptr = &line;
        if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, line.fd.get(), &event) != 0) return false;
        if (!context_) return true;
        line.tls.reset(SSL_new(context_));
        SSL_set_fd(line.tls.get(), line.fd.get());
        SSL_set_connect_state(line.tls.get());
        return true;
    }

    void wait() {
        std::array<epoll_event, kEventsMax> events;
        const int ready = ::epoll_wait(poll_.get(), events.data(), kEventsMax, kTickMs);
        for (int i = 0; i < ready; ++i) {
            Line& line = *static_cast<Line*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (line.fd && !advance(line)) lose(line);
        }
    }

    void lose(Line& line) {
        ++figures_.failures;
        if (!open(line)) line.fd.reset();
    }

    /// Everything the connection can do without waiting. False when it is lost.
    bool advance(Line& line) {
        if (!line.connected) {
            int error = 0;
            socklen_t size = sizeof error;
            ::getsockopt(line.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
            if (error != 0) return false;
            if (line.tls) {
                const int done = SSL_do_handshake(line.tls.get());
                if (done != 1) return may_wait(line, done);
            }
            line.connected = true;
        }
        while (true) {
            if (!line.asking && !ask(line)) return true;
            if (!flush(line)) return false;
            const long taken = receive(line);
            if (taken <= 0) return taken == 0;
            if (!answers(line)) return false;
        }
    }

    /// False when enough has been asked.
    bool ask(Line& line) {
        if (plan_.requests_max > 0 && asked_ >= plan_.requests_max) return false;
        line.number = asked_++;
        line.out.clear();
        line.sent = 0;
        plan_.next(line.number, line.out);
        line.asking = true;
        line.asked = clock_.steady();
        return true;
    }

    static bool may_wait(Line& line, int result) {
        const int error = SSL_get_error(line.tls.get(), result);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    }

    static bool flush(Line& line) {
        while (line.sent < line.out.size()) {
            const char* from = line.out.data() + line.sent;
            const std::size_t size = line.out.size() - line.sent;
            long written = 0;
            if (line.tls) {
                written = SSL_write(line.tls.get(), from, static_cast<int>(size));
                if (written <= 0) return may_wait(line, static_cast<int>(written));
            } else {
                written = ::send(line.fd.get(), from, size, MSG_NOSIGNAL);
                if (written < 0) return errno == EAGAIN || errno == ENOTCONN;
            }
            line.sent += static_cast<std::size_t>(written);
        }
        return true;
    }

    /// Bytes read; 0 when there are none now, negative when the connection is lost.
    long receive(Line& line) {
        long taken = 0;
        if (line.tls) {
            taken = SSL_read(line.tls.get(), buffer_.data(), static_cast<int>(buffer_.size()));
            if (taken <= 0) return may_wait(line, static_cast<int>(taken)) ? 0 : -1;
        } else {
            taken = ::recv(line.fd.get(), buffer_.data(), buffer_.size(), 0);
            if (taken < 0) return errno == EAGAIN || errno == ENOTCONN ? 0 : -1;
            if (taken == 0) return -1;
        }
        if (line.in.empty()) line.in.swap(spare_);
        line.in.append(buffer_.data(), static_cast<std::size_t>(taken));
        return taken;
    }

    bool answers(Line& line) {
        const std::optional<Answer> answer = find_answer(line.in);
        if (!answer) return true;
        if (answer->status == 0 || !line.asking) return false;
        times_.add(std::chrono::floor<Micros>(clock_.steady() - line.asked));
        ++figures_.answers;
        figures_.refusals += answer->status < 200 || answer->status > 299;
        if (plan_.seen)
            plan_.seen(line.number, answer->status,
                       as_bytes(line.in).subspan(answer->head, answer->body));
        line.in.erase(0, answer->head + answer->body);
        if (line.in.empty()) spare_ = std::exchange(line.in, {});
        line.asking = false;
        return true;
    }

    const LoadPlan& plan_;
    Clock& clock_;
    const Target& target_;
    SSL_CTX* context_;
    UniqueFd poll_;
    std::vector<Line> lines_;
    std::vector<char> buffer_ = std::vector<char>(kReadBytes);
    std::string spare_;  ///< room for what arrives: a connection that waits for it holds none
    std::uint64_t asked_ = 0;
    Histogram times_;
    LoadFigures figures_;
};

}  // namespace

double LoadFigures::per_second() const {
    const double seconds = std::chrono::duration<double>(elapsed).count();
    return seconds > 0 ? static_cast<double>(answers) / seconds : 0;
}

Result<LoadFigures> run_load(const LoadPlan& plan, Clock& clock) {
    if (plan.connections == 0 || plan.connections > kConnectionsMax || !plan.next)
        return bad_plan();
    const Target target = TRY(parse_target(plan.url));
    const Context context = TRY(make_context(plan, target));
    const NoPipeSignal no_signal;
    return Load(plan, clock, target, context.get()).run();
}

}  // namespace hygie::serve
