#include "base/check.h"
#include "serve/http2_session.h"

using namespace hygie;

/// Whatever a client says after its greeting: each request that is given out is whole and within
/// its limits, can be answered, and no answer leaves but to one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::string_view kGreeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    constexpr std::uint64_t kBodyMax = 64;
    constexpr std::size_t kPiece = 24, kTurnsMax = 64, kOutputMax = 4096;
    const serve::Http2Limits limits{.header_bytes_max = 512, .streams_max = 3};
    serve::Http2Session session(
        limits, "peer",
        [](std::int32_t, const serve::Request& head, bool, std::optional<std::uint64_t>) {
            HYGIE_CHECK(head.path.starts_with('/'), "a path that is none");
            return serve::Http2Session::Judged{.body_bytes_max = kBodyMax};
        },
        [] { return WallTime{}; });
    HYGIE_CHECK(session.receive(as_bytes(kGreeting), {}), "the greeting is refused");
    ByteView rest(data, size);
    std::vector<std::int32_t> asked;
    while (!rest.empty()) {
        const ByteView piece = rest.first(std::min(kPiece, rest.size()));
        rest = rest.subspan(piece.size());
        if (!session.receive(piece, {})) break;
        for (const auto& [stream, request] : session.take_requests()) {
            HYGIE_CHECK(request.body.size() <= kBodyMax, "a longer body than may be");
            HYGIE_CHECK(!request.header("host").empty(), "for no host");
            asked.push_back(stream);
        }
        HYGIE_CHECK(asked.size() <= limits.streams_max, "more at a time than may be");
        // Every second one at once, the others late.
        if (asked.size() == limits.streams_max) {
            session.answer(asked.front(), serve::text_response(200, "answer"), {});
            asked.erase(asked.begin());
        }
        (void)session.output(kOutputMax);
    }
    for (const std::int32_t stream : asked)
        session.answer(stream, serve::text_response(200, "late"), {});
    session.say_goodbye();
    std::size_t turns = 0;
    while (turns < kTurnsMax && !session.output(kOutputMax).empty()) ++turns;
    HYGIE_CHECK(turns < kTurnsMax, "answers without an end");
    return 0;
}
