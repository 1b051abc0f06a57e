#include "serve/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "serve/http_message.h"

namespace hygie::serve {
namespace {

/// What RFC 7541 counts for a header beside its name and value.
constexpr std::size_t kHeaderCost = 32;

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

nghttp2_nv header(std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view text) {
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::string lowered(std::string name) {
    for (char& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return name;
}

std::optional<std::uint64_t> announced_length(const Request& head) {
    const std::string_view text = head.header("content-length");
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return length;
}

/// What nghttp2 lets pass and no honest client sends: a path that is none, no host or two proofs of
/// who asks.
std::optional<Response> faulty(const Request& head) {
    const auto count = [&](std::string_view name) {
        return std::ranges::count(head.headers, name, &Headers::value_type::first);
    };
    if (!head.path.starts_with('/'))
        return outcome_response(
            400, "invalid",
            {"L'adresse commence par une barre oblique.", "The URL starts with a slash."});
    if (count("host") != 1) return one_host_needed();
    if (count("authorization") > 1) return one_authorization_needed();
    return std::nullopt;
}

}  // namespace

void Http2Session::FreeSession::operator()(nghttp2_session* session) const {
    nghttp2_session_del(session);
}

/// All are called inside receive() and output(), on one thread.
struct Http2Session::Calls {
    static Http2Session& of(void* user) { return *static_cast<Http2Session*>(user); }
    static Stream* stream_of(void* user, std::int32_t id) {
        auto& streams = of(user).streams_;
        const auto found = streams.find(id);
        return found == streams.end() ? nullptr : &found->second;
    }

    static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
        Stream stream;
        stream.head.peer = of(user).peer_;
        stream.since = of(user).now_;
        of(user).streams_.emplace(frame->hd.stream_id, std::move(stream));
        return 0;
    }
    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                         std::uint8_t, void* user) {
        Stream* const stream = stream_of(user, frame->hd.stream_id);
        // Behind the body come trailers: nobody here asks for them.
        if (stream && !stream->is_head_done)
            of(user).add_header(*stream, text_of(name, name_size), text_of(value, value_size));
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        const bool is_headers = frame->hd.type == NGHTTP2_HEADERS;
        if (!is_headers && frame->hd.type != NGHTTP2_DATA) return 0;
        Stream* const stream = stream_of(user, frame->hd.stream_id);
        if (!stream) return 0;
        const bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (is_headers && !stream->is_head_done)
            of(user).end_head(frame->hd.stream_id, *stream, !is_end);
        if (is_end) of(user).end_request(frame->hd.stream_id, *stream);
        return 0;
    }
    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                       std::size_t size, void* user) {
        if (Stream* const stream = stream_of(user, id))
            of(user).add_body(id, *stream, {bytes, size});
        return 0;
    }
    /// Who was answered before all of the request was there need not send the rest (RFC 9113
    /// §8.1).
    static int on_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
        const bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (!is_end || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
            return 0;
        const Stream* const stream = stream_of(user, frame->hd.stream_id);
        if (stream && !stream->is_whole)
            nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                      NGHTTP2_NO_ERROR);
        return 0;
    }
    static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
        of(user).forget(id);
        return 0;
    }
    static ssize_t read_body(nghttp2_session*, std::int32_t id, std::uint8_t* into,
                             std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                             void* user) {
        Stream* const stream = stream_of(user, id);
        if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        const std::size_t left = stream->out.size() - stream->out_sent;
        const std::size_t count = std::min(size, left);
        std::copy_n(stream->out.begin() + static_cast<std::ptrdiff_t>(stream->out_sent), count,
                    into);
        stream->out_sent += count;
        if (count == left) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(count);
    }

    static nghttp2_session* open(Http2Session& session) {
        nghttp2_session_callbacks* calls = nullptr;
        HYGIE_CHECK(nghttp2_session_callbacks_new(&calls) == 0, "no memory for a connection");
        nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
        nghttp2_session_callbacks_set_on_frame_send_callback(calls, on_sent);
        nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
        nghttp2_session* made = nullptr;
        const int opened = nghttp2_session_server_new(&made, calls, &session);
        nghttp2_session_callbacks_del(calls);
        HYGIE_CHECK(opened == 0, "no memory for a connection");
        return made;
    }
};

Http2Session::Http2Session(const Http2Limits& limits, std::string peer, Judge judge,
                           std::function<WallTime()> date)
    : limits_(limits),
      peer_(std::move(peer)),
      judge_(std::move(judge)),
      date_(std::move(date)),
      session_(Calls::open(*this)) {
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.streams_max},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits_.header_bytes_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.window_bytes}};
    HYGIE_CHECK(nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings,
                                        std::size(settings)) == 0,
                "settings that nghttp2 does not know");
}

Http2Session::~Http2Session() = default;

bool Http2Session::receive(ByteView bytes, Time now) {
    now_ = now;
    const ssize_t taken = nghttp2_session_mem_recv(session_.get(), bytes.data(), bytes.size());
    is_broken_ = is_broken_ || taken < 0;
    return !is_broken_;
}

std::vector<Http2Session::Arrived> Http2Session::take_requests() {
    return std::exchange(arrived_, {});
}

Http2Session::Oldest Http2Session::oldest() const {
    Oldest oldest;
    for (const auto& [id, stream] : streams_) {
        if (stream.is_whole && !stream.is_leaving) continue;  // it is being answered
        auto& since = stream.is_leaving ? oldest.leaving : oldest.arriving;
        since = std::min(since.value_or(Time::max()), stream.since);
    }
    return oldest;
}

void Http2Session::add_header(Stream& stream, std::string_view name, std::string_view value) {
    stream.header_bytes += name.size() + value.size() + kHeaderCost;
    if (stream.header_bytes > limits_.header_bytes_max) return;
    Request& head = stream.head;
    if (name == ":method") {
        head.method = value;
    } else if (name == ":path") {
        const std::size_t mark = std::min(value.find('?'), value.size());
        head.path = value.substr(0, mark);
        if (mark < value.size()) head.query = value.substr(mark + 1);
    } else if (name == ":authority") {
        head.headers.emplace_back("host", value);
    } else if (name == "cookie") {
        // Sent in crumbs (RFC 9113 §8.2.3).
        stream.cookies += (stream.cookies.empty() ? "" : "; ") + std::string(value);
    } else if (name == "host" && !head.header("host").empty()) {
        if (head.header("host") != value) head.headers.emplace_back("host", value);
    } else if (!name.starts_with(':')) {
        head.headers.emplace_back(name, value);
    }
}

void Http2Session::end_head(std::int32_t id, Stream& stream, bool has_body) {
    stream.is_head_done = true;
    Request& head = stream.head;
    if (!stream.cookies.empty()) head.headers.emplace_back("cookie", std::move(stream.cookies));
    if (stream.header_bytes > limits_.header_bytes_max) return refuse(id, stream, head_too_large());
    if (auto fault = faulty(head)) return refuse(id, stream, *std::move(fault));
    // Who gives up what it asked for, and asks again, gains nothing.
    if (answering_ >= limits_.streams_max)
        return refuse(id, stream, text_response(503, "too many requests at once\n"));
    Judged judged = judge_(id, head, has_body, announced_length(head));
    if (judged.refusal) return refuse(id, stream, *std::move(judged.refusal));
    stream.body_bytes_max = judged.body_bytes_max;
    if (has_body && head.header("expect") == "100-continue") {
        const nghttp2_nv go_on = header(":status", "100");
        nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, id, nullptr, &go_on, 1, nullptr);
    }
}

void Http2Session::add_body(std::int32_t id, Stream& stream, ByteView bytes) {
    if (stream.is_refused) return;
    Bytes& body = stream.head.body;
    if (body.size() + bytes.size() > stream.body_bytes_max)
        return refuse(id, stream, body_too_large());
    body.insert(body.end(), bytes.begin(), bytes.end());
}

void Http2Session::end_request(std::int32_t id, Stream& stream) {
    stream.is_whole = true;
    if (stream.is_refused) return;
    ++answering_;
    // What an answer needs to know of the request stays here.
    Arrived arrived{id, std::move(stream.head)};
    stream.head = Request();
    stream.head.method = arrived.request.method;
    arrived_.push_back(std::move(arrived));
}

void Http2Session::refuse(std::int32_t id, Stream& stream, Response response) {
    stream.is_refused = true;
    stream.head.body = {};
    submit(id, stream, std::move(response));
}

void Http2Session::answer(std::int32_t id, Response response, Time now) {
    now_ = now;
    HYGIE_CHECK(answering_ > 0, "an answer to a request that was not given out");
    --answering_;
    const auto stream = streams_.find(id);
    if (stream != streams_.end()) submit(id, stream->second, std::move(response));
}

void Http2Session::submit(std::int32_t id, Stream& stream, Response response) {
    const std::string status = std::to_string(response.status);
    const std::string length = std::to_string(response.body.size());
    const std::string date = http_date(date_());
    std::vector<nghttp2_nv> head{header(":status", status), header("date", date)};
    if (!is_bodiless(response.status)) {
        head.push_back(header("content-type", response.content_type));
        head.push_back(header("content-length", length));
    }
    for (auto& [name, value] : response.headers) {
        check_header_value(value);
        name = lowered(std::move(name));
        head.push_back(header(name, value));
    }
    const bool with_body = stream.head.method != "HEAD" && !is_bodiless(response.status);
    stream.is_leaving = true;
    stream.since = now_;
    stream.out = std::move(response.body);
    const nghttp2_data_provider body{.source = {}, .read_callback = Calls::read_body};
    nghttp2_submit_response(session_.get(), id, head.data(), head.size(),
                            with_body && !stream.out.empty() ? &body : nullptr);
}

void Http2Session::forget(std::int32_t id) {
    streams_.erase(id);
}

Bytes Http2Session::output(std::size_t bytes_max) {
    Bytes out;
    while (out.size() < bytes_max) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
        is_broken_ = is_broken_ || size < 0;
        if (size <= 0) break;
        out.insert(out.end(), bytes, bytes + size);
    }
    return out;
}

void Http2Session::say_goodbye() {
    if (std::exchange(said_goodbye_, true)) return;
    nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session_.get()), NGHTTP2_NO_ERROR,
                          nullptr, 0);
}

bool Http2Session::is_over() const {
    return is_broken_ || (nghttp2_session_want_read(session_.get()) == 0 &&
                          nghttp2_session_want_write(session_.get()) == 0);
}

}  // namespace hygie::serve
