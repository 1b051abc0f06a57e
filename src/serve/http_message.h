#pragma once

#include <string>

#include "base/time.h"
#include "serve/http_server.h"

/// Inside of the server: an answer spelled out.
namespace hygie::serve {

/// The bytes of an answer, or of its head alone (to HEAD).
std::string message_of(const Response& response, bool keep_alive, bool with_body, WallTime now);

}  // namespace hygie::serve
