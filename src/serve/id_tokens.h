#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "host/random.h"

namespace hygie::serve {

/// Signs what OpenID Connect tells a program about who signed in (ES256). The key lives as long as
/// the process: such a token is checked at once, and the key set that is served is always that of
/// the process that signed.
class IdTokens {
  public:
    explicit IdTokens(Random& random);
    ~IdTokens();

    /// `claims` is a JSON object.
    std::string sign(const std::string& claims) const;
    /// The public key, as RFC 7517 writes a set.
    std::string jwks() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hygie::serve
