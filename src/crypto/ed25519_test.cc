#include "crypto/ed25519.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sodium.h>

#include "crypto/sha256.h"

namespace hygie::crypto {
namespace {

template <std::size_t N>
std::array<std::uint8_t, N> fixed(std::string_view hex) {
    const Bytes bytes = from_hex(hex).value();
    std::array<std::uint8_t, N> out{};
    EXPECT_EQ(bytes.size(), N);
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
}

SigningKey key_of(std::string_view name) {
    return SigningKey::from_seed(Secret32(sha256(as_bytes(name))));
}

struct Vector {
    const char* seed;
    const char* key;
    const char* message;
    const char* signature;
};

// RFC 8032 §7.1, tests 1 to 3.
constexpr Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "46bd25bf5f0595bbe24"
     "655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d8c387b2eaeb4302aee"
     "b00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6594a7c15e9716ed28d"
     "c027beceea1ec40a"}};

TEST(Ed25519, has_the_values_of_rfc_8032) {
    for (const Vector& vector : kVectors) {
        const SigningKey key = SigningKey::from_seed(Secret32(fixed<32>(vector.seed)));
        const Bytes message = from_hex(vector.message).value();
        EXPECT_EQ(to_hex(key.public_key()), vector.key);
        EXPECT_EQ(to_hex(key.sign(message)), vector.signature);
        EXPECT_TRUE(verify(key.public_key(), message, key.sign(message)));
    }
}

RC_GTEST_PROP(Ed25519, any_flipped_bit_is_refused, (Bytes message)) {
    const SigningKey key = key_of("signer");
    Signature signature = key.sign(message);
    PublicKey public_key = key.public_key();
    RC_ASSERT(verify(public_key, message, signature));
    const auto bit = *rc::gen::inRange<std::size_t>(0, 8 * (64 + 32 + message.size()));
    const auto mask = static_cast<std::uint8_t>(1u << bit % 8);
    const std::size_t byte = bit / 8;
    if (byte < 64)
        signature[byte] ^= mask;
    else if (byte < 96)
        public_key[byte - 64] ^= mask;
    else
        message[byte - 96] ^= mask;
    RC_ASSERT(!verify(public_key, message, signature));
}

TEST(Ed25519, another_key_is_refused) {
    EXPECT_FALSE(verify(key_of("b").public_key(), as_bytes("m"), key_of("a").sign(as_bytes("m"))));
}

TEST(Ed25519, a_scalar_with_the_order_added_is_refused) {
    const SigningKey key = key_of("signer");
    Signature signature = key.sign(as_bytes("m"));
    // The order of the group, little-endian (RFC 8032 §5.1).
    const auto order =
        fixed<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        carry += signature[32 + i] + order[i];
        signature[32 + i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
    EXPECT_FALSE(verify(key.public_key(), as_bytes("m"), signature));
}

// A verifier that only checks the equation accepts, under each of these keys, R = identity and S =
// 0 for some or for every message.
TEST(Ed25519, keys_of_small_order_are_refused) {
    const char* const keys[] = {"0100000000000000000000000000000000000000000000000000000000000000",
                                "0000000000000000000000000000000000000000000000000000000000000000",
                                "0000000000000000000000000000000000000000000000000000000000000080",
                                "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                                "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                                "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                                "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
                                "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                // The same points spelled with y ≥ p.
                                "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
    Signature lax{};
    lax[0] = 1;
    for (const char* key : keys)
        for (unsigned i = 0; i < 16; ++i)
            EXPECT_FALSE(verify(fixed<32>(key), Bytes{static_cast<std::uint8_t>(i)}, lax)) << key;
}

// R = identity makes S = H(R, A, M) · a: the equation holds, yet no honest signer ever produces it.
TEST(Ed25519, a_commitment_of_small_order_is_refused_even_when_the_equation_holds) {
    ASSERT_GE(sodium_init(), 0);
    const SigningKey key = key_of("signer");
    for (const char* spelling :
         {"0100000000000000000000000000000000000000000000000000000000000000",
          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
        const auto commitment = fixed<32>(spelling);
        std::uint8_t expanded[64], hash[64], scalar[64]{}, challenge[32], secret[32];
        crypto_hash_sha512(expanded, key.seed().view().data(), 32);
        expanded[0] &= 248;
        expanded[31] = static_cast<std::uint8_t>((expanded[31] & 127) | 64);
        std::memcpy(scalar, expanded, 32);
        crypto_core_ed25519_scalar_reduce(secret, scalar);
        Bytes hashed(commitment.begin(), commitment.end());
        append(hashed, key.public_key());
        append(hashed, as_bytes("m"));
        crypto_hash_sha512(hash, hashed.data(), hashed.size());
        crypto_core_ed25519_scalar_reduce(challenge, hash);
        Signature signature;
        std::copy(commitment.begin(), commitment.end(), signature.begin());
        crypto_core_ed25519_scalar_mul(signature.data() + 32, challenge, secret);
        EXPECT_FALSE(verify(key.public_key(), as_bytes("m"), signature));
    }
}

TEST(Ed25519, a_key_that_is_no_point_is_refused) {
    PublicKey no_point{};
    no_point[0] = 2;
    EXPECT_FALSE(verify(no_point, as_bytes("m"), key_of("signer").sign(as_bytes("m"))));
}

}  // namespace
}  // namespace hygie::crypto
