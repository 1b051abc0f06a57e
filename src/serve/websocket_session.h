#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/vector_body.hpp>

#include "serve/http_wire.h"
#include "serve/websocket.h"

/// The side of WebSockets that knows Boost.Beast: for http_server.cc alone.
namespace hygie::serve {

using SocketHead = boost::beast::http::request<boost::beast::http::vector_body<std::uint8_t>>;

/// Whether a request asks for a WebSocket at that door.
bool wants_socket(const SocketHead& head, const WebSocketDoor& door);

/// Accepts it and carries its messages until either side ends it, or the wire is cancelled.
Wire::Awaitable<void> talk(Wire& wire, const SocketHead& head, const WebSocketDoor& door);

}  // namespace hygie::serve
