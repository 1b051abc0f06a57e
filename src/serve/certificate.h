#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/random.h"

namespace hygie::serve {

/// Where a server finds its identity.
struct CertificateFiles {
    std::string authority;  ///< PEM to give to clients, so that they trust the server
    std::string cert;       ///< PEM chain of the server
    std::string key;        ///< PEM private key, mode 0600
    bool renewed = false;   ///< made by this call
};

/// How long each lives, and how long before its end it is made again.
inline constexpr Micros kAuthorityLife = std::chrono::days(3650);
inline constexpr Micros kCertificateLife = std::chrono::days(397);
inline constexpr Micros kRenewBefore = std::chrono::days(30);

/// A certificate authority of this house and a server certificate for localhost and `names` (DNS
/// names or IP addresses), made in `dir` when absent, near their end or without one of the names.
/// The authority can only speak for these names (RFC 5280 §4.2.1.10): who steals it gains no other
/// site. EC P-256.
Result<CertificateFiles> ensure_certificate(Disk& disk, Clock& clock, Random& random,
                                            const std::string& dir,
                                            const std::vector<std::string>& names);

}  // namespace hygie::serve
