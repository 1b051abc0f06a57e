#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "host/random.h"

namespace hygie::crypto {

inline constexpr std::size_t kTagBytes = 16;
using Nonce = std::array<std::uint8_t, 12>;

/// AES-256-GCM (NIST SP 800-38D), by libsodium or OpenSSL, whichever is faster on this CPU for the
/// size; the bytes are the same. The caller owns the uniqueness of nonces under one key. Writes
/// plaintext.size() + kTagBytes bytes to `out`.
void seal(const Secret32& key, const Nonce& nonce, ByteView associated, ByteView plaintext,
          std::uint8_t* out);
/// Code::Corrupt when key, nonce, associated data and bytes do not belong together.
Result<Bytes> open(const Secret32& key, const Nonce& nonce, ByteView associated, ByteView sealed);
/// The same into `out`, which takes sealed.size() - kTagBytes bytes; zeros there on failure.
Status open(const Secret32& key, const Nonce& nonce, ByteView associated, ByteView sealed,
            std::uint8_t* out);

/// XChaCha20-Poly1305 with a random 24-byte nonce in front: for files and small state, where the
/// caller has no counter to make nonces from. The result is kBoxBytes longer than the plaintext.
inline constexpr std::size_t kBoxBytes = 24 + kTagBytes;
Bytes box(const Secret32& key, ByteView associated, ByteView plaintext, Random& random);
Result<Bytes> unbox(const Secret32& key, ByteView associated, ByteView boxed);

}  // namespace hygie::crypto
