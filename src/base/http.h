#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

/// HTTP messages as plain values: rooms that answer requests need no server, and the server no
/// knowledge of what is answered.
namespace hygie::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
    std::string method;  ///< as sent: "GET", "HEAD", "POST"…
    std::string path;    ///< starts with '/', as sent: still percent-encoded
    std::string query;   ///< what follows '?', without it
    Headers headers;     ///< names in lower case
    Bytes body;
    std::string peer;  ///< IP address of the client

    /// The value of a header (name in lower case), empty when absent.
    std::string_view header(std::string_view name) const {
        for (const auto& [key, value] : headers) {
            if (key == name) return value;
        }
        return {};
    }
};

struct Response {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    Headers headers{};  ///< besides Content-Type, Content-Length, Date and Connection, which the
                        ///< server writes
    Bytes body{};       ///< left out by the server when the method is HEAD
};

/// Gives the answer to a request, once, from any thread, now or later.
using Reply = std::move_only_function<void(Response)>;

}  // namespace hygie::http
