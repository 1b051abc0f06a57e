#pragma once

#include <string>

#include "base/result.h"
#include "base/sensitive.h"
#include "crypto/keyring.h"
#include "host/random.h"

namespace hygie::access {

/// Passwords are drawn, never chosen: 80 random bits, "k4m7-x2pq-9rtw-…", to be given by hand.
Sensitive<std::string> make_password(Random& random);
/// Argon2id (RFC 9106) in the usual spelling "$argon2id$v=19$m=…".
Result<std::string> hash_password(const Sensitive<std::string>& password,
                                  crypto::PassphraseCost cost);
/// Spelled as by hash_password() and as dear to check, of no password: made without the work.
std::string unfitting_hash(Random& random, crypto::PassphraseCost cost);
bool password_fits(const Sensitive<std::string>& password, const std::string& hash);

}  // namespace hygie::access
