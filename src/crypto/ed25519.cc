#include "crypto/ed25519.h"

#include "crypto/sodium.h"

namespace hygie::crypto {
namespace {

/// libsodium's form of the private key: seed ‖ public key. Wiped after use.
struct ExpandedKey {
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> bytes;
    ~ExpandedKey() { sodium_memzero(bytes.data(), bytes.size()); }
};

}  // namespace

SigningKey::SigningKey(const Secret32& seed) : seed_(seed) {
    detail::sodium_ready();
    ExpandedKey expanded;
    crypto_sign_seed_keypair(public_key_.data(), expanded.bytes.data(), seed_.view().data());
}

SigningKey SigningKey::from_seed(const Secret32& seed) {
    return SigningKey(seed);
}

Signature SigningKey::sign(ByteView message) const {
    ExpandedKey expanded;
    std::memcpy(expanded.bytes.data(), seed_.view().data(), seed_.view().size());
    std::memcpy(expanded.bytes.data() + seed_.view().size(), public_key_.data(),
                public_key_.size());
    Signature signature;
    crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                         expanded.bytes.data());
    return signature;
}

bool verify(const PublicKey& key, ByteView message, const Signature& signature) {
    detail::sodium_ready();
    return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                       key.data()) == 0;
}

}  // namespace hygie::crypto
