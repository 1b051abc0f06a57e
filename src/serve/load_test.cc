#include "serve/load.h"

#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "serve/certificate.h"
#include "serve/http_server.h"
#include "sim/temp_dir.h"

namespace hygie::serve {
namespace {

class LoadTest : public testing::Test {
  protected:
    void start(bool tls) {
        HttpOptions options;
        options.limits.io_threads = 2;
        if (tls) {
            files_ =
                *ensure_certificate(real_disk(), real_clock(), real_random(), dir_ / "tls", {});
            options.cert = files_.cert;
            options.key = files_.key;
        }
        auto server = HttpServer::start(
            options, real_clock(), AsyncHandler([](const Request& request, Reply reply) {
                const bool odd = request.query.ends_with('1');
                reply(text_response(odd ? 404 : 200, request.query + std::string(3000, '.')));
            }));
        ASSERT_TRUE(server) << server.error().what.en;
        server_ = std::move(*server);
    }
    LoadPlan plan() {
        LoadPlan plan;
        plan.url = server_->url();
        plan.authority = files_.authority;
        plan.connections = 7;
        plan.duration = std::chrono::minutes(1);
        plan.requests_max = 500;
        plan.next = [](std::uint64_t number, std::string& out) {
            out += "GET /x?" + std::to_string(number) + " HTTP/1.1\r\nHost: x\r\n\r\n";
        };
        return plan;
    }
    /// Every request is answered once, with its own answer.
    void check(LoadPlan plan) {
        std::set<std::uint64_t> seen;
        plan.seen = [&](std::uint64_t number, int status, ByteView body) {
            EXPECT_TRUE(seen.insert(number).second);
            EXPECT_EQ(status, number % 10 == 1 ? 404 : 200);
            EXPECT_TRUE(as_text(body).starts_with(std::to_string(number) + "."));
            EXPECT_EQ(body.size(), std::to_string(number).size() + 3000);
        };
        const auto figures = run_load(plan, real_clock());
        ASSERT_TRUE(figures) << figures.error().what.en;
        EXPECT_EQ(figures->answers, 500U);
        EXPECT_EQ(figures->refusals, 50U);
        EXPECT_EQ(figures->failures, 0U);
        EXPECT_EQ(seen.size(), 500U);
        EXPECT_LE(figures->p50, figures->p99);
        EXPECT_LE(figures->p99, figures->p999);
        EXPECT_LE(figures->p999, figures->worst);
        EXPECT_GT(figures->per_second(), 0);
    }

    sim::TempDir dir_;
    CertificateFiles files_;
    std::unique_ptr<HttpServer> server_;
};

TEST_F(LoadTest, AsksOverTlsAndHearsEveryAnswer) {
    start(true);
    check(plan());
}

TEST_F(LoadTest, AsksInPlainAndHearsEveryAnswer) {
    start(false);
    check(plan());
}

TEST_F(LoadTest, RefusesAServerThatTheAuthorityDoesNotVouchFor) {
    start(true);
    LoadPlan wrong = plan();
    const CertificateFiles other =
        *ensure_certificate(real_disk(), real_clock(), real_random(), dir_ / "other", {});
    wrong.authority = other.authority;
    wrong.duration = std::chrono::milliseconds(100);
    const auto figures = run_load(wrong, real_clock());
    ASSERT_FALSE(figures);
    EXPECT_EQ(figures.error().code, Code::Unavailable);
}

TEST_F(LoadTest, SaysWhenThePlanIsBad) {
    start(false);
    for (const char* url :
         {"", "ftp://127.0.0.1:1", "http://localhost:80", "http://127.0.0.1", "http://127.0.0.1:0",
          "http://127.0.0.1:x", "https://127.0.0.1:65536"}) {
        LoadPlan bad = plan();
        bad.url = url;
        const auto figures = run_load(bad, real_clock());
        ASSERT_FALSE(figures) << url;
        EXPECT_EQ(figures.error().code, Code::BadInput) << url;
    }
    LoadPlan none = plan();
    none.connections = 0;
    EXPECT_FALSE(run_load(none, real_clock()));
}

TEST_F(LoadTest, SaysWhenNobodyAnswers) {
    start(false);
    LoadPlan late = plan();
    server_->stop();
    late.duration = std::chrono::milliseconds(100);
    EXPECT_FALSE(run_load(late, real_clock()));
}

/// As a write through OpenSSL is told of a connection that the server has closed.
TEST_F(LoadTest, ASignalOfAClosedConnectionEndsNothing) {
    start(true);
    LoadPlan once = plan();
    once.requests_max = 5;
    once.seen = [](std::uint64_t, int, ByteView) { ::raise(SIGPIPE); };
    const auto figures = run_load(once, real_clock());
    ASSERT_TRUE(figures) << figures.error().what.en;
    EXPECT_EQ(figures->answers, 5U);
}

}  // namespace
}  // namespace hygie::serve
