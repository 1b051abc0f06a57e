#pragma once

#include <string>
#include <string_view>

#include "guards/mail/door/resolver.h"
#include "guards/mail/facts/envelope.h"

namespace hygie::mail {

/// What SPF (RFC 7208) asks: may this machine send for that domain?
struct SpfQuestion {
    std::string ip;
    std::string domain;  ///< of MAIL FROM, or HELO for a null sender
    std::string sender;  ///< the whole address
    std::string helo;
};

/// check_host() with its limits (§4.6.4). Absent when there is no address to ask about; Error for
/// a broken record, or when the answers did not come in time.
AuthResult check_spf(const SpfQuestion& question, Resolver& resolver, SteadyTime until);

}  // namespace hygie::mail
