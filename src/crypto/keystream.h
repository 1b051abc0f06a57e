#pragma once

#include <cstdint>
#include <span>

#include "crypto/aead.h"
#include "crypto/secret.h"

namespace hygie::crypto {

inline constexpr std::size_t kKeystreamBlockBytes = 64;

/// Bytes of the ChaCha20 keystream (RFC 8439 §2.4) from a block on. XOR with it hides a value from
/// whoever lacks the key; it does not protect integrity, which the caller owes by authenticating
/// the result.
void keystream(const Secret32& key, const Nonce& nonce, std::uint32_t block,
               std::span<std::uint8_t> out);

}  // namespace hygie::crypto
