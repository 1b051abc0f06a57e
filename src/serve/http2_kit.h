#pragma once

#include <nghttp2/nghttp2.h>

#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/http.h"

/// A client of HTTP/2 for tests, by nghttp2: it says what the test wants and keeps what it is told.
namespace hygie::serve {

class Http2Client {
  public:
    struct Answer {
        int status = 0;
        http::Headers headers{};
        std::string body{};
        bool is_over = false;
        std::uint32_t error = 0;  ///< of RST_STREAM
        std::string header(const std::string& name) const {
            for (const auto& [key, value] : headers)
                if (key == name) return value;
            return {};
        }
    };

    Http2Client() {
        nghttp2_session_callbacks* calls = nullptr;
        nghttp2_session_callbacks_new(&calls);
        nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
        nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
        // What an honest client never sends is what tests are about.
        nghttp2_option* options = nullptr;
        nghttp2_option_new(&options);
        nghttp2_option_set_no_http_messaging(options, 1);
        nghttp2_session_client_new2(&session_, calls, this, options);
        nghttp2_option_del(options);
        nghttp2_session_callbacks_del(calls);
        nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
    }
    ~Http2Client() { nghttp2_session_del(session_); }
    Http2Client(const Http2Client&) = delete;
    Http2Client& operator=(const Http2Client&) = delete;

    /// Asks; with `ends` false the body goes on later, or never.
    std::int32_t ask(const std::string& method, const std::string& path, http::Headers more = {},
                     std::string body = {}, bool ends = true) {
        http::Headers all{{":method", method},
                          {":scheme", "https"},
                          {":authority", "hygie.test"},
                          {":path", path}};
        all.insert(all.end(), more.begin(), more.end());
        std::vector<nghttp2_nv> head;
        for (auto& [name, value] : all)
            head.push_back({reinterpret_cast<std::uint8_t*>(name.data()),
                            reinterpret_cast<std::uint8_t*>(value.data()), name.size(),
                            value.size(), NGHTTP2_NV_FLAG_NONE});
        const bool has_body = !body.empty() || !ends;
        const nghttp2_data_provider data{.source = {}, .read_callback = read_body};
        const std::int32_t id = nghttp2_submit_request(session_, nullptr, head.data(), head.size(),
                                                       has_body ? &data : nullptr, nullptr);
        bodies_[id] = {std::move(body), ends};
        return id;
    }
    void give_up(std::int32_t id) {
        nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    }

    std::string output() {
        std::string out;
        const std::uint8_t* bytes = nullptr;
        for (ssize_t size = 0; (size = nghttp2_session_mem_send(session_, &bytes)) > 0;)
            out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
        return out;
    }
    bool receive(ByteView bytes) {
        return nghttp2_session_mem_recv(session_, bytes.data(), bytes.size()) >= 0;
    }

    std::map<std::int32_t, Answer> answers;
    bool was_told_goodbye = false;

  private:
    struct Body {
        std::string bytes;
        bool ends = true;
    };
    static Http2Client& of(void* user) { return *static_cast<Http2Client*>(user); }

    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                         std::uint8_t, void* user) {
        Answer& answer = of(user).answers[frame->hd.stream_id];
        const std::string key(reinterpret_cast<const char*>(name), name_size);
        std::string text(reinterpret_cast<const char*>(value), value_size);
        if (key == ":status")
            answer.status = std::stoi(text);
        else
            answer.headers.emplace_back(key, std::move(text));
        return 0;
    }
    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                       std::size_t size, void* user) {
        of(user).answers[id].body.append(reinterpret_cast<const char*>(bytes), size);
        return 0;
    }
    static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
        of(user).answers[id].is_over = true;
        of(user).answers[id].error = error;
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->hd.type == NGHTTP2_GOAWAY) of(user).was_told_goodbye = true;
        return 0;
    }
    static ssize_t read_body(nghttp2_session*, std::int32_t id, std::uint8_t* into,
                             std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                             void* user) {
        Body& body = of(user).bodies_[id];
        if (body.bytes.empty() && !body.ends) return NGHTTP2_ERR_DEFERRED;
        const std::size_t count = std::min(size, body.bytes.size());
        body.bytes.copy(reinterpret_cast<char*>(into), count);
        body.bytes.erase(0, count);
        if (body.bytes.empty() && body.ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(count);
    }

    nghttp2_session* session_ = nullptr;
    std::map<std::int32_t, Body> bodies_;
};

}  // namespace hygie::serve
