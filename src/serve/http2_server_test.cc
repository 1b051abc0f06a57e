#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "host/clock.h"
#include "serve/http2_kit.h"
#include "serve/http_kit.h"

/// HTTP/2 over TLS with a server and its threads.
namespace hygie::serve {
namespace {

using namespace std::chrono_literals;

/// A client of the server; one thread.
class TlsClient : public Http2Client {
  public:
    TlsClient(const HttpServer& server, std::string_view protocols) : transport_(server) {
        context_ = SSL_CTX_new(TLS_client_method());
        tls_ = SSL_new(context_);
        SSL_set_alpn_protos(tls_, reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()));
        SSL_set_fd(tls_, transport_.socket());
        is_open = SSL_connect(tls_) == 1;
    }
    ~TlsClient() {
        SSL_free(tls_);
        SSL_CTX_free(context_);
    }
    std::string protocol() const {
        const unsigned char* name = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(tls_, &name, &size);
        return {reinterpret_cast<const char*>(name), size};
    }
    void send() {
        const std::string bytes = output();
        if (!bytes.empty()) SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()));
    }
    /// Sends and hears until `done`, or until the server closes.
    template <typename Done>
    void talk(Done done) {
        std::array<std::uint8_t, 16'384> bytes;
        while (is_open && !done()) {
            send();
            if (done()) return;
            const int size = SSL_read(tls_, bytes.data(), static_cast<int>(bytes.size()));
            is_open = size > 0 && receive({bytes.data(), static_cast<std::size_t>(size)});
        }
    }
    void talk_until_over(std::int32_t stream) {
        talk([&] { return answers[stream].is_over; });
    }
    void talk_until_closed() {
        talk([] { return false; });
    }

    bool is_open = false;

  private:
    Raw transport_;
    SSL_CTX* context_ = nullptr;
    SSL* tls_ = nullptr;
};

/// A server whose answers wait until the test gives them: to "/now" it answers at once.
class Http2Server : public testing::Test {
  protected:
    void start(HttpLimits limits = {}) {
        auto started = HttpServer::start(
            {.cert = certificate.cert(), .key = certificate.key(), .limits = limits}, real_clock(),
            AsyncHandler([this](Request request, Reply reply) {
                if (request.path == "/now") return reply(text_response(200, request.path));
                if (request.path == "/large")
                    return reply(text_response(200, std::string(32 << 20, 'x')));
                const std::scoped_lock lock(mutex);
                waiting.emplace_back(request.path, std::move(reply));
                ++waits;
            }));
        ASSERT_TRUE(started);
        server = std::move(*started);
    }
    void TearDown() override { server.reset(); }
    void await(std::size_t count) {
        while (waits < count) std::this_thread::yield();
    }
    void give(std::size_t number, std::string_view text) {
        Reply reply;
        {
            const std::scoped_lock lock(mutex);
            reply = std::move(waiting[number].second);
        }
        reply(text_response(200, text));
    }
    TlsClient client() { return TlsClient(*server, "\x02h2\x08http/1.1"); }

    Certificate certificate;
    std::mutex mutex;
    std::vector<std::pair<std::string, Reply>> waiting;
    std::atomic<std::size_t> waits = 0;
    std::unique_ptr<HttpServer> server;
};

TEST_F(Http2Server, IsSpokenWithWhoSpeaksItAndAnswersInAnyOrder) {
    start();
    TlsClient two = client();
    ASSERT_EQ(two.protocol(), "h2");
    const auto slow = two.ask("GET", "/slow");
    const auto quick = two.ask("GET", "/now");
    two.talk_until_over(quick);
    EXPECT_EQ(two.answers[quick].body, "/now");
    await(1);
    give(0, "at last");
    two.talk_until_over(slow);
    EXPECT_EQ(two.answers[slow].body, "at last");
    EXPECT_EQ(TlsClient(*server, "\x08http/1.1").protocol(), "http/1.1");
    EXPECT_FALSE(TlsClient(*server,
                           "\x03"
                           "ftp")
                     .is_open)
        << "a client of something else";
}

TEST_F(Http2Server, StoppingAnswersWhatArrivedAndSaysGoodbye) {
    start();
    TlsClient two = client();
    const auto asked = two.ask("GET", "/slow");
    two.send();
    await(1);
    std::thread stopping([&] { server->stop(); });
    give(0, "still");
    two.talk_until_closed();
    stopping.join();
    EXPECT_EQ(two.answers[asked].body, "still");
    EXPECT_TRUE(two.was_told_goodbye);
}

TEST_F(Http2Server, WhoDripsOrAsksNothingIsCut) {
    start({.idle_timeout = 50ms, .request_timeout = 50ms});
    TlsClient drips = client();
    drips.ask("POST", "/now", {}, "some", false);
    drips.talk_until_closed();
    TlsClient idle = client();
    idle.talk_until_closed();
    EXPECT_FALSE(drips.is_open || idle.is_open);
    EXPECT_EQ(waits, 0U);
}

TEST_F(Http2Server, BodiesHaveTheirLimitsAloneAndTogether) {
    start({.body_bytes_max = 1000, .bodies_bytes_max = 1500});
    TlsClient two = client();
    const auto announced = two.ask("POST", "/now", {{"content-length", "1001"}}, "x", false);
    two.talk_until_over(announced);
    EXPECT_EQ(two.answers[announced].status, 413) << "before it came";
    const auto long_one = two.ask("POST", "/now", {}, std::string(1001, 'x'));
    two.talk_until_over(long_one);
    EXPECT_EQ(two.answers[long_one].status, 413);
    const auto drips = two.ask("POST", "/now", {}, "x", false);
    const auto beside = two.ask("POST", "/now", {}, "x");
    two.talk_until_over(beside);
    EXPECT_EQ(two.answers[beside].status, 503) << "either may still become long";
    two.give_up(drips);
    two.talk_until_over(two.ask("GET", "/now"));
    const auto after = two.ask("POST", "/now", {}, "x");
    two.talk_until_over(after);
    EXPECT_EQ(two.answers[after].status, 200) << "what was given up holds nothing";
}

TEST_F(Http2Server, AHandlerThatNeverAnswersHoldsNobodyForever) {
    start({.answer_timeout = 50ms});
    TlsClient two = client();
    two.ask("GET", "/slow");
    two.talk_until_closed();
    give(0, "too late");
    EXPECT_FALSE(two.is_open);
}

TEST_F(Http2Server, WhoDoesNotReadItsAnswerIsCut) {
    start({.write_timeout = 50ms});
    TlsClient two = client();
    two.ask("GET", "/large");
    two.send();
    while (server->connections() > 0) std::this_thread::yield();
}

TEST_F(Http2Server, AReplyThatDiesBecomesAFailureWithoutDetails) {
    start();
    TlsClient two = client();
    const auto asked = two.ask("GET", "/slow");
    two.send();
    await(1);
    {
        const std::scoped_lock lock(mutex);
        waiting.clear();
    }
    two.talk_until_over(asked);
    EXPECT_EQ(two.answers[asked].status, 500);
}

}  // namespace
}  // namespace hygie::serve
