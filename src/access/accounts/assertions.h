#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/accounts/jwt.h"
#include "access/accounts/sealed_file.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/secret.h"

namespace hygie::access {

/// Client assertions of backend services (RFC 7523, SMART Backend Services): who signs is who asks,
/// for this very address, now, once. `dir`/assertions, sealed, remembers those that were used until
/// they expire: in every process, and across a restart. Thread-safe.
class Assertions {
  public:
    static constexpr Micros kLifeMax = std::chrono::minutes(5);
    static constexpr Micros kClockSkew = std::chrono::seconds(30);
    static constexpr std::size_t kRememberedMax = 10'000;

    static Result<std::unique_ptr<Assertions>> open(const SealedFile::Doors& doors,
                                                    const std::string& dir,
                                                    const crypto::Secret32& key);

    /// Code::Forged, Code::Stale or Code::Denied (used before); each says what the program should
    /// do.
    Status accept(const Jwt& jwt, const std::vector<PublicKey>& keys, const ActorId& client,
                  std::string_view audience, WallTime now);

  private:
    explicit Assertions(std::unique_ptr<SealedFile> file) : file_(std::move(file)) {}

    std::unique_ptr<SealedFile> file_;
};

}  // namespace hygie::access
