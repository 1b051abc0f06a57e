#pragma once

#include <string>
#include <string_view>

#include "base/text.h"
#include "base/time.h"
#include "serve/http_server.h"

/// Inside of the server: an answer spelled out.
namespace hygie::serve {

/// The bytes of an answer, or of its head alone (to HEAD).
std::string message_of(const Response& response, bool keep_alive, bool with_body, WallTime now);

/// A refusal as FHIR clients read it: an OperationOutcome in both languages.
Response outcome_response(int status, std::string_view code, const Text& what);

}  // namespace hygie::serve
