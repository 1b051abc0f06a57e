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

/// HTTP/1.1 for the rest of Hygie: plain structs on this side, Boost.Beast in http_server.cc and
/// nowhere else.
namespace hygie::serve {

using http::Headers;
using http::Request;
using http::Response;

/// A short text answer.
Response text_response(int status, std::string_view text);

/// Every bound on what a client may cost. A client that exceeds one gets an answer where HTTP has
/// one (400, 413, 431), and is cut otherwise.
struct HttpLimits {
    std::uint32_t header_bytes_max = 16 << 10;
    std::uint64_t body_bytes_max = 1 << 20;
    std::size_t connections_max = 1024;  ///< further ones are closed at once
    unsigned handler_threads = 4;
    Micros idle_timeout = std::chrono::seconds(60);  ///< between two requests of a connection
    Micros request_timeout =
        std::chrono::seconds(15);  ///< for a whole request to arrive, however it drips
    Micros write_timeout = std::chrono::seconds(30);  ///< for a whole response to leave
};

struct HttpOptions {
    std::string listen =
        "127.0.0.1:0";   ///< "ip:port" or "[v6]:port", never a name; port 0 takes a free one
    std::string cert{};  ///< PEM chain; TLS 1.3 when given, plain HTTP otherwise
    std::string key{};   ///< PEM private key, given together with `cert`
    HttpLimits limits{};
};

/// A server in its own threads, from start() to stop(). Thread-safe.
class HttpServer {
  public:
    /// Answers a request. Called on several threads at once; what it throws becomes a 500 without
    /// details.
    using Handler = std::function<Response(const Request&)>;

    /// Listens before it returns. Code::BadInput for an address or certificate that is not one,
    /// Code::Busy when the address is taken.
    static Result<std::unique_ptr<HttpServer>> start(const HttpOptions& options, Clock& clock,
                                                     Handler handler);
    /// Stops.
    ~HttpServer();

    /// Where it listens, with the real port: "http://127.0.0.1:43211".
    const std::string& url() const;
    /// Connections open at this moment.
    std::size_t connections() const;
    /// Accepts nothing more, lets the requests that have fully arrived get their answers, and
    /// returns when all connections are closed. Bounded by the handler's own time plus
    /// write_timeout. May be called twice.
    void stop();

  private:
    struct State;
    explicit HttpServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hygie::serve
