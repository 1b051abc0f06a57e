#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

/// base64url without padding (RFC 4648 §5), as tokens and keys of the web are spelled.
namespace hygie::access {

std::string to_base64url(ByteView bytes);
/// Strict: one spelling for every value.
Result<Bytes> from_base64url(std::string_view text);

}  // namespace hygie::access
