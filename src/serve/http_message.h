#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/text.h"
#include "base/time.h"
#include "serve/http_server.h"

/// Inside of the server: an answer spelled out.
namespace hygie::serve {

/// The head of an answer, and behind it the front of its body.
std::string message_of(const Response& response, bool keep_alive, ByteView front, WallTime now);

/// RFC 9110 §5.6.7.
const std::string& http_date(WallTime now);
/// Whether an answer of this status has no body, nor says how long it would be (RFC 9110 §8.6).
bool is_bodiless(int status);
/// No value of a header forges another one.
void check_header_value(std::string_view value);

/// A refusal as FHIR clients read it: an OperationOutcome in both languages.
Response outcome_response(int status, std::string_view code, const Text& what);

/// Refusals of what was read, alike in each version of HTTP.
Response head_too_large();
Response body_too_large();
Response one_host_needed();
Response one_authorization_needed();
Response only_chunked(int status);
/// When all bodies together would be too much.
Response too_many_bodies();

}  // namespace hygie::serve
