#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "serve/websocket.h"

/// The side of WebSockets that knows Boost.Beast: for http_server.cc alone.
namespace hygie::serve {

using SocketHead = boost::beast::http::request<boost::beast::http::vector_body<std::uint8_t>>;
using TlsStream = boost::beast::ssl_stream<boost::beast::tcp_stream&>;

/// Whether a request asks for a WebSocket at that door.
bool wants_socket(const SocketHead& head, const WebSocketDoor& door);

/// Accepts it and carries its messages until either side ends it, or the stream is cancelled.
boost::asio::awaitable<void> talk(boost::beast::tcp_stream& stream, const SocketHead& head,
                                  const WebSocketDoor& door);
boost::asio::awaitable<void> talk(TlsStream& stream, const SocketHead& head,
                                  const WebSocketDoor& door);

}  // namespace hygie::serve
