#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "serve/http_kit.h"
#include "serve/http_server.h"
#include "serve/workers.h"

namespace hygie::serve {
namespace {

constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kLastGet = "GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

std::unique_ptr<HttpServer> start(const HttpOptions& options, AsyncHandler handler) {
    auto server = HttpServer::start(options, real_clock(), std::move(handler));
    EXPECT_TRUE(server) << server.error().what.en;
    return std::move(*server);
}

TEST(HttpAsync, AnswersAtOnceAndLaterFromAnyThread) {
    std::vector<std::jthread> threads;
    HttpOptions options;
    options.limits.io_threads = 3;
    std::mutex mutex;
    const auto server = start(options, [&](Request request, Reply reply) {
        if (request.path == "/now") return reply(text_response(200, "now\n"));
        const std::scoped_lock lock(mutex);
        threads.emplace_back(
            [reply = std::move(reply)]() mutable { reply(text_response(200, "later\n")); });
    });
    for (int i = 0; i < 20; ++i) {
        Raw client(*server);
        client.send("GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_TRUE(client.read_until("now\n").ends_with("\r\n\r\nnow\n"));
        client.send(kLastGet);
        EXPECT_TRUE(client.read_all().ends_with("\r\n\r\nlater\n"));
    }
}

TEST(HttpAsync, MakesA500OfAReplyThatIsDroppedOrOfAnException) {
    const auto server = start({}, [](const Request& request, const Reply&) {
        if (request.path == "/throw") throw std::runtime_error("Marie Curie");
    });
    for (const char* path : {"/drop", "/throw"}) {
        Raw client(*server);
        client.send("GET " + std::string(path) + " HTTP/1.0\r\n\r\n");
        const std::string answer = client.read_all();
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << answer;
        EXPECT_EQ(answer.find("Curie"), std::string::npos);
    }
}

TEST(HttpAsync, CutsTheClientOfAnAnswerThatNeverComesAndForgetsTheLateOne) {
    HttpOptions options;
    options.limits.answer_timeout = std::chrono::milliseconds(30);
    std::vector<Reply> kept;
    auto server =
        start(options, [&](const Request&, Reply reply) { kept.push_back(std::move(reply)); });
    Raw client(*server);
    client.send(kGet);
    EXPECT_EQ(client.read_all(), "");
    server.reset();
    kept.front()(text_response(200, "too late\n"));  // nothing waits for it, nothing breaks
}

TEST(HttpAsync, AsksForTheBodyLimitOfEachRequest) {
    HttpOptions options;
    options.body_limit = [](const Request& head) -> std::uint64_t {
        return head.header("authorization").empty() ? 4 : 1000;
    };
    const auto server = start(options, [](const Request& request, Reply reply) {
        reply(text_response(200, std::to_string(request.body.size()) + " bytes\n"));
    });
    const auto post = [&](const std::string& headers, std::size_t size) {
        Raw client(*server);
        client.send("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers +
                    "Content-Length: " + std::to_string(size) + "\r\n\r\n" +
                    std::string(size, 'x'));
        return client.read_all();
    };
    EXPECT_TRUE(post("", 4).ends_with("4 bytes\n"));
    EXPECT_TRUE(post("", 5).starts_with("HTTP/1.1 413 "));
    EXPECT_TRUE(post("Authorization: Bearer x\r\n", 1000).ends_with("1000 bytes\n"));
    EXPECT_TRUE(post("Authorization: Bearer x\r\n", 1001).starts_with("HTTP/1.1 413 "));
}

TEST(HttpAsync, HoldsNoMoreBodiesThanTheBudgetAllows) {
    HttpOptions options;
    options.limits.bodies_bytes_max = 150;
    const auto server = start(options, [](const Request& request, Reply reply) {
        reply(text_response(200, std::to_string(request.body.size()) + " bytes\n"));
    });
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n";
    Raw first(*server), second(*server);
    first.send(head + "x");  // the rest is awaited: its 100 bytes are promised
    // The server reads both connections in the order of their bytes on its one thread.
    std::string refused;
    while (!refused.starts_with("HTTP/1.1 503 ")) {
        Raw probe(*server);
        probe.send(head + std::string(100, 'x'));
        refused = probe.read_until("\r\n\r\n");
        ASSERT_FALSE(refused.empty());
    }
    EXPECT_NE(refused.find("Retry-After: 1\r\n"), std::string::npos);
    first.send(std::string(99, 'x'));
    EXPECT_TRUE(first.read_until("bytes\n").ends_with("100 bytes\n"));
    second.send(head + std::string(100, 'x'));
    EXPECT_TRUE(second.read_until("bytes\n").ends_with("100 bytes\n")) << "room again";
}

TEST(HttpAsync, SendsNoBodyWhereHttpForbidsOne) {
    const auto server = start({}, [](const Request& request, Reply reply) {
        Response response = text_response(request.path == "/204" ? 204 : 304, "");
        reply(std::move(response));
    });
    for (const char* path : {"/204", "/304"}) {
        Raw client(*server);
        client.send("GET " + std::string(path) + " HTTP/1.0\r\n\r\n");
        EXPECT_EQ(client.read_all().find("Content-Length"), std::string::npos) << path;
    }
}

TEST(HttpAsync, AnswersDuringTheGraceOfAStopAndSaysGoodbye) {
    HttpOptions options;
    options.limits.idle_timeout = std::chrono::hours(24);
    options.limits.io_threads = 2;
    const auto server =
        start(options, [](const Request&, Reply reply) { reply(text_response(200, "hello\n")); });
    Raw open(*server), idle(*server);
    for (Raw* client : {&open, &idle}) {
        client->send(kGet);
        EXPECT_NE(client->read_until("hello\n").find("keep-alive"), std::string::npos);
    }
    std::thread stop([&] { server->stop(std::chrono::milliseconds(300)); });
    open.send(kGet);
    const std::string goodbye = open.read_all();
    EXPECT_TRUE(goodbye.ends_with("hello\n"));
    EXPECT_EQ(idle.read_all(), "") << "cut when the grace is over";
    stop.join();
    EXPECT_EQ(server->connections(), 0U);
}

TEST(HttpAsync, GivesNewConnectionsTheNewCertificate) {
    const Certificate before, after;
    HttpOptions options;
    options.cert = before.cert();
    options.key = before.key();
    const auto server =
        start(options, [](const Request&, Reply reply) { reply(text_response(200, "hello\n")); });
    EXPECT_NE(get_over_tls(*server, before, TLS1_3_VERSION), "");
    EXPECT_FALSE(server->use_certificate(after.cert(), before.key()));
    EXPECT_NE(get_over_tls(*server, before, TLS1_3_VERSION), "") << "a wrong pair changes nothing";
    ASSERT_TRUE(server->use_certificate(after.cert(), after.key()));
    EXPECT_EQ(get_over_tls(*server, before, TLS1_3_VERSION), "");
    EXPECT_NE(get_over_tls(*server, after, TLS1_3_VERSION), "");
}

TEST(HttpAsync, TakesOverASocketThatListensAlready) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(socket, 8), 0);
    HttpOptions options;
    options.socket = socket;
    const auto server =
        start(options, [](const Request&, Reply reply) { reply(text_response(200, "hello\n")); });
    Raw client(*server);
    client.send(kLastGet);
    EXPECT_TRUE(client.read_all().ends_with("hello\n"));
}

class Environment : public Process {
  public:
    std::map<std::string, std::string> values;
    Result<RunOutcome> run(const std::vector<std::string>&, ByteView, RunLimits) override {
        return fail(Code::NotFound, {"aucun", "none"});
    }
    std::string host_name() override { return "test"; }
    std::string user_name() override { return "test"; }
    std::string environment(const std::string& name) override { return values[name]; }
};

TEST(HttpAsync, InheritsNoSocketThatIsNotMeantForIt) {
    Environment environment;
    EXPECT_EQ(inherited_socket(environment), -1);
    environment.values = {{"LISTEN_FDS", "1"}, {"LISTEN_PID", "1"}};
    EXPECT_EQ(inherited_socket(environment), -1) << "of another process";
    environment.values = {{"LISTEN_FDS", "0"}, {"LISTEN_PID", std::to_string(::getpid())}};
    EXPECT_EQ(inherited_socket(environment), -1);
}

TEST(Workers, RunsHandlersThatWaitAndRefusesWhenTooMuchDoes) {
    std::latch first(1), go(1);  // of the handler
    std::atomic<int> answered{0}, busy{0};
    {
        Workers workers(1);
        const AsyncHandler handler = workers.wrap([&](const Request&) {
            first.count_down();
            go.wait();
            return text_response(200, "done\n");
        });
        const auto count = [&](const Response& response) {
            ++(response.status == 200 ? answered : busy);
        };
        handler({}, count);
        first.wait();  // the thread is taken, the queue empty
        for (std::size_t i = 0; i < Workers::kQueueMax + 7; ++i) handler({}, count);
        EXPECT_EQ(busy, 7);
        EXPECT_EQ(answered, 0);
        go.count_down();
    }
    EXPECT_EQ(answered, static_cast<int>(Workers::kQueueMax) + 1) << "what was taken is finished";
}

}  // namespace
}  // namespace hygie::serve
