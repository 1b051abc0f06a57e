#include "serve/http_server.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

// One of the two files that include Boost.Beast: it costs tens of seconds to compile.
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
#include <mutex>
#include <optional>
#include <thread>

#include "base/check.h"
#include "serve/http_exchange.h"
#include "serve/http_listen.h"
#include "serve/websocket_session.h"

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

/// RFC 9110 §5.6.7; spelled once a second.
const std::string& http_date(WallTime now) {
    thread_local std::time_t spelled = 0;
    thread_local std::string date;
    const std::time_t second = std::chrono::system_clock::to_time_t(now);
    if (date.empty() || second != spelled) {
        date = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(second));
        spelled = second;
    }
    return date;
}

std::string head_of(const Response& response, bool keep_alive, WallTime now) {
    const bool bodiless = response.status == 204 || response.status == 304;  // RFC 9110 §8.6
    std::string head = fmt::format(
        "HTTP/1.1 {} {}\r\nDate: {}\r\nConnection: {}\r\n", response.status,
        std::string_view(http::obsolete_reason(static_cast<http::status>(response.status))),
        http_date(now), keep_alive ? "keep-alive" : "close");
    if (!bodiless)
        head += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", response.content_type,
                            response.body.size());
    for (const auto& [name, value] : response.headers) {
        HYGIE_CHECK(!value.contains('\n') && !value.contains('\r'),
                    "a header value would forge another header");
        head += name;
        head += ": ";
        head += value;
        head += "\r\n";
    }
    head += "\r\n";
    return head;
}

/// A request whose head has arrived, without its body.
Request to_request(const Parser& parser, const std::string& peer) {
    const auto& message = parser.get();
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

/// A connection. While it is not answering, stop() may cut it: nothing was promised.
struct Live {
    beast::tcp_stream stream;
    std::string peer;
    bool answering = false;
};

/// One thread and the connections that it serves.
struct Lane {
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    asio::steady_timer grace{io};
    std::list<Live> lives;
    std::thread thread;
};

}  // namespace

/// Connections belong to their lane's thread; the rest is shared.
struct HttpServer::State {
    State(const HttpOptions& given, Clock& clock_door) : options(given), clock(clock_door) {
        for (unsigned i = 0; i < std::max(1U, options.limits.io_threads); ++i)
            lanes.push_back(std::make_unique<Lane>());
        acceptor.emplace(lanes.front()->io);
    }

    Status listen();
    void run();
    AsyncHandler on_pool(Handler synchronous);
    void begin_stop(Lane& lane, Micros grace);
    void cut_idle(Lane& lane);
    asio::awaitable<void> accept();
    asio::awaitable<void> serve(Lane& lane, tcp::socket socket);
    asio::awaitable<void> serve_tls(Live& live, Tls context);
    template <typename Stream>
    asio::awaitable<void> converse(Stream& stream, Live& live);
    template <typename Stream>
    asio::awaitable<error_code> read_head(Stream& stream, beast::flat_buffer& buffer,
                                          Parser& parser);
    template <typename Stream>
    asio::awaitable<error_code> read_body(Stream& stream, beast::flat_buffer& buffer,
                                          Parser& parser);
    std::optional<Response> refuse_body(Parser& parser, const Request& head, Reservation& held);
    asio::awaitable<std::optional<Response>> answer(Request request, asio::steady_timer& wait);
    template <typename Stream>
    asio::awaitable<bool> write(Stream& stream, const Response& response, bool keep_alive,
                                bool with_body);
    asio::awaitable<void> drain(beast::tcp_stream& stream);

    HttpOptions options;
    Clock& clock;
    AsyncHandler handler;
    std::string url;
    std::mutex tls_mutex;
    Tls tls;
    std::vector<std::unique_ptr<Lane>> lanes;
    std::optional<tcp::acceptor> acceptor;
    std::optional<asio::thread_pool> pool;  ///< of a synchronous handler
    std::atomic<std::size_t> connections{0};
    std::atomic<std::uint64_t> bodies_bytes{0};
    std::atomic<bool> closing = false;  ///< nothing new is accepted, answers say goodbye
    std::atomic<bool> cutting = false;  ///< who is not being answered is cut
};

Status HttpServer::State::listen() {
    if (options.cert.empty() != options.key.empty())
        return fail(Code::BadInput,
                    {"certificat et clé vont ensemble", "certificate and key go together"},
                    {"donnez les deux, ou aucun", "give both, or neither"});
    if (!options.cert.empty()) tls = TRY(load_tls(options.cert, options.key));
    TRY_STATUS(open_acceptor(*acceptor, options));
    const tcp::endpoint bound = acceptor->local_endpoint();
    url = fmt::format(fmt::runtime(bound.address().is_v6() ? "{}://[{}]:{}" : "{}://{}:{}"),
                      tls ? "https" : "http", bound.address().to_string(), bound.port());
    return {};
}

void HttpServer::State::run() {
    asio::co_spawn(lanes.front()->io, accept(), asio::detached);
    for (const auto& lane : lanes) lane->thread = std::thread([&io = lane->io] { io.run(); });
}

/// A handler that may wait, on threads of its own.
AsyncHandler HttpServer::State::on_pool(Handler synchronous) {
    pool.emplace(options.limits.handler_threads);
    return [this, shared = std::make_shared<Handler>(std::move(synchronous))](Request request,
                                                                              Reply reply) {
        asio::post(*pool,
                   [shared, request = std::move(request), reply = std::move(reply)]() mutable {
                       try {
                           reply((*shared)(request));
                       } catch (const std::exception&) {
                           // The reply dies unused: a 500 without details, which could name a
                           // person.
                       }
                   });
    };
}

void HttpServer::State::cut_idle(Lane& lane) {
    cutting = true;
    for (Live& live : lane.lives)
        if (!live.answering) live.stream.cancel();
}

void HttpServer::State::begin_stop(Lane& lane, Micros grace) {
    lane.work.reset();
    if (grace <= Micros::zero() || lane.lives.empty()) {
        for (Live& live : lane.lives)
            if (!live.answering) live.stream.cancel();
        return;
    }
    lane.grace.expires_after(grace);
    lane.grace.async_wait([this, &lane](error_code ended_early) {
        if (!ended_early) cut_idle(lane);
    });
}

asio::awaitable<void> HttpServer::State::accept() {
    std::size_t next = 0;
    while (!closing) {
        Lane& lane = *lanes[next++ % lanes.size()];
        auto [error, socket] = co_await acceptor->async_accept(lane.io, kAsTuple);
        if (closing) break;
        if (error) {
            asio::steady_timer pause(lanes.front()->io, kAcceptPause);
            co_await pause.async_wait(kAsTuple);
            continue;
        }
        if (connections >= options.limits.connections_max) continue;  // the socket closes itself
        ++connections;
        asio::co_spawn(lane.io, serve(lane, std::move(socket)), asio::detached);
    }
}

asio::awaitable<void> HttpServer::State::serve(Lane& lane, tcp::socket socket) {
    if (closing) co_return;
    error_code ignored;
    // Without it, Nagle's algorithm and delayed acknowledgements cost 40 ms an answer.
    socket.set_option(tcp::no_delay(true), ignored);
    const tcp::endpoint peer = socket.remote_endpoint(ignored);
    const auto live = lane.lives.insert(
        lane.lives.end(), {beast::tcp_stream(std::move(socket)), peer.address().to_string()});
    Tls context;
    {
        const std::scoped_lock lock(tls_mutex);
        context = tls;
    }
    if (context) {
        co_await serve_tls(*live, std::move(context));
    } else {
        co_await converse(live->stream, *live);
    }
    co_await drain(live->stream);
    lane.lives.erase(live);
    --connections;
    if (closing && lane.lives.empty()) lane.grace.cancel();
}

asio::awaitable<void> HttpServer::State::serve_tls(Live& live, Tls context) {
    beast::ssl_stream<beast::tcp_stream&> stream(live.stream, *context);
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
    asio::steady_timer wait(live.stream.get_executor());
    bool keep_alive = true;
    while (keep_alive && !cutting) {
        Parser parser;
        Reservation held(bodies_bytes);
        error_code error = co_await read_head(stream, buffer, parser);
        if (!error && options.web_socket && wants_socket(parser.get(), *options.web_socket)) {
            co_await talk(stream, parser.get(), *options.web_socket);
            co_return;
        }
        std::optional<Response> refusal = error ? complaint(error) : std::nullopt;
        Request request;
        if (!error) {
            request = to_request(parser, live.peer);
            refusal = refuse_body(parser, request, held);
        }
        if (!error && !refusal) {
            error = co_await read_body(stream, buffer, parser);
            if (error) refusal = complaint(error);
        }
        if (error || refusal) {
            if (refusal) co_await write(stream, *refusal, false, true);
            co_return;
        }
        live.answering = true;
        request.body = std::move(parser.get().body());
        keep_alive = parser.keep_alive();
        const bool with_body = request.method != "HEAD";
        const std::optional<Response> response = co_await answer(std::move(request), wait);
        if (!response) co_return;
        keep_alive = keep_alive && !closing;
        const bool written = co_await write(stream, *response, keep_alive, with_body);
        live.answering = false;
        keep_alive = keep_alive && written;
    }
}

template <typename Stream>
asio::awaitable<error_code> HttpServer::State::read_head(Stream& stream, beast::flat_buffer& buffer,
                                                         Parser& parser) {
    const HttpLimits& limits = options.limits;
    parser.header_limit(limits.header_bytes_max);
    parser.body_limit(boost::none);  // refuse_body() sets it, once the head tells whose it is
    beast::tcp_stream& transport = beast::get_lowest_layer(stream);
    if (buffer.size() == 0) {
        transport.expires_after(limits.idle_timeout);
        auto [error, size] = co_await stream.async_read_some(buffer.prepare(kReadBytes), kAsTuple);
        if (error) co_return error;
        buffer.commit(size);
    }
    // One deadline for the whole request: a client that drips gains nothing.
    transport.expires_after(cutting ? Micros(kDrainTime) : limits.request_timeout);
    auto [error, size] = co_await http::async_read_header(stream, buffer, parser, kAsTuple);
    co_return error;
}

/// Judges a body before a byte of it is kept.
std::optional<Response> HttpServer::State::refuse_body(Parser& parser, const Request& head,
                                                       Reservation& held) {
    if (parser.is_done()) return std::nullopt;  // no body: nothing depends on whose it is
    const std::uint64_t limit =
        options.body_limit ? options.body_limit(head) : options.limits.body_bytes_max;
    const auto length = parser.content_length();
    if (length && *length > limit) return text_response(413, "body too large\n");
    parser.body_limit(limit);
    const std::uint64_t expected = length ? *length : parser.chunked() ? limit : 0;
    if (held.take(expected, options.limits.bodies_bytes_max)) return std::nullopt;
    Response busy = text_response(503, "too many large requests at once\n");
    busy.headers.emplace_back("Retry-After", "1");
    return busy;
}

template <typename Stream>
asio::awaitable<error_code> HttpServer::State::read_body(Stream& stream, beast::flat_buffer& buffer,
                                                         Parser& parser) {
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        auto [error, size] = co_await asio::async_write(stream, asio::buffer(kContinue), kAsTuple);
        if (error) co_return error;
    }
    if (parser.is_done()) co_return error_code{};
    auto [error, size] = co_await http::async_read(stream, buffer, parser, kAsTuple);
    co_return error;
}

/// What the handler answers, at once or in time; none when it takes too long.
asio::awaitable<std::optional<Response>> HttpServer::State::answer(Request request,
                                                                   asio::steady_timer& wait) {
    const auto slot = std::make_shared<Slot>();
    try {
        handler(std::move(request), Once(slot));
    } catch (const std::exception&) {
        // Its reply died unused: a 500 without details, which could name a person.
    }
    wait.expires_after(options.limits.answer_timeout);
    bool ready = true;
    {
        const std::scoped_lock lock(slot->mutex);
        ready = slot->response.has_value();
        if (!ready) slot->waiting = &wait;
    }
    if (!ready) co_await wait.async_wait(kAsTuple);
    const std::scoped_lock lock(slot->mutex);
    slot->waiting = nullptr;
    slot->abandoned = true;
    co_return std::move(slot->response);
}

template <typename Stream>
asio::awaitable<bool> HttpServer::State::write(Stream& stream, const Response& response,
                                               bool keep_alive, bool with_body) {
    // One buffer: of a sequence whose second part is larger than a TLS record, beast::ssl_stream
    // (Boost 1.81) sends the first and then waits for ever.
    std::string message = head_of(response, keep_alive, clock.now());
    if (with_body) {
        message.reserve(message.size() + response.body.size());
        message += as_text(response.body);
    }
    beast::get_lowest_layer(stream).expires_after(options.limits.write_timeout);
    auto [error, size] = co_await asio::async_write(stream, asio::buffer(message), kAsTuple);
    co_return !error;
}

/// Ends a connection so that the last answer reaches a client that was still sending: closing at
/// once would reset it.
asio::awaitable<void> HttpServer::State::drain(beast::tcp_stream& stream) {
    error_code failed;
    stream.socket().shutdown(tcp::socket::shutdown_send, failed);
    if (cutting || failed) co_return;
    stream.expires_after(kDrainTime);
    std::array<std::uint8_t, 4096> scrap;
    while (!failed) {
        auto [error, size] = co_await stream.async_read_some(asio::buffer(scrap), kAsTuple);
        failed = error;
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
    auto state = std::make_unique<State>(options, clock);
    TRY_STATUS(state->listen());
    state->handler = state->on_pool(std::move(handler));
    state->run();
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpOptions& options, Clock& clock,
                                                      AsyncHandler handler) {
    auto state = std::make_unique<State>(options, clock);
    TRY_STATUS(state->listen());
    state->handler = std::move(handler);
    state->run();
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

Status HttpServer::use_certificate(const std::string& cert, const std::string& key) {
    Tls fresh = TRY(load_tls(cert, key));
    const std::scoped_lock lock(state_->tls_mutex);
    state_->tls = std::move(fresh);
    return {};
}

void HttpServer::stop(Micros grace) {
    State& state = *state_;
    if (!state.lanes.front()->thread.joinable()) return;
    state.closing = true;
    if (grace <= Micros::zero()) state.cutting = true;
    asio::post(state.lanes.front()->io, [&state] { state.acceptor->close(); });
    for (const auto& lane : state.lanes)
        asio::post(lane->io, [&state, &lane = *lane, grace] { state.begin_stop(lane, grace); });
    for (const auto& lane : state.lanes) lane->thread.join();
    if (state.pool) state.pool->join();
    state.connections = 0;
}

}  // namespace hygie::serve
