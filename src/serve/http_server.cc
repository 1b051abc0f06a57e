#include "serve/http_server.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

// The only file that knows Boost.Beast: it costs tens of seconds to compile.
#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <list>
#include <optional>
#include <thread>

#include "base/check.h"

namespace hygie::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Parser = http::request_parser<http::vector_body<std::uint8_t>>;

/// What is read at once, and what the buffer holds beside the longest header.
constexpr std::size_t kReadBytes = 64 << 10;
/// How long a connection that we end may go on sending before it is cut: enough for the answer to
/// reach it.
constexpr std::chrono::seconds kDrainTime{2};
/// Pause after accept() failed, e.g. for want of file descriptors.
constexpr std::chrono::milliseconds kAcceptPause{100};

/// Errors as values instead of exceptions. Awaited in statements of their own: g++ 12 breaks on
/// more.
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

std::string head_of(const Response& response, bool keep_alive, WallTime now) {
    std::string head = fmt::format(
        "HTTP/1.1 {} {}\r\nDate: {:%a, %d %b %Y %H:%M:%S} GMT\r\nContent-Type: "
        "{}\r\nContent-Length: {}\r\n"
        "Connection: {}\r\n",
        response.status,
        std::string_view(http::obsolete_reason(static_cast<http::status>(response.status))),
        fmt::gmtime(std::chrono::system_clock::to_time_t(now)), response.content_type,
        response.body.size(), keep_alive ? "keep-alive" : "close");
    for (const auto& [name, value] : response.headers) {
        HYGIE_CHECK(!value.contains('\n') && !value.contains('\r'),
                    "a header value would forge another header");
        head += name + ": " + value + "\r\n";
    }
    return head + "\r\n";
}

Request to_request(Parser& parser, const std::string& peer) {
    http::request<http::vector_body<std::uint8_t>> message = parser.release();
    Request request;
    request.method = std::string(message.method_string());
    const std::string_view target = message.target();
    const std::size_t mark = std::min(target.find('?'), target.size());
    request.path = std::string(target.substr(0, mark));
    if (mark < target.size()) request.query = std::string(target.substr(mark + 1));
    for (const auto& field : message) {
        std::string name(field.name_string());
        for (char& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        request.headers.emplace_back(std::move(name), std::string(field.value()));
    }
    request.body = std::move(message.body());
    request.peer = peer;
    return request;
}

/// The answer to a request that could not be read; none when the client just left or stalled.
std::optional<Response> complaint(error_code error) {
    if (error == http::error::header_limit) return text_response(431, "headers too large\n");
    if (error == http::error::body_limit) return text_response(413, "body too large\n");
    const bool left = error == http::error::end_of_stream || error == http::error::partial_message;
    const bool malformed =
        error.category() == http::make_error_code(http::error::bad_method).category();
    if (malformed && !left) return text_response(400, "bad request\n");
    return std::nullopt;
}

Result<tcp::endpoint> parse_endpoint(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    const std::string host = text.substr(0, std::min(colon, text.size()));
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    error_code error;
    const auto address =
        asio::ip::make_address(bracketed ? host.substr(1, host.size() - 2) : host, error);
    const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 &&
                        std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
    if (error || !digits || std::stoul(port) > 65535 || address.is_v6() != bracketed)
        return fail(Code::BadInput,
                    {"adresse d'écoute incorrecte : " + text, "bad address to listen on: " + text},
                    {"donnez une adresse IP et un port, par exemple 127.0.0.1:8480",
                     "give an IP address and a port, for example 127.0.0.1:8480"});
    return tcp::endpoint(address, static_cast<std::uint16_t>(std::stoul(port)));
}

Result<std::unique_ptr<asio::ssl::context>> load_tls(const HttpOptions& options) {
    auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    HYGIE_CHECK(SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_3_VERSION) == 1,
                "TLS 1.3 only");
    error_code error;
    tls->use_certificate_chain_file(options.cert, error);
    const std::string& wrong = error ? options.cert : options.key;
    if (!error) tls->use_private_key_file(options.key, asio::ssl::context::pem, error);
    if (error)
        return fail(
            Code::BadInput,
            {"certificat ou clé illisible : " + wrong, "unreadable certificate or key: " + wrong},
            {"donnez un certificat et sa clé privée, tous deux en PEM et lisibles par ce compte",
             "give a certificate and its private key, both PEM and readable by this account"});
    return tls;
}

}  // namespace

/// All of it runs on the one thread of `io`, but for the handlers, which run on `pool`.
struct HttpServer::State {
    State(const HttpOptions& given, Clock& clock_door, Handler answer_with)
        : options(given),
          clock(clock_door),
          handler(std::move(answer_with)),
          pool(given.limits.handler_threads) {}

    /// A connection. While it is not answering, stop() may cut it: nothing was promised.
    struct Live {
        beast::tcp_stream stream;
        std::string peer;
        bool answering = false;
    };

    Status listen();
    void begin_stop();
    asio::awaitable<void> accept();
    asio::awaitable<void> serve(std::list<Live>::iterator live);
    asio::awaitable<void> serve_tls(Live& live);
    template <typename Stream>
    asio::awaitable<void> converse(Stream& stream, Live& live);
    template <typename Stream>
    asio::awaitable<error_code> read_request(Stream& stream, beast::flat_buffer& buffer,
                                             Parser& parser);
    template <typename Stream>
    asio::awaitable<bool> write(Stream& stream, const Response& response, bool keep_alive,
                                bool with_body);
    asio::awaitable<void> drain(beast::tcp_stream& stream);
    Response answer(const Request& request) const;

    HttpOptions options;
    Clock& clock;
    Handler handler;
    std::string url;
    std::unique_ptr<asio::ssl::context> tls;
    asio::io_context io{1};
    tcp::acceptor acceptor{io};
    std::list<Live> lives;
    std::atomic<std::size_t> connections{0};
    bool stopping = false;
    asio::thread_pool pool;
    std::thread thread;
};

Status HttpServer::State::listen() {
    const tcp::endpoint endpoint = TRY(parse_endpoint(options.listen));
    if (options.cert.empty() != options.key.empty())
        return fail(Code::BadInput,
                    {"certificat et clé vont ensemble", "certificate and key go together"},
                    {"donnez les deux, ou aucun", "give both, or neither"});
    if (!options.cert.empty()) tls = TRY(load_tls(options));
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
        return fail(
            error == asio::error::address_in_use ? Code::Busy : Code::Io,
            {fmt::format("impossible d'écouter sur {} : {}", options.listen, error.message()),
             fmt::format("cannot listen on {}: {}", options.listen, error.message())},
            {"choisissez une adresse de cette machine et un port libre (0 en trouve un)",
             "choose an address of this machine and a free port (0 finds one)"});
    const tcp::endpoint bound = acceptor.local_endpoint();
    url = fmt::format(fmt::runtime(bound.address().is_v6() ? "{}://[{}]:{}" : "{}://{}:{}"),
                      tls ? "https" : "http", bound.address().to_string(), bound.port());
    return {};
}

void HttpServer::State::begin_stop() {
    stopping = true;
    acceptor.close();
    for (Live& live : lives)
        if (!live.answering) live.stream.cancel();
}

asio::awaitable<void> HttpServer::State::accept() {
    while (!stopping) {
        auto [error, socket] = co_await acceptor.async_accept(kAsTuple);
        if (stopping) break;
        if (error) {
            asio::steady_timer pause(io, kAcceptPause);
            co_await pause.async_wait(kAsTuple);
            continue;
        }
        if (lives.size() >= options.limits.connections_max) continue;  // the socket closes itself
        error_code ignored;
        // Without it, Nagle's algorithm and delayed acknowledgements cost 40 ms an answer.
        socket.set_option(tcp::no_delay(true), ignored);
        const tcp::endpoint peer = socket.remote_endpoint(ignored);
        lives.push_back({beast::tcp_stream(std::move(socket)), peer.address().to_string()});
        connections = lives.size();
        asio::co_spawn(io, serve(std::prev(lives.end())), asio::detached);
    }
}

asio::awaitable<void> HttpServer::State::serve(std::list<Live>::iterator live) {
    if (tls) {
        co_await serve_tls(*live);
    } else {
        co_await converse(live->stream, *live);
    }
    co_await drain(live->stream);
    lives.erase(live);
    connections = lives.size();
}

asio::awaitable<void> HttpServer::State::serve_tls(Live& live) {
    beast::ssl_stream<beast::tcp_stream&> stream(live.stream, *tls);
    live.stream.expires_after(options.limits.request_timeout);
    auto [refused] = co_await stream.async_handshake(asio::ssl::stream_base::server, kAsTuple);
    if (refused) co_return;
    co_await converse(stream, live);
    live.stream.expires_after(kDrainTime);
    co_await stream.async_shutdown(kAsTuple);
}

/// One request after the other, until either side has had enough.
template <typename Stream>
asio::awaitable<void> HttpServer::State::converse(Stream& stream, Live& live) {
    beast::flat_buffer buffer(options.limits.header_bytes_max + kReadBytes);
    bool keep_alive = true;
    while (keep_alive && !stopping) {
        Parser parser;
        const error_code error = co_await read_request(stream, buffer, parser);
        if (error) {
            const std::optional<Response> refusal = complaint(error);
            if (refusal) co_await write(stream, *refusal, false, true);
            co_return;
        }
        live.answering = true;
        keep_alive = parser.keep_alive();
        const Request request = to_request(parser, live.peer);
        const Response response = co_await asio::co_spawn(
            pool, [this, &request]() -> asio::awaitable<Response> { co_return answer(request); },
            asio::use_awaitable);
        keep_alive = keep_alive && !stopping;
        const bool written = co_await write(stream, response, keep_alive, request.method != "HEAD");
        live.answering = false;
        keep_alive = keep_alive && written;
    }
}

template <typename Stream>
asio::awaitable<error_code> HttpServer::State::read_request(Stream& stream,
                                                            beast::flat_buffer& buffer,
                                                            Parser& parser) {
    const HttpLimits& limits = options.limits;
    parser.header_limit(limits.header_bytes_max);
    parser.body_limit(limits.body_bytes_max);
    beast::tcp_stream& transport = beast::get_lowest_layer(stream);
    if (buffer.size() == 0) {
        transport.expires_after(limits.idle_timeout);
        auto [error, size] = co_await stream.async_read_some(buffer.prepare(kReadBytes), kAsTuple);
        if (error) co_return error;
        buffer.commit(size);
    }
    // One deadline for the whole request: a client that drips gains nothing.
    transport.expires_after(limits.request_timeout);
    auto [bad_header, header_size] =
        co_await http::async_read_header(stream, buffer, parser, kAsTuple);
    if (bad_header) co_return bad_header;
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        auto [error, size] = co_await asio::async_write(stream, asio::buffer(kContinue), kAsTuple);
        if (error) co_return error;
    }
    auto [bad_body, body_size] = co_await http::async_read(stream, buffer, parser, kAsTuple);
    co_return bad_body;
}

template <typename Stream>
asio::awaitable<bool> HttpServer::State::write(Stream& stream, const Response& response,
                                               bool keep_alive, bool with_body) {
    const std::string head = head_of(response, keep_alive, clock.now());
    const std::array<asio::const_buffer, 2> parts = {
        asio::buffer(head), with_body ? asio::buffer(response.body) : asio::const_buffer()};
    beast::get_lowest_layer(stream).expires_after(options.limits.write_timeout);
    auto [error, size] = co_await asio::async_write(stream, parts, kAsTuple);
    co_return !error;
}

/// Ends a connection so that the last answer reaches a client that was still sending: closing at
/// once would reset it.
asio::awaitable<void> HttpServer::State::drain(beast::tcp_stream& stream) {
    error_code failed;
    stream.socket().shutdown(tcp::socket::shutdown_send, failed);
    if (stopping || failed) co_return;
    stream.expires_after(kDrainTime);
    std::array<std::uint8_t, 4096> scrap;
    while (!failed) {
        auto [error, size] = co_await stream.async_read_some(asio::buffer(scrap), kAsTuple);
        failed = error;
    }
}

Response HttpServer::State::answer(const Request& request) const {
    try {
        return handler(request);
    } catch (const std::exception&) {
        // What it says could name a person: the client learns only that it failed.
        return text_response(500, "internal error\n");
    }
}

Response text_response(int status, std::string_view text) {
    Response response;
    response.status = status;
    response.body = to_bytes(as_bytes(text));
    return response;
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpOptions& options, Clock& clock,
                                                      Handler handler) {
    auto state = std::make_unique<State>(options, clock, std::move(handler));
    TRY_STATUS(state->listen());
    State& running = *state;
    asio::co_spawn(running.io, running.accept(), asio::detached);
    running.thread = std::thread([&running] { running.io.run(); });
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::~HttpServer() {
    stop();
}

const std::string& HttpServer::url() const {
    return state_->url;
}

std::size_t HttpServer::connections() const {
    return state_->connections;
}

void HttpServer::stop() {
    if (!state_->thread.joinable()) return;
    asio::post(state_->io, [this] { state_->begin_stop(); });
    state_->thread.join();
    state_->pool.join();
}

}  // namespace hygie::serve
