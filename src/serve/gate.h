#pragma once

#include <functional>

#include "access/accounts/sessions.h"
#include "access/decide/decision.h"
#include "serve/http_server.h"

namespace hygie::serve {

/// Answers a request of somebody known. The actor lives as long as the call: copy what the answer
/// needs later.
using SignedHandler = std::function<void(const access::Actor&, Request, Reply)>;

/// The bearer token of a request (RFC 6750 §2.1); empty when there is none.
std::string_view bearer_token(const Request& request);

/// Lets through who shows a live token (one hash, one look-up), and answers the others with 401, a
/// WWW-Authenticate header and an OperationOutcome that says how to sign in. `sessions` must
/// outlive the handler.
AsyncHandler gate(access::Sessions& sessions, SignedHandler next);

}  // namespace hygie::serve
