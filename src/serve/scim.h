#pragma once

#include <string>

#include "access/accounts/accounts.h"
#include "access/decide/decision.h"
#include "host/clock.h"
#include "serve/http_server.h"

namespace hygie::serve {

/// What SCIM stands on.
struct ScimParts {
    access::Accounts& accounts;
    Clock& clock;
    std::string url;  ///< the address of the server, without a slash at the end
};

/// Accounts kept by the directory of the house (SCIM 2.0, RFC 7643 and 7644): /scim/v2/Users,
/// ServiceProviderConfig, ResourceTypes, Schemas. For programs that hold the scope hygie/accounts.
/// A user's id is the login, and never changes; DELETE closes the account, which is never deleted:
/// traces go on naming it. Passwords are not taken. The rules of accounts hold: one person, a
/// sponsor (manager), an end.
Response scim_answer(const ScimParts& parts, const access::Actor& actor, const Request& request);

}  // namespace hygie::serve
