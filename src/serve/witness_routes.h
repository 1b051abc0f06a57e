#pragma once

#include <functional>

#include "ledger/proofs/witness.h"
#include "serve/http_server.h"

namespace hygie::serve {

/// Puts a witness behind HTTP (C2SP tlog-witness), the submission and monitoring prefixes both
/// being the server's root. The witness must outlive the handler.
HttpServer::Handler witness_routes(ledger::Witness& witness);

/// The limits that suit it: no request of the protocol is larger.
HttpLimits witness_limits();

}  // namespace hygie::serve
