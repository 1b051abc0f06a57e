#include "host/fetch.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <thread>

#include "host/unique_fd.h"

namespace hygie {
namespace {

/// A web server for one test: on the loopback, one connection at a time, one answer per connection.
class OneAnswerServer {
  public:
    /// `answer` turns the request's text into the bytes to send; empty means to hang until the
    /// client gives up.
    explicit OneAnswerServer(std::function<std::string(const std::string&)> answer)
        : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(listener_.get(), 4), 0);
        EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this, answer = std::move(answer)] { serve(answer); });
    }
    ~OneAnswerServer() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
    }

    std::string url(const std::string& path = "/") const {
        return fmt::format("http://127.0.0.1:{}{}", port_, path);
    }
    int connections() const { return connections_; }

  private:
    void serve(const std::function<std::string(const std::string&)>& answer) {
        for (;;) {
            const UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!peer) return;
            ++connections_;
            const std::string reply = answer(read_request(peer.get()));
            if (!reply.empty()) ::send(peer.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
            ::shutdown(peer.get(), SHUT_WR);
            if (reply.empty()) continue;
            drain(peer.get());
        }
    }

    static void drain(int fd) {
        std::array<char, 4096> chunk;
        while (::recv(fd, chunk.data(), chunk.size(), 0) > 0) {
        }
    }

    /// Headers and, where Content-Length says so, the body.
    static std::string read_request(int fd) {
        std::string request;
        std::array<char, 4096> chunk;
        for (;;) {
            const std::size_t head = request.find("\r\n\r\n");
            if (head != std::string::npos) {
                const std::size_t field = request.find("Content-Length: ");
                const std::size_t body =
                    field == std::string::npos ? 0 : std::stoul(request.substr(field + 16));
                if (request.size() >= head + 4 + body) return request;
            }
            const ssize_t got = ::recv(fd, chunk.data(), chunk.size(), 0);
            if (got <= 0) return request;
            request.append(chunk.data(), static_cast<std::size_t>(got));
        }
    }

    UniqueFd listener_;
    std::uint16_t port_ = 0;
    std::atomic<int> connections_ = 0;
    std::thread thread_;
};

std::string reply(const std::string& status, const std::string& body,
                  const std::string& more = "") {
    return fmt::format(
        "HTTP/1.1 {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n{}"
        "Connection: close\r\n\r\n{}",
        status, body.size(), more, body);
}

FetchRequest get(std::string url) {
    FetchRequest request;
    request.url = std::move(url);
    return request;
}

TEST(RealFetch, GivesStatusTypeAndBody) {
    const OneAnswerServer server([](const std::string& request) {
        return request.starts_with("GET /checkpoint HTTP/1.1\r\n")
                   ? reply("200 OK", "bonjour")
                   : reply("400 Bad Request", request);
    });
    const auto response = real_fetch().fetch(get(server.url("/checkpoint")));
    ASSERT_TRUE(response) << response.error().what.en;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->content_type, "text/plain");
    EXPECT_EQ(as_text(response->body), "bonjour");
}

TEST(RealFetch, TakesAnyStatusAsAnAnswerAndFollowsNoRedirect) {
    const OneAnswerServer server([](const std::string& request) {
        return request.starts_with("GET /absent ")
                   ? reply("404 Not Found", "no")
                   : reply("302 Found", "", "Location: /absent\r\n");
    });
    EXPECT_EQ(real_fetch().fetch(get(server.url("/absent")))->status, 404);
    EXPECT_EQ(real_fetch().fetch(get(server.url("/moved")))->status, 302);
    EXPECT_EQ(server.connections(), 2);
}

TEST(RealFetch, SendsABodyWithItsType) {
    const OneAnswerServer server(
        [](const std::string& request) { return reply("200 OK", request); });
    FetchRequest request = get(server.url("/add-checkpoint"));
    request.method = "POST";
    request.content_type = "text/x.test";
    request.body = to_bytes(as_bytes("line\n"));
    const auto response = real_fetch().fetch(request);
    ASSERT_TRUE(response) << response.error().what.en;
    const std::string seen(as_text(response->body));
    EXPECT_TRUE(seen.starts_with("POST /add-checkpoint HTTP/1.1\r\n")) << seen;
    EXPECT_NE(seen.find("\r\nContent-Type: text/x.test\r\n"), std::string::npos) << seen;
    EXPECT_TRUE(seen.ends_with("\r\n\r\nline\n")) << seen;
}

TEST(RealFetch, ForgetsTheBodyOfTheRequestBefore) {
    const OneAnswerServer server(
        [](const std::string& request) { return reply("200 OK", request); });
    FetchRequest post = get(server.url());
    post.method = "POST";
    post.body = to_bytes(as_bytes("secret"));
    ASSERT_TRUE(real_fetch().fetch(post));
    const auto response = real_fetch().fetch(get(server.url()));
    ASSERT_TRUE(response);
    EXPECT_EQ(as_text(response->body).find("secret"), std::string::npos);
    EXPECT_EQ(as_text(response->body).find("Content-Type"), std::string::npos);
}

TEST(RealFetch, GivesUpOnAPeerThatHangs) {
    // Never accepts: the kernel completes the connection, nobody ever answers.
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener.get(), 4), 0);
    ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    FetchRequest request = get(fmt::format("http://127.0.0.1:{}/", ntohs(address.sin_port)));
    request.timeout = std::chrono::milliseconds(100);
    const auto response = real_fetch().fetch(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::Unavailable);
    EXPECT_NE(response.error().what.fr.find("127.0.0.1"), std::string::npos);
}

TEST(RealFetch, SaysWhenThePeerHangsUpWithoutAnAnswer) {
    const OneAnswerServer server([](const std::string&) { return std::string(); });
    EXPECT_EQ(real_fetch().fetch(get(server.url())).error().code, Code::Unavailable);
}

TEST(RealFetch, RefusesAnAnswerThatIsTooLarge) {
    const OneAnswerServer announced([](const std::string&) { return reply("200 OK", "12345678"); });
    const OneAnswerServer endless([](const std::string&) {
        return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(100'000, 'x');
    });
    FetchRequest request = get(announced.url());
    request.response_bytes_max = 7;
    EXPECT_EQ(real_fetch().fetch(request).error().code, Code::Full);
    request.url = endless.url();
    EXPECT_EQ(real_fetch().fetch(request).error().code, Code::Full);
    request.url = announced.url();
    request.response_bytes_max = 8;
    EXPECT_TRUE(real_fetch().fetch(request));
}

/// "tile\n" as gzip(1) writes it.
constexpr char kTileInGzip[] = "1f8b08000000000002032bc9cc49e50200234dcc3505000000";

std::string compressed(std::string_view body) {
    return reply("200 OK", std::string(body), "Content-Encoding: gzip\r\n");
}

TEST(RealFetch, DecodesACompressedBody) {
    const Bytes body = *from_hex(kTileInGzip);
    const OneAnswerServer server([&](const std::string& request) {
        return request.contains("Accept-Encoding: gzip\r\n") ? compressed(as_text(body))
                                                             : reply("400 Bad Request", request);
    });
    const auto response = real_fetch().fetch(get(server.url()));
    ASSERT_TRUE(response) << response.error().what.en;
    EXPECT_EQ(as_text(response->body), "tile\n");
}

TEST(RealFetch, RefusesACompressedBodyThatIsDamaged) {
    Bytes body = *from_hex(kTileInGzip);
    body[12] ^= 1;
    const OneAnswerServer server([&](const std::string&) { return compressed(as_text(body)); });
    EXPECT_FALSE(real_fetch().fetch(get(server.url())));
}

/// Zeros, and very many of them: one, then runs of 258 in thirteen bits each (RFC 1951 §3.2.6).
std::string gzip_bomb(std::size_t runs) {
    std::string out("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    std::size_t at = 0;
    const auto put = [&](std::string_view bits) {
        for (const char bit : bits) {
            if (at % 8 == 0) out.push_back(0);
            if (bit == '1') out.back() = static_cast<char>(out.back() | 1 << at % 8);
            ++at;
        }
    };
    put("110");
    put("00110000");
    for (std::size_t run = 0; run < runs; ++run) put("1100010100000");
    return out;
}

TEST(RealFetch, LimitsWhatACompressedBodyBecomes) {
    constexpr std::size_t kRuns = 100'000;  // 26 MB
    const std::string bomb = gzip_bomb(kRuns);
    ASSERT_LT(bomb.size(), 200'000u);
    const OneAnswerServer server([&](const std::string&) { return compressed(bomb); });
    FetchRequest request = get(server.url());
    request.response_bytes_max = 1 << 20;
    const auto response = real_fetch().fetch(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::Full);
    EXPECT_NE(response.error().what.en.find("exceeds 1048576 bytes"), std::string::npos);
}

TEST(RealFetch, NamesTheHostThatRefusesTheConnection) {
    std::string url;
    {
        const OneAnswerServer gone([](const std::string&) { return std::string(); });
        url = gone.url("/path?token=secret");
    }
    const auto response = real_fetch().fetch(get(url));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::Unavailable);
    EXPECT_NE(response.error().what.en.find("127.0.0.1"), std::string::npos);
    EXPECT_NE(response.error().remedy.fr.find("127.0.0.1"), std::string::npos);
    EXPECT_EQ(response.error().what.en.find("secret"), std::string::npos);
}

TEST(RealFetch, SpeaksOnlyHttp) {
    EXPECT_EQ(real_fetch().fetch(get("file:///etc/hostname")).error().code, Code::BadInput);
    EXPECT_EQ(real_fetch().fetch(get("ftp://127.0.0.1/")).error().code, Code::BadInput);
    EXPECT_EQ(real_fetch().fetch(get("http://")).error().code, Code::BadInput);
    EXPECT_EQ(real_fetch().fetch(get("")).error().code, Code::BadInput);
}

TEST(RealFetch, IgnoresAProxyNamedInTheEnvironment) {
    const OneAnswerServer server([](const std::string&) { return reply("200 OK", "direct"); });
    ASSERT_EQ(::setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    const auto response = real_fetch().fetch(get(server.url()));
    ::unsetenv("http_proxy");
    ASSERT_TRUE(response) << response.error().what.en;
    EXPECT_EQ(as_text(response->body), "direct");
}

}  // namespace
}  // namespace hygie
