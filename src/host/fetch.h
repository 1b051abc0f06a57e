#pragma once

#include <map>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace hygie {

struct FetchRequest {
    std::string method = "GET";
    std::string url;
    std::string content_type;  ///< of the body, empty for none
    Bytes body;
    Micros timeout = std::chrono::seconds(10);
    std::size_t response_bytes_max = 16 << 20;  ///< of the body, once decoded
};

struct FetchResponse {
    int status = 0;
    std::string content_type;
    Bytes body;
};

/// The door to other HTTP servers, used only where the configuration names one. http and https; no
/// redirects; a compressed body is decoded.
class Fetch {
  public:
    virtual ~Fetch() = default;
    /// Any HTTP status is an answer. Code::Unavailable when there is none in time, Code::Full when
    /// it is too large.
    virtual Result<FetchResponse> fetch(const FetchRequest& request) = 0;
};

/// libcurl. Thread-safe; keeps connections alive per thread.
Fetch& real_fetch();

}  // namespace hygie
