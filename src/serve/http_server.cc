#include "serve/http_server.h"

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
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <mutex>
#include <optional>
#include <thread>

#include "base/check.h"
#include "serve/http2_talk.h"
#include "serve/http_exchange.h"
#include "serve/http_listen.h"
#include "serve/http_message.h"
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
constexpr std::size_t kReadBytes = 16 << 10;
/// Of a body, what is sent along with the head: both together are a record of TLS at most.
constexpr std::size_t kFrontBytes = 15 << 10;
/// How long a connection that we end may go on sending before it is cut: enough for the answer to
/// reach it.
constexpr std::chrono::seconds kDrainTime{2};
/// Pause after accept() failed, e.g. for want of file descriptors.
constexpr std::chrono::milliseconds kAcceptPause{100};

/// Deadlines are looked at so often: eight times in the shortest of them, within these bounds.
constexpr std::chrono::milliseconds kTickMin{5};
constexpr std::chrono::milliseconds kTickMax{250};

template <typename T>
using Awaitable = Wire::Awaitable<T>;
/// Errors as values instead of exceptions. Awaited in statements of their own: g++ 12 breaks on
/// more.
constexpr asio::use_awaitable_t<Wire::executor_type> kAwait{};
constexpr auto kAsTuple = asio::as_tuple(kAwait);

/// A target without scheme and server, which clients may name although they asked that server (RFC
/// 9112 §3.2.2).
std::string_view without_server(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!beast::iequals(target.substr(0, scheme.size()), scheme)) continue;
        target.remove_prefix(scheme.size());
        return target.substr(std::min(target.find_first_of("/?"), target.size()));
    }
    return target;
}

/// A request whose head has arrived, without its body.
Request to_request(const Parser& parser, const std::string& peer) {
    const auto& message = parser.get();
    Request request;
    request.method = std::string(message.method_string());
    const std::string_view target = without_server(message.target());
    const std::size_t mark = std::min(target.find('?'), target.size());
    request.path = mark > 0 ? std::string(target.substr(0, mark)) : "/";
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

/// Takes away empty lines before a request, which some clients send after a body (RFC 9112 §2.2).
/// Whether anything else is there yet.
bool pass_empty_lines(beast::flat_buffer& buffer) {
    const auto seen = [&] {
        return std::string_view(static_cast<const char*>(buffer.data().data()), buffer.size());
    };
    while (seen().starts_with("\r\n")) buffer.consume(2);
    return !seen().empty() && seen() != "\r";
}

/// What no client that knows HTTP/1.1 sends: without exactly one Host (RFC 9112 §3.2), or with two
/// proofs of who asks; or what nobody can tell the end of: a body whose last coding is not
/// "chunked" (§6.3), and whose bytes would be read as further requests.
std::optional<Response> faulty_head(const Parser& parser) {
    const auto count = [&](http::field name) {
        const auto [first, end] = parser.get().equal_range(name);
        return std::distance(first, end);
    };
    const auto hosts = count(http::field::host);
    if (hosts > 1 || (hosts == 0 && parser.get().version() >= 11)) return one_host_needed();
    if (count(http::field::authorization) > 1) return one_authorization_needed();
    const auto coding = parser.get().find(http::field::transfer_encoding);
    if (coding != parser.get().end() && !beast::iequals(coding->value(), "chunked"))
        return only_chunked(parser.chunked() ? 501 : 400);
    return std::nullopt;
}

/// The answer to a request that could not be read; none when the client just left or stalled.
std::optional<Response> complaint(error_code error) {
    if (error == http::error::header_limit) return head_too_large();
    if (error == http::error::body_limit) return body_too_large();
    const bool left = error == http::error::end_of_stream || error == http::error::partial_message;
    const bool malformed =
        error.category() == http::make_error_code(http::error::bad_method).category();
    if (malformed && !left) return text_response(400, "bad request\n");
    return std::nullopt;
}

/// How often a lane looks at the deadlines of its connections.
std::chrono::milliseconds tick_of(const HttpLimits& limits) {
    const Micros shortest = std::min(
        {limits.idle_timeout, limits.request_timeout, limits.answer_timeout, limits.write_timeout});
    return std::clamp(std::chrono::floor<std::chrono::milliseconds>(shortest / 8), kTickMin,
                      kTickMax);
}

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
    static void cancel_idle(Lane& lane);
    static bool make_room(Lane& lane);
    Awaitable<void> replace(Lane& lane, Wire::Socket socket);
    Awaitable<void> watch(Lane& lane);
    Awaitable<void> accept();
    Awaitable<void> serve(Lane& lane, Wire::Socket socket);
    Awaitable<void> converse(Lane& lane, Live& live);
    Awaitable<error_code> fill(Wire& wire, beast::flat_buffer& buffer, Parser& parser);
    Awaitable<error_code> read_head(Wire& wire, beast::flat_buffer& buffer, Parser& parser);
    Awaitable<error_code> read_body(Wire& wire, beast::flat_buffer& buffer, Parser& parser);
    std::optional<Response> refuse_body(Parser& parser, const Request& head, Reservation& held);
    Awaitable<std::optional<Response>> answer(Request request, Lane& lane, Live& live);
    Awaitable<bool> write(Wire& wire, const Response& response, bool keep_alive, bool with_body);

    /// What a connection of HTTP/2 needs of it.
    Http2House lent() {
        return {handler, options.limits, options.body_limit, bodies_bytes, closing, cutting, clock};
    }

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
    if (!options.cert.empty()) tls = TRY(load_tls(options.cert, options.key, options.oldest_tls));
    TRY_STATUS(open_acceptor(*acceptor, options));
    const tcp::endpoint bound = acceptor->local_endpoint();
    url = fmt::format(fmt::runtime(bound.address().is_v6() ? "{}://[{}]:{}" : "{}://{}:{}"),
                      tls ? "https" : "http", bound.address().to_string(), bound.port());
    return {};
}

void HttpServer::State::run() {
    asio::co_spawn(lanes.front()->io, accept(), asio::detached);
    for (const auto& lane : lanes) {
        asio::co_spawn(lane->io, watch(*lane), asio::detached);
        lane->thread = std::thread([&io = lane->io] { io.run(); });
    }
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

void HttpServer::State::cancel_idle(Lane& lane) {
    for (Live& live : lane.lives)
        if (!live.answering) live.wire.cancel();
}

void HttpServer::State::begin_stop(Lane& lane, Micros grace) {
    if (grace <= Micros::zero() || lane.lives.empty())
        cancel_idle(lane);
    else
        lane.grace = std::chrono::steady_clock::now() + grace;
    lane.tick.cancel();
}

/// Ends what lasts too long, as long as the lane lives.
Awaitable<void> HttpServer::State::watch(Lane& lane) {
    const auto pause = tick_of(options.limits);
    while (!closing || !lane.lives.empty()) {
        if (lane.lives.empty())
            lane.tick.expires_at(Wire::Time::max());
        else
            lane.tick.expires_after(pause);
        co_await lane.tick.async_wait(kAsTuple);
        const Wire::Time now = std::chrono::steady_clock::now();
        if (now >= lane.grace) {
            cutting = true;
            lane.grace = Wire::Time::max();
            cancel_idle(lane);
        }
        for (auto live = lane.lives.begin(); live != lane.lives.end();) {
            Live& late = *live++;  // one that ends takes itself off the list
            if (late.wire.deadline() > now) continue;
            late.wire.cancel();
            if (const auto slot = late.slot) slot->end_wait();
        }
    }
}

Awaitable<void> HttpServer::State::accept() {
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
        if (connections >= options.limits.connections_max) {
            asio::co_spawn(lane.io, replace(lane, std::move(socket)), asio::detached);
            continue;
        }
        ++connections;
        asio::co_spawn(lane.io, serve(lane, std::move(socket)), asio::detached);
    }
}

/// Who was answered longest ago, and is not being answered, gives way. False when nobody can.
bool HttpServer::State::make_room(Lane& lane) {
    Live* oldest = nullptr;
    for (Live& live : lane.lives)
        if (!live.answering && !live.gives_way && (!oldest || live.since < oldest->since))
            oldest = &live;
    if (!oldest) return false;
    oldest->gives_way = true;
    oldest->wire.cancel();
    return true;
}

/// A connection beyond the limit: were it refused, whoever opens as many and says nothing would
/// keep everybody out.
Awaitable<void> HttpServer::State::replace(Lane& lane, Wire::Socket socket) {
    if (!make_room(lane)) co_return;  // the socket closes itself
    ++connections;
    co_await serve(lane, std::move(socket));
}

Awaitable<void> HttpServer::State::serve(Lane& lane, Wire::Socket socket) {
    if (closing) co_return;
    error_code ignored;
    // Without it, Nagle's algorithm and delayed acknowledgements cost 40 ms an answer.
    socket.set_option(tcp::no_delay(true), ignored);
    const tcp::endpoint peer = socket.remote_endpoint(ignored);
    const auto live =
        lane.lives.emplace(lane.lives.end(), std::move(socket), peer.address().to_string());
    if (lane.lives.size() == 1) lane.tick.cancel();
    Tls context;
    {
        const std::scoped_lock lock(tls_mutex);
        context = tls;
    }
    bool agreed = true;
    live->wire.expires_after(options.limits.request_timeout);
    if (context) {
        const bool greeted = co_await live->wire.accept_tls(std::move(context));
        agreed = greeted;
    }
    if (agreed && live->wire.protocol() == "h2") {
        co_await talk_http2(lent(), lane, *live);
    } else if (agreed) {
        co_await converse(lane, *live);
    }
    // So that the last answer reaches a client that was still sending: closing would reset it.
    live->wire.shut();
    live->wire.expires_after(kDrainTime);
    if (!cutting && !live->gives_way) {
        co_await live->wire.drain();
    }
    lane.lives.erase(live);
    --connections;
    if (closing && lane.lives.empty()) lane.tick.cancel();
}

/// One request after the other, until either side has had enough.
Awaitable<void> HttpServer::State::converse(Lane& lane, Live& live) {
    beast::flat_buffer buffer(options.limits.header_bytes_max + kReadBytes);
    bool keep_alive = true;
    while (keep_alive && !cutting && !live.gives_way) {
        Parser parser;
        Reservation held(bodies_bytes);
        error_code error = co_await read_head(live.wire, buffer, parser);
        if (!error && options.web_socket && wants_socket(parser.get(), *options.web_socket)) {
            live.since = Wire::Time::max();  // it is told what happens: never idle
            co_await talk(live.wire, parser.get(), *options.web_socket);
            co_return;
        }
        std::optional<Response> refusal = error ? complaint(error) : std::nullopt;
        Request request;
        if (!error) {
            request = to_request(parser, live.peer);
            refusal = faulty_head(parser);
            if (!refusal) refusal = refuse_body(parser, request, held);
        }
        if (!error && !refusal) {
            error = co_await read_body(live.wire, buffer, parser);
            if (error) refusal = complaint(error);
        }
        if (error || refusal) {
            if (refusal) co_await write(live.wire, *refusal, false, true);
            co_return;
        }
        live.answering = true;
        request.body = std::move(parser.get().body());
        keep_alive = parser.keep_alive();
        const bool with_body = request.method != "HEAD";
        const std::optional<Response> response = co_await answer(std::move(request), lane, live);
        if (!response) co_return;
        keep_alive = keep_alive && !closing;
        const bool written = co_await write(live.wire, *response, keep_alive, with_body);
        live.answering = false;
        live.since = std::chrono::steady_clock::now();
        keep_alive = keep_alive && written;
    }
}

/// More bytes behind those in the buffer.
Awaitable<error_code> HttpServer::State::fill(Wire& wire, beast::flat_buffer& buffer,
                                              Parser& parser) {
    const auto room = buffer.prepare(std::min(kReadBytes, buffer.max_size() - buffer.size()));
    const std::size_t size =
        co_await wire.read({static_cast<std::uint8_t*>(room.data()), room.size()});
    buffer.commit(size);
    error_code error;
    if (size > 0) co_return error;
    if (!parser.got_some()) co_return http::error::end_of_stream;
    parser.put_eof(error);
    co_return error;
}

Awaitable<error_code> HttpServer::State::read_head(Wire& wire, beast::flat_buffer& buffer,
                                                   Parser& parser) {
    const HttpLimits& limits = options.limits;
    parser.header_limit(limits.header_bytes_max);
    parser.body_limit(boost::none);  // refuse_body() sets it, once the head tells whose it is
    error_code error;
    if (buffer.size() == 0) {
        wire.expires_after(limits.idle_timeout);
        error = co_await fill(wire, buffer, parser);
        if (error) co_return error;
    }
    // One deadline for the whole request: a client that drips gains nothing.
    wire.expires_after(cutting ? Micros(kDrainTime) : limits.request_timeout);
    while (true) {
        const bool begun = parser.got_some() || pass_empty_lines(buffer);
        if (begun) buffer.consume(parser.put(buffer.data(), error));
        if (parser.is_header_done()) co_return error_code();
        if (error && error != http::error::need_more) co_return error;
        error = co_await fill(wire, buffer, parser);
        if (error) co_return error;
    }
}

/// Judges a body before a byte of it is kept.
std::optional<Response> HttpServer::State::refuse_body(Parser& parser, const Request& head,
                                                       Reservation& held) {
    if (parser.is_done()) return std::nullopt;  // no body: nothing depends on whose it is
    const std::uint64_t limit =
        options.body_limit ? options.body_limit(head) : options.limits.body_bytes_max;
    parser.body_limit(limit);
    const auto length = parser.content_length();
    return reserve_body(limit, length ? std::optional<std::uint64_t>(*length) : std::nullopt,
                        options.limits, held);
}

Awaitable<error_code> HttpServer::State::read_body(Wire& wire, beast::flat_buffer& buffer,
                                                   Parser& parser) {
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        const bool told = co_await wire.write(as_bytes(kContinue));
        if (!told) co_return asio::error::connection_reset;
    }
    parser.eager(true);
    error_code error;
    while (!parser.is_done()) {
        if (buffer.size() > 0) buffer.consume(parser.put(buffer.data(), error));
        if (error && error != http::error::need_more) co_return error;
        if (parser.is_done()) break;
        error = co_await fill(wire, buffer, parser);
        if (error) co_return error;
    }
    co_return error_code();
}

/// What the handler answers, at once or in time; none when it takes too long.
Awaitable<std::optional<Response>> HttpServer::State::answer(Request request, Lane& lane,
                                                             Live& live) {
    const auto slot = hand_over(handler, std::move(request));
    bool ready = true;
    {
        const std::scoped_lock lock(slot->mutex);
        ready = slot->response.has_value();
    }
    if (!ready) {
        live.wire.expires_after(options.limits.answer_timeout);
        live.slot = slot;
        co_await asio::async_initiate<decltype(kAwait), void()>(
            [&lane, &slot](auto coroutine) {
                const std::scoped_lock lock(slot->mutex);
                slot->go_on = [coroutine = std::move(coroutine)]() mutable {
                    std::move(coroutine)();
                };
                slot->waiting = &lane;
                if (slot->response) lane.arrived(slot);
            },
            kAwait);
        live.slot = nullptr;
    }
    const std::scoped_lock lock(slot->mutex);
    slot->waiting = nullptr;
    slot->abandoned = true;
    co_return std::move(slot->response);
}

Awaitable<bool> HttpServer::State::write(Wire& wire, const Response& response, bool keep_alive,
                                         bool with_body) {
    // A short answer is one record, and one call of the kernel; a long one is not moved for that.
    const ByteView body = with_body ? ByteView(response.body) : ByteView();
    const ByteView front = body.first(std::min(body.size(), kFrontBytes));
    const ByteView rest = body.subspan(front.size());
    const std::string message = message_of(response, keep_alive, front, clock.now());
    wire.expires_after(options.limits.write_timeout);
    const bool begun = co_await wire.write(
        as_bytes(message), rest.empty() ? Wire::Follows::Nothing : Wire::Follows::More);
    if (!begun || rest.empty()) co_return begun;
    const bool written = co_await wire.write(rest);
    co_return written;
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
    Tls fresh = TRY(load_tls(cert, key, state_->options.oldest_tls));
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
