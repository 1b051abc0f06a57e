#pragma once

#include <string>
#include <vector>

#include "guards/mail/door/incoming.h"
#include "guards/mail/door/resolver.h"
#include "guards/mail/facts/envelope.h"

namespace hygie::mail {

inline constexpr std::size_t kDkimSignaturesMax = 5;

/// What one DKIM-Signature proved (RFC 6376, RFC 8301, RFC 8463).
struct DkimResult {
    std::string domain;  ///< d=, lower case
    AuthResult result = AuthResult::None;
};

/// Checks the first signatures of a message. RSA of at least 1024 bits and Ed25519, with SHA-256. A
/// signature over a part of the body only (l=) proves nothing: what follows could be anybody's.
std::vector<DkimResult> check_dkim(const Incoming& message, Resolver& resolver, WallTime now,
                                   SteadyTime until);

}  // namespace hygie::mail
