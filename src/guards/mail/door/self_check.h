#pragma once

#include "guards/mail/door/dkim.h"
#include "guards/mail/door/resolver.h"
#include "guards/mail/door/spf.h"

namespace hygie::mail {

/// All questions about one message together may take so long; what is not known then is not known.
inline constexpr Micros kAuthenticationBudget = std::chrono::seconds(2);

/// SPF, DKIM and DMARC (RFC 7489 §6.6) of a message, computed here, for doors whose mail server
/// says nothing. They go into the envelope as a trusted server's word would: a DKIM signature
/// counts only when it is of the author's domain. Without a client address SPF says nothing, and
/// DMARC can only pass.
void check_authentication(Incoming& incoming, Resolver& resolver, WallTime now, SteadyTime until);

}  // namespace hygie::mail
