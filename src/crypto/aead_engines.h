#pragma once

#include "crypto/aead.h"

/// The two implementations of AES-256-GCM behind seal() and open(). For aead.cc and its tests;
/// others call aead.h.
namespace hygie::crypto::detail {

struct AeadEngine {
    /// Writes plaintext.size() + kTagBytes bytes.
    void (*seal)(const Secret32& key, const Nonce& nonce, ByteView associated, ByteView plaintext,
                 std::uint8_t* out);
    /// Writes sealed.size() - kTagBytes bytes; false when they do not belong together, and `out` is
    /// then zeros.
    bool (*open)(const Secret32& key, const Nonce& nonce, ByteView associated, ByteView sealed,
                 std::uint8_t* out);
};

/// OpenSSL, on any CPU.
extern const AeadEngine kOpensslEngine;

/// libsodium; null where the CPU has no AES instructions.
const AeadEngine* sodium_engine();

}  // namespace hygie::crypto::detail
