#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace hygie::crypto {

using Signature = std::array<std::uint8_t, 64>;
using PublicKey = std::array<std::uint8_t, 32>;

/// An Ed25519 key pair (RFC 8032); the seed is wiped with it.
class SigningKey {
  public:
    /// From a 32-byte seed.
    static SigningKey from_seed(const Secret32& seed);

    Signature sign(ByteView message) const;
    const PublicKey& public_key() const { return public_key_; }
    const Secret32& seed() const { return seed_; }

  private:
    explicit SigningKey(const Secret32& seed);
    Secret32 seed_;
    PublicKey public_key_{};
};

/// Strict: small-order keys, non-canonical points and scalars are refused, so one message has no
/// second signature.
bool verify(const PublicKey& key, ByteView message, const Signature& signature);

}  // namespace hygie::crypto
