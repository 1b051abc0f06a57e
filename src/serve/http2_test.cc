#include <gtest/gtest.h>

#include "serve/http2_kit.h"
#include "serve/http2_session.h"

/// HTTP/2 without sockets: a client and the server's side of it, face to face.
namespace hygie::serve {
namespace {

constexpr std::uint64_t kBodyMax = 100'000;

Response ok(std::string_view text) {
    return text_response(200, text);
}

class Http2 : public testing::Test {
  protected:
    /// Lets both talk until neither has anything to say.
    void talk() {
        for (bool moved = true; moved;) {
            const std::string asked = client.output();
            alive = asked.empty() || session.receive(as_bytes(asked), time);
            for (auto& one : session.take_requests()) arrived.push_back(std::move(one));
            const Bytes said = session.output(1 << 20);
            EXPECT_TRUE(said.empty() || client.receive(said));
            moved = !asked.empty() || !said.empty();
        }
    }
    Http2Client::Answer& answer(std::int32_t stream) { return client.answers[stream]; }

    Http2Session::Time time{};
    Http2Session session{{.header_bytes_max = 4096, .streams_max = 4},
                         "127.0.0.1",
                         [](std::int32_t, const Request&, bool, std::optional<std::uint64_t>) {
                             return Http2Session::Judged{.body_bytes_max = kBodyMax};
                         },
                         [] { return WallTime{}; }};
    Http2Client client;
    std::vector<Http2Session::Arrived> arrived;
    bool alive = true;
};

TEST_F(Http2, ManyRequestsAtATimeAreAnsweredInAnyOrder) {
    const auto first = client.ask("GET", "/fhir/Patient?name=x%20y", {{"accept", "a"}});
    const auto second = client.ask("POST", "/fhir/Patient", {}, std::string(90'000, 'b'));
    talk();
    ASSERT_EQ(arrived.size(), 2U);
    const Request& asked = arrived[0].request;
    EXPECT_EQ(asked.method + " " + asked.path + " " + asked.query, "GET /fhir/Patient name=x%20y");
    EXPECT_EQ(asked.header("host"), "hygie.test");
    EXPECT_EQ(asked.header("accept"), "a");
    EXPECT_EQ(asked.peer, "127.0.0.1");
    EXPECT_EQ(arrived[1].request.body.size(), 90'000U);
    Response created = ok("made");
    created.headers.emplace_back("ETag", "W/\"1\"");
    session.answer(second, created, time);
    talk();
    EXPECT_EQ(answer(second).status, 200);
    EXPECT_EQ(answer(second).header("etag"), "W/\"1\"");
    EXPECT_EQ(answer(second).header("content-length"), "4");
    EXPECT_EQ(answer(second).body, "made");
    EXPECT_FALSE(answer(first).is_over);
    session.answer(first, ok(std::string(300'000, 'c')), time);
    talk();
    EXPECT_EQ(answer(first).body.size(), 300'000U) << "beyond every window";
    EXPECT_TRUE(answer(first).is_over && session.is_idle());
}

TEST_F(Http2, WhatIsTooLongIsRefusedBeforeItIsKept) {
    const auto head = client.ask("GET", "/" + std::string(5000, 'x'));
    const auto body = client.ask("POST", "/", {}, std::string(kBodyMax + 1, 'x'), false);
    talk();
    EXPECT_EQ(answer(head).status, 431);
    EXPECT_EQ(answer(body).status, 413);
    EXPECT_TRUE(answer(body).is_over) << "the rest of it need not come";
    EXPECT_EQ(answer(body).error, std::uint32_t{NGHTTP2_NO_ERROR});
    EXPECT_TRUE(arrived.empty() && alive);
    const auto next = client.ask("GET", "/");
    talk();
    ASSERT_EQ(arrived.size(), 1U) << "the connection goes on";
    EXPECT_EQ(arrived[0].stream, next);
}

TEST_F(Http2, AmbiguousRequestsAreRefused) {
    const auto two_proofs =
        client.ask("GET", "/", {{"authorization", "a"}, {"authorization", "b"}});
    const auto two_hosts = client.ask("GET", "/", {{"host", "elsewhere.test"}});
    const auto no_path = client.ask("GET", "*");
    talk();
    for (const auto stream : {two_proofs, two_hosts}) EXPECT_EQ(answer(stream).status, 400);
    EXPECT_NE(answer(no_path).status, 200);
    EXPECT_TRUE(arrived.empty());
}

TEST_F(Http2, CrumbsOfACookieAreOne) {
    client.ask("GET", "/", {{"cookie", "a=1"}, {"cookie", "b=2"}});
    talk();
    ASSERT_EQ(arrived.size(), 1U);
    EXPECT_EQ(arrived[0].request.header("cookie"), "a=1; b=2");
}

TEST_F(Http2, WhoGivesUpWhatItAskedGainsNothing) {
    for (int i = 0; i < 4; ++i)
        client.give_up((client.ask("GET", "/"), talk(), arrived.back().stream));
    talk();
    ASSERT_EQ(arrived.size(), 4U);
    EXPECT_TRUE(session.is_idle());
    const auto fifth = client.ask("GET", "/");
    talk();
    EXPECT_EQ(arrived.size(), 4U) << "four are still being answered";
    EXPECT_EQ(answer(fifth).status, 503);
    session.answer(arrived[0].stream, ok("late"), time);
    const auto sixth = client.ask("GET", "/");
    talk();
    ASSERT_EQ(arrived.size(), 5U);
    EXPECT_EQ(arrived[4].stream, sixth);
}

TEST_F(Http2, HeadersAloneWhereThereIsNoBody) {
    const auto head = client.ask("HEAD", "/");
    const auto same = client.ask("GET", "/");
    talk();
    session.answer(head, ok("body"), time);
    Response unchanged;
    unchanged.status = 304;
    session.answer(same, unchanged, time);
    talk();
    EXPECT_EQ(answer(head).header("content-length"), "4");
    EXPECT_EQ(answer(head).body, "");
    EXPECT_EQ(answer(same).header("content-length"), "");
    EXPECT_TRUE(answer(same).is_over);
}

TEST_F(Http2, SinceWhenSomethingIsUnderWay) {
    EXPECT_FALSE(session.oldest().arriving);
    client.ask("POST", "/", {}, "some", false);
    talk();
    const auto began = time;
    EXPECT_EQ(session.oldest().arriving, began);
    time += std::chrono::seconds(3);
    const auto whole = client.ask("GET", "/");
    talk();
    EXPECT_EQ(session.oldest().arriving, began) << "one that drips";
    session.answer(whole, ok("x"), time);
    EXPECT_EQ(session.oldest().leaving, time);
}

TEST_F(Http2, GoodbyeLetsWhatArrivedBeAnswered) {
    const auto before = client.ask("GET", "/");
    talk();
    session.say_goodbye();
    talk();
    EXPECT_TRUE(client.was_told_goodbye);
    session.answer(before, ok("still"), time);
    talk();
    EXPECT_EQ(answer(before).body, "still");
    EXPECT_TRUE(session.is_over());
}

TEST_F(Http2, WhatIsNoHttp2EndsIt) {
    EXPECT_FALSE(session.receive(as_bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), time));
    EXPECT_TRUE(session.is_over());
}

}  // namespace
}  // namespace hygie::serve
