#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"

namespace hygie::serve {

/// A WebSocket (RFC 6455) that a client opened: text messages, both ways.
class WebSocket {
  public:
    static constexpr std::size_t kMessageBytesMax = 16 << 10;  ///< that arrives
    static constexpr std::size_t kWaitingMax = 256;            ///< messages that have not left

    virtual ~WebSocket() = default;
    /// Leaves soon; false once it is closed, or when too much waits. From any thread.
    virtual bool send(std::string text) = 0;
};

/// Hears the messages of one, in order; false ends it. Called on a thread that serves many
/// connections: it never waits.
using Hearing = std::function<bool(std::string_view message)>;

/// Where WebSockets are opened.
struct WebSocketDoor {
    std::string path;
    std::function<Hearing(std::shared_ptr<WebSocket>)> open;
    Micros silence = std::chrono::seconds(10);  ///< until the first message; then it is closed
};

}  // namespace hygie::serve
