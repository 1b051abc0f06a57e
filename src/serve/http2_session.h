#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "serve/http_server.h"

struct nghttp2_session;

/// HTTP/2 (RFC 9113) without its socket, by nghttp2: bytes of a client go in and whole requests
/// come out, answers go in and bytes for the client come out. Pure.
namespace hygie::serve {

/// What one connection may cost, beside HttpLimits.
struct Http2Limits {
    std::uint32_t header_bytes_max = 16 << 10;
    /// Requests at a time, those that the client gave up and that are still being answered
    /// included.
    std::uint32_t streams_max = 32;
    /// Of a body, what may be under way unread (RFC 9113 §6.9.2).
    std::uint32_t window_bytes = 256 << 10;
};

class Http2Session {
  public:
    /// Judges a head when it has arrived: its refusal, or how long its body may be. `length` is
    /// what the client announces.
    struct Judged {
        std::optional<Response> refusal{};
        std::uint64_t body_bytes_max = 0;
    };
    using Judge = std::function<Judged(std::int32_t stream, const Request& head, bool has_body,
                                       std::optional<std::uint64_t> length)>;
    struct Arrived {
        std::int32_t stream = 0;
        Request request;
    };
    using Time = std::chrono::steady_clock::time_point;

    /// `date`: what answers bear.
    Http2Session(const Http2Limits& limits, std::string peer, Judge judge,
                 std::function<WallTime()> date);
    ~Http2Session();

    /// Bytes of the client; false when they are no HTTP/2: what output() still says goes out, then
    /// it is over.
    bool receive(ByteView bytes, Time now);
    /// Requests that arrived whole since, in their order. Each is owed answer() or give_up().
    std::vector<Arrived> take_requests();
    /// The answer to a request; nothing leaves to a client that gave it up.
    void answer(std::int32_t stream, Response response, Time now);
    /// Whether the client still waits for something of this request.
    bool is_open(std::int32_t stream) const { return streams_.contains(stream); }
    bool is_idle() const { return streams_.empty(); }
    /// Since when the longest has been under way of requests that arrive, and of answers that
    /// leave.
    struct Oldest {
        std::optional<Time> arriving{}, leaving{};
    };
    Oldest oldest() const;
    /// What leaves now, about `bytes_max` of it; empty when nothing does.
    Bytes output(std::size_t bytes_max);
    /// No further request is taken; those that arrived are answered (RFC 9113 §6.8).
    void say_goodbye();
    /// Nothing more is to be read or written.
    bool is_over() const;

  private:
    struct Stream {
        Request head;
        std::string cookies;
        std::size_t header_bytes = 0;
        std::uint64_t body_bytes_max = 0;
        bool is_head_done = false, is_whole = false, is_refused = false, is_leaving = false;
        Time since{};              ///< it began to arrive; then, to leave
        Bytes out{};               ///< body of the answer
        std::size_t out_sent = 0;  ///< of it
    };
    struct Calls;  ///< what nghttp2 calls
    struct FreeSession {
        void operator()(nghttp2_session* session) const;
    };

    void add_header(Stream& stream, std::string_view name, std::string_view value);
    void end_head(std::int32_t id, Stream& stream, bool has_body);
    void add_body(std::int32_t id, Stream& stream, ByteView bytes);
    void end_request(std::int32_t id, Stream& stream);
    void refuse(std::int32_t id, Stream& stream, Response response);
    void submit(std::int32_t id, Stream& stream, Response response);
    void forget(std::int32_t id);

    const Http2Limits limits_;
    const std::string peer_;
    const Judge judge_;
    const std::function<WallTime()> date_;
    std::unique_ptr<nghttp2_session, FreeSession> session_;
    std::map<std::int32_t, Stream> streams_;  ///< those that are open
    std::size_t answering_ = 0;               ///< requests given out and not answered yet
    std::vector<Arrived> arrived_;
    Time now_{};
    bool is_broken_ = false, said_goodbye_ = false;
};

}  // namespace hygie::serve
