#pragma once

#include <atomic>

#include "serve/http_exchange.h"

/// Inside of the server: a connection that speaks HTTP/2, many requests at a time.
namespace hygie::serve {

/// What the server lends to its connections; outlives them.
struct Http2House {
    const AsyncHandler& handler;
    const HttpLimits& limits;
    const BodyLimit& body_limit;
    std::atomic<std::uint64_t>& bodies_bytes;
    const std::atomic<bool>& closing;  ///< each is told goodbye
    const std::atomic<bool>& cutting;  ///< who is not being answered is cut
    Clock& clock;
};

/// Until either side has had enough. Every limit of HttpLimits holds, for each request and for all
/// together.
Wire::Awaitable<void> talk_http2(Http2House house, Lane& lane, Live& live);

}  // namespace hygie::serve
