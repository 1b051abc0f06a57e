#include "serve/http_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <future>
#include <latch>
#include <thread>

#include "host/fetch.h"
#include "serve/http_kit.h"

namespace hygie::serve {
namespace {

Response echo(const Request& request) {
    if (request.path == "/throw") throw std::runtime_error("Marie Curie");
    std::string text = request.method + " " + request.path + "?" + request.query + " " +
                       std::string(request.header("content-type")) + " " + request.peer + "\n";
    Response response = text_response(request.path == "/teapot" ? 418 : 200, text);
    append(response.body, request.body);
    return response;
}

std::unique_ptr<HttpServer> start(HttpOptions options = {}, HttpServer::Handler handler = echo) {
    Result<std::unique_ptr<HttpServer>> server =
        HttpServer::start(options, real_clock(), std::move(handler));
    EXPECT_TRUE(server) << server.error().what.en;
    return std::move(*server);
}

Result<FetchResponse> fetch(const std::string& url) {
    FetchRequest request;
    request.url = url;
    return real_fetch().fetch(request);
}

FetchResponse get(const std::string& url) {
    const Result<FetchResponse> response = fetch(url);
    EXPECT_TRUE(response) << response.error().what.en;
    return response.value_or(FetchResponse{});
}

TEST(HttpServer, AnswersAnIndependentClient) {
    const auto server = start();
    const FetchResponse answer = get(server->url() + "/a/b?c=d&e");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(as_text(answer.body), "GET /a/b?c=d&e  127.0.0.1\n");
    EXPECT_EQ(get(server->url() + "/teapot").status, 418);
}

/// What follows the front of a long answer lies elsewhere, and is sent by other calls.
TEST(HttpServer, AnswersOfAnySizeComeWhole) {
    std::string text;
    const auto handler = [&](const Request&) { return text_response(200, text); };
    const Certificate certificate;
    const auto open = start({}, handler);
    const auto sealed = start({.cert = certificate.cert(), .key = certificate.key()}, handler);
    for (const std::size_t kib : {0U, 14U, 15U, 16U, 31U, 48U, 1500U})
        for (const std::size_t beyond : {0U, 1U, 1023U}) {
            text.resize(kib * 1024 + beyond);
            for (std::size_t i = 0; i < text.size(); ++i)
                text[i] = static_cast<char>('a' + i * 7 / 3 % 26);
            EXPECT_TRUE(as_text(get(open->url()).body) == text) << kib << " KiB + " << beyond;
            EXPECT_TRUE(
                get_over_tls(*sealed, certificate, TLS1_3_VERSION).ends_with("\r\n\r\n" + text))
                << kib << " KiB + " << beyond << ", sealed";
        }
}

TEST(HttpServer, ReceivesABodyUpToTheLimitAndRefusesOneByteMore) {
    HttpOptions options;
    options.limits.body_bytes_max =
        3'000'000;  // large enough for libcurl to ask "100-continue" first
    const auto server = start(options);
    FetchRequest request;
    request.method = "POST";
    request.url = server->url() + "/";
    request.content_type = "text/x";
    request.body = Bytes(3'000'000, 'x');
    const Result<FetchResponse> taken = real_fetch().fetch(request);
    ASSERT_TRUE(taken) << taken.error().what.en;
    EXPECT_EQ(taken->status, 200);
    EXPECT_EQ(taken->body.size(),
              std::string_view("POST /? text/x 127.0.0.1\n").size() + request.body.size());
    request.body.push_back('x');
    const Result<FetchResponse> refused = real_fetch().fetch(request);
    ASSERT_TRUE(refused) << refused.error().what.en;
    EXPECT_EQ(refused->status, 413);
}

TEST(HttpServer, RefusesAChunkedBodyThatGrowsBeyondTheLimit) {
    HttpOptions options;
    options.limits.body_bytes_max = 100;
    const auto server = start(options);
    Raw client(*server);
    client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("50\r\n" + std::string(0x50, 'a') + "\r\n50\r\n" + std::string(0x50, 'a') +
                "\r\n0\r\n\r\n");
    EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 413 "));
}

TEST(HttpServer, RefusesWhatIsNotHttp) {
    const auto server = start();
    for (const char* bytes :
         {"\x16\x03\x01\x02junk\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
          "GET / HTTP/9.9\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
          "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
          "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
        Raw client(*server);
        client.send(bytes);
        EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 400 ")) << bytes;
    }
    Raw client(*server);
    client.send("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
    EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 431 "));
    EXPECT_EQ(get(server->url()).status, 200) << "the server goes on";
}

TEST(HttpServer, KeepsAConnectionAndAnswersPipelinedRequestsInOrder) {
    const auto server = start();
    Raw client(*server);
    client.send(
        "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: "
        "close\r\n\r\n");
    const std::string both = client.read_all();
    EXPECT_LT(both.find("GET /1?"), both.find("GET /2?"));
    EXPECT_NE(both.find("Connection: keep-alive"), std::string::npos);
    EXPECT_NE(both.find("Connection: close"), std::string::npos);
}

TEST(HttpServer, PassesOverEmptyLinesBeforeARequest) {
    const auto server = start();
    const std::string get = "GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for (const char* before :
         {"\r\n", "\r\n\r\n", "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na\r\n"}) {
        Raw client(*server);
        client.send(before + get);
        EXPECT_NE(client.read_all().find("GET /2?"), std::string::npos) << before;
        Raw slow(*server);
        for (const char c : before + get) slow.send(std::string(1, c));
        EXPECT_NE(slow.read_all().find("GET /2?"), std::string::npos) << before;
    }
    for (const char* before : {"\n", "\r", "\r\r\n", " \r\n"}) {
        Raw client(*server);
        client.send(before + get);
        EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 400 ")) << before;
    }
    Raw silent(*server);
    silent.send("\r\n");
    ::shutdown(silent.socket(), SHUT_WR);
    EXPECT_EQ(silent.read_all(), "") << "nothing was asked";
}

TEST(HttpServer, SendsNoBodyToHead) {
    const auto server = start();
    Raw client(*server);
    client.send("HEAD /x HTTP/1.0\r\n\r\n");
    const std::string answer = client.read_all();
    EXPECT_NE(answer.find("Content-Length: 20\r\n"), std::string::npos) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST(HttpServer, TellsNothingOfAnExceptionAndGoesOn) {
    const auto server = start();
    const FetchResponse answer = get(server->url() + "/throw");
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(as_text(answer.body).find("Curie"), std::string::npos);
    EXPECT_EQ(get(server->url()).status, 200);
}

TEST(HttpServer, CutsAClientThatSleeps) {
    HttpOptions options;
    options.limits.idle_timeout = std::chrono::milliseconds(50);
    const auto server = start(options);
    Raw silent(*server);
    EXPECT_EQ(silent.read_all(), "");
}

TEST(HttpServer, CutsAClientThatDripsHoweverRegularly) {
    HttpOptions options;
    options.limits.request_timeout = std::chrono::milliseconds(50);
    const auto server = start(options);
    Raw half(*server);
    half.send("GET / HTTP/1.1\r\nHost:");
    EXPECT_EQ(half.read_all(), "");
    Raw drip(*server);
    drip.send("GET / HTTP/1.1\r\n");
    while (drip.send("X: y\r\n")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

TEST(HttpServer, ServesManyConnectionsAtOnce) {
    const auto server = start();
    std::vector<std::unique_ptr<Raw>> clients;
    for (int i = 0; i < 300; ++i) clients.push_back(std::make_unique<Raw>(*server));
    for (auto& client : clients)
        client->send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    for (auto& client : clients) EXPECT_TRUE(client->read_all().starts_with("HTTP/1.1 200 OK\r\n"));
}

/// Or whoever opens as many and says nothing would keep everybody out.
TEST(HttpServer, BeyondTheLimitWhoWasAnsweredLongestAgoGivesWay) {
    HttpOptions options;
    options.limits.connections_max = 2;
    const auto server = start(options);
    const auto answers = [](Raw& client) {
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        return client.read_until("127.0.0.1\n") != "";
    };
    Raw mute(*server), first(*server);
    EXPECT_TRUE(answers(first));
    Raw second(*server);
    EXPECT_TRUE(answers(second));
    EXPECT_EQ(mute.read_all(), "") << "it never said anything";
    Raw third(*server);
    EXPECT_TRUE(answers(third));
    EXPECT_EQ(first.read_all(), "") << "it was answered before the second";
    EXPECT_TRUE(answers(second));
    EXPECT_TRUE(answers(third));
    while (server->connections() > 2) std::this_thread::yield();
}

TEST(HttpServer, NobodyGivesWayWhileBeingAnswered) {
    std::latch all(2), done(1);
    HttpOptions options;
    options.limits.connections_max = 2;
    const auto server = start(options, [&](const Request&) {
        all.count_down();
        done.wait();
        return text_response(200, "kept\n");
    });
    Raw first(*server), second(*server);
    first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    second.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    all.wait();
    Raw third(*server);
    EXPECT_EQ(third.read_all(), "");
    done.count_down();
    EXPECT_NE(first.read_until("kept\n"), "");
    EXPECT_NE(second.read_until("kept\n"), "");
}

TEST(HttpServer, RunsHandlersSideBySide) {
    std::barrier both(2);
    const auto server = start({}, [&](const Request&) {
        both.arrive_and_wait();  // never returns if handlers ran one after the other
        return text_response(200, "met\n");
    });
    auto other = std::async(std::launch::async, [&] { return get(server->url()).status; });
    EXPECT_EQ(get(server->url()).status, 200);
    EXPECT_EQ(other.get(), 200);
}

TEST(HttpServer, StopsWhileBusyAndStillAnswersWhatHadArrived) {
    HttpOptions options;
    options.limits.idle_timeout = options.limits.request_timeout = std::chrono::hours(24);
    std::latch inside(1), stopping(1);
    auto server = start(options, [&](const Request&) {
        inside.count_down();
        stopping.wait();
        return text_response(200, "last words\n");
    });
    Raw idle(*server), half(*server), busy(*server);
    half.send("GET / HT");
    busy.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    inside.wait();
    std::thread stop([&] { server->stop(); });
    // These two end only because stop() cuts them: their own deadlines are far away.
    EXPECT_EQ(idle.read_all(), "");
    EXPECT_EQ(half.read_all(), "");
    stopping.count_down();
    EXPECT_TRUE(busy.read_all().ends_with("last words\n"));
    stop.join();
    server->stop();
    EXPECT_EQ(server->connections(), 0u);
    EXPECT_FALSE(fetch(server->url()));
}

TEST(HttpServer, SaysWhyItCannotListen) {
    const auto listen = [](const std::string& address) {
        HttpOptions options;
        options.listen = address;
        return HttpServer::start(options, real_clock(), echo);
    };
    for (const char* bad :
         {"", "8480", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
          "127.0.0.1:123456789012", "::1:80", "[127.0.0.1]:80", "[::1"}) {
        const auto server = listen(bad);
        ASSERT_FALSE(server) << bad;
        EXPECT_EQ(server.error().code, Code::BadInput) << bad;
    }
    const auto server = start();
    const auto taken = listen(server->url().substr(7));
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, Code::Busy);
}

TEST(HttpServer, SpeaksTls13AndNothingOlder) {
    const Certificate certificate;
    HttpOptions options;
    options.cert = certificate.cert();
    options.key = certificate.key();
    const auto server = start(options);
    EXPECT_TRUE(server->url().starts_with("https://"));
    EXPECT_NE(get_over_tls(*server, certificate, TLS1_3_VERSION).find("GET /tls?"),
              std::string::npos);
    EXPECT_EQ(get_over_tls(*server, certificate, TLS1_2_VERSION), "");
    Raw plain(*server);
    plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(plain.read_all().find("HTTP/1.1 200"), std::string::npos);
    const Result<FetchResponse> untrusted = fetch(server->url());
    EXPECT_FALSE(untrusted) << "a client that does not know the certificate refuses it";
}

TEST(HttpServer, SpeaksTls12WhereItIsAskedTo) {
    const Certificate certificate;
    HttpOptions options;
    options.cert = certificate.cert();
    options.key = certificate.key();
    options.oldest_tls = OldestTls::V1_2;
    const auto server = start(options);
    for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION})
        EXPECT_NE(get_over_tls(*server, certificate, version).find("GET /tls?"), std::string::npos);
    EXPECT_EQ(get_over_tls(*server, certificate, TLS1_1_VERSION), "");
    EXPECT_EQ(get_over_tls(*server, certificate, TLS1_2_VERSION, "AES256-SHA:AES128-GCM-SHA256"),
              "")
        << "neither forward secrecy nor authentication";
}

TEST(HttpServer, TakesOneHostAndOneProofOfWhoAsks) {
    const auto server = start();
    const auto answer = [&](const std::string& head) {
        Raw client(*server);
        client.send("GET /x HTTP/1.1\r\n" + head + "Connection: close\r\n\r\n");
        return client.read_all().substr(0, 12);
    };
    EXPECT_EQ(answer("Host: x\r\n"), "HTTP/1.1 200");
    EXPECT_EQ(answer(""), "HTTP/1.1 400");
    EXPECT_EQ(answer("Host: x\r\nHost: y\r\n"), "HTTP/1.1 400");
    EXPECT_EQ(answer("Host: x\r\nAuthorization: Bearer a\r\n"), "HTTP/1.1 200");
    EXPECT_EQ(answer("Host: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n"),
              "HTTP/1.1 400");
}

/// Where a body ends that is coded so is anybody's guess: what follows would be taken for another
/// request (RFC 9112 §6.3).
TEST(HttpServer, TakesNoBodyWhoseEndIsAGuess) {
    const auto server = start();
    const auto answers = [&](const std::string& headers) {
        Raw client(*server);
        client.send("POST /a HTTP/1.1\r\nHost: x\r\n" + headers +
                    "\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        return client.read_all();
    };
    for (const char* coding : {"identity", "xchunked", "chunked, identity", "chunked, chunked"}) {
        const std::string told = answers("Transfer-Encoding: " + std::string(coding) + "\r\n");
        EXPECT_TRUE(told.starts_with("HTTP/1.1 400 ")) << coding << "\n" << told;
        EXPECT_EQ(told.find("HTTP/1.1", 1), std::string::npos) << coding << "\n" << told;
    }
    EXPECT_TRUE(answers("Transfer-Encoding: gzip, chunked\r\n").starts_with("HTTP/1.1 501 "));
    const std::string plain = answers("Transfer-Encoding: Chunked\r\n");
    EXPECT_NE(plain.find("POST /a?"), std::string::npos) << plain;
    EXPECT_NE(plain.find("GET /b?"), std::string::npos) << plain;
}

TEST(HttpServer, TakesATargetThatNamesTheServer) {
    const auto server = start();
    for (const auto& [target, seen] :
         std::map<std::string, std::string>{{"http://x/a/b?c=d", "GET /a/b?c=d "},
                                            {"HTTPS://x:8443/a", "GET /a? "},
                                            {"http://x", "GET /? "},
                                            {"http://x?c", "GET /?c "},
                                            {"ftp://x/a", "GET ftp://x/a? "}}) {
        Raw client(*server);
        client.send("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        const std::string told = client.read_all();
        EXPECT_NE(told.find("\r\n\r\n" + seen), std::string::npos) << target << "\n" << told;
    }
}

TEST(HttpServer, SaysWhenItsCertificateIsUnreadable) {
    const Certificate certificate;
    HttpOptions options;
    options.cert = certificate.cert();
    EXPECT_FALSE(HttpServer::start(options, real_clock(), echo)) << "a key is missing";
    options.key = certificate.cert();
    const auto server = HttpServer::start(options, real_clock(), echo);
    ASSERT_FALSE(server);
    EXPECT_NE(server.error().what.en.find(certificate.cert()), std::string::npos);
}

}  // namespace
}  // namespace hygie::serve
