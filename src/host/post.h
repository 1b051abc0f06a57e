#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace hygie {

struct PostRequest {
    std::string url;
    std::vector<std::string> headers;  ///< further ones, "Name: value"
    std::string content_type;
    Bytes body;
    Micros timeout = std::chrono::seconds(10);
    std::stop_token stop{};  ///< once asked to, gives up within about a second
};

/// The door by which others are told something, where Fetch asks them: the same rules (http and
/// https, no redirects, no proxy of the environment), and of the answer its status alone.
class Post {
  public:
    virtual ~Post() = default;
    /// Any HTTP status is an answer. Code::Unavailable when there is none in time.
    virtual Result<int> post(const PostRequest& request) = 0;
};

/// libcurl. Thread-safe; keeps connections alive per thread.
Post& real_post();

}  // namespace hygie
