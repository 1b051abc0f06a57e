#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "host/random.h"

namespace hygie::records {

/// A WebSocket that somebody holds, as this room sees it.
struct NoticeSocket {
    std::function<bool(std::string)> send;  ///< false once it is closed, or too much waits
};

/// WebSockets and the subscriptions they are bound to ("bind-with-token: …"). Thread-safe.
class NoticeSockets {
  public:
    static constexpr std::size_t kSocketsMax = 256;  ///< bound ones
    static constexpr std::size_t kTokensMax = 1'000;
    static constexpr Micros kTokenLasts = std::chrono::seconds(60);

    explicit NoticeSockets(Random& random) : random_(random) {}

    struct Token {
        std::string text;
        WallTime end{};
    };
    /// Good once, for whoever shows it. None when too many are out.
    std::optional<Token> give(std::vector<std::string> subscriptions, WallTime now);
    /// The subscriptions of a token; none when it is not known, used or over.
    std::optional<std::vector<std::string>> redeem(std::string_view token, WallTime now);

    /// False when too many are bound already.
    bool bind(const std::string& subscription, NoticeSocket socket);
    bool is_bound(std::string_view subscription);
    /// To all that are bound to it; whether one took it. Closed ones are let go.
    bool send(std::string_view subscription, const std::string& text);
    void release(std::string_view subscription);

  private:
    struct Given {
        std::vector<std::string> subscriptions;
        WallTime end;
    };
    Random& random_;
    std::mutex mutex_;
    std::map<std::string, Given, std::less<>> tokens_;  ///< by SHA-256: a look-up tells no time
    std::multimap<std::string, NoticeSocket, std::less<>> sockets_;
};

}  // namespace hygie::records
