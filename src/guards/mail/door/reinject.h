#pragma once

#include <string>

#include "base/result.h"
#include "guards/mail/facts/envelope.h"

namespace hygie::mail {

/// Hands a message to the mail server at "HOST:PORT", which must be one that the guard does not
/// watch, or it comes back. Code::Unavailable when the server does not take it.
Status reinject(const std::string& server, const Envelope& envelope, const std::string& message);

}  // namespace hygie::mail
