#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/http.h"
#include "base/result.h"
#include "base/time.h"
#include "host/clock.h"
#include "host/process.h"
#include "serve/websocket.h"

/// HTTP for the rest of Hygie, 1.1 and over TLS also 2: plain structs on this side, Asio, OpenSSL,
/// Boost.Beast and nghttp2 behind it and nowhere else.
namespace hygie::serve {

using http::Headers;
using http::Reply;
using http::Request;
using http::Response;

/// A short text answer.
Response text_response(int status, std::string_view text);

/// Answers a request, at once or later, from any thread. Called on a thread that serves many
/// connections: it never waits. A reply that is dropped unused becomes a 500, as does an exception,
/// without details.
using AsyncHandler = std::function<void(Request, Reply)>;

/// The largest body a request may have, asked when its head has arrived (no body yet).
using BodyLimit = std::function<std::uint64_t(const Request& head)>;

/// Every bound on what a client may cost. A client that exceeds one gets an answer where HTTP has
/// one (400, 413, 431, 503), and is cut otherwise.
struct HttpLimits {
    std::uint32_t header_bytes_max = 16 << 10;
    std::uint64_t body_bytes_max = 1 << 20;  ///< where there is no BodyLimit
    /// All bodies that are arriving or being answered, together.
    std::uint64_t bodies_bytes_max = 256 << 20;
    std::size_t connections_max = 1024;              ///< a further one displaces who waits longest
    unsigned io_threads = 1;                         ///< each serves its share of the connections
    unsigned handler_threads = 4;                    ///< of a synchronous handler
    Micros idle_timeout = std::chrono::seconds(60);  ///< between two requests of a connection
    Micros request_timeout =
        std::chrono::seconds(15);  ///< for a whole request to arrive, however it drips
    Micros answer_timeout = std::chrono::minutes(5);  ///< for the handler; the client is cut then
    Micros write_timeout = std::chrono::seconds(30);  ///< for a whole response to leave
};

/// The oldest version of TLS that is spoken. TLS 1.2 is for clients that know nothing newer, with
/// forward secrecy and authenticated encryption alone (ANSSI, Recommandations de sécurité relatives
/// à TLS).
enum class OldestTls : std::uint8_t { V1_3, V1_2 };

struct HttpOptions {
    std::string listen =
        "127.0.0.1:0";   ///< "ip:port" or "[v6]:port", never a name; port 0 takes a free one
    std::string cert{};  ///< PEM chain; TLS when given, plain HTTP otherwise
    std::string key{};   ///< PEM private key, given together with `cert`
    OldestTls oldest_tls = OldestTls::V1_3;
    HttpLimits limits{};
    BodyLimit body_limit{};
    std::shared_ptr<const WebSocketDoor> web_socket{};  ///< none: an upgrade is not answered
    /// A socket that already listens, used instead of `listen` (inherited_socket()); the server
    /// takes it over.
    int socket = -1;
};

/// The listening socket that systemd or the process before us handed over (sd_listen_fds(3): the
/// first of $LISTEN_FDS when $LISTEN_PID is us); -1 when there is none. While one process stops and
/// the next starts, new connections wait in it: none is refused.
int inherited_socket(Process& process);

/// A server in its own threads, from start() to stop(). Thread-safe.
class HttpServer {
  public:
    /// Answers a request on a pool of threads, where it may wait. Called on several at once.
    using Handler = std::function<Response(const Request&)>;

    /// Listens before it returns. Code::BadInput for an address or certificate that is not one,
    /// Code::Busy when the address is taken.
    static Result<std::unique_ptr<HttpServer>> start(const HttpOptions& options, Clock& clock,
                                                     Handler handler);
    static Result<std::unique_ptr<HttpServer>> start(const HttpOptions& options, Clock& clock,
                                                     AsyncHandler handler);
    /// Stops.
    ~HttpServer();

    /// Where it listens, with the real port: "http://127.0.0.1:43211".
    const std::string& url() const;
    /// Connections open at this moment.
    std::size_t connections() const;
    /// New connections get this certificate; those that are open keep theirs.
    Status use_certificate(const std::string& cert, const std::string& key);
    /// Accepts nothing more, lets the requests that have fully arrived get their answers, and
    /// returns when all connections are closed. During `grace` open connections may still ask: they
    /// are answered and told to close; then who is idle is cut. Bounded by grace, answer_timeout
    /// and write_timeout. May be called twice.
    void stop(Micros grace = {});

  private:
    struct State;
    explicit HttpServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hygie::serve
