#include "crypto/tokens.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <rapidcheck/gtest.h>

#include "crypto/sha256.h"

namespace hygie::crypto {
namespace {

Secret32 key_of(std::string_view name) {
    return Secret32(sha256(as_bytes(name)));
}

/// HKDF-SHA-256 by OpenSSL's own implementation.
Bytes hkdf_oracle(const Secret32& key, std::string_view info) {
    EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
    EVP_KDF_CTX* const context = EVP_KDF_CTX_new(kdf);
    std::string digest = "SHA256", name(info);
    Bytes secret = to_bytes(key.view()), out(32);
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), digest.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, name.data(), name.size()),
        OSSL_PARAM_construct_end()};
    EXPECT_EQ(EVP_KDF_derive(context, out.data(), out.size(), parameters), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return out;
}

TEST(Derive, is_hkdf_without_salt) {
    for (const char* purpose : {"a", "ledger/actor/3",
                                "a purpose that is longer than one block of the hash, which is "
                                "sixty-four bytes"})
        EXPECT_EQ(to_bytes(derive(key_of("root"), purpose).view()),
                  hkdf_oracle(key_of("root"), purpose));
}

RC_GTEST_PROP(Derive, keys_differ_by_purpose_and_by_root,
              (const std::string& left, const std::string& right)) {
    RC_PRE(left != right);
    RC_ASSERT(!(derive(key_of("root"), left) == derive(key_of("root"), right)));
    RC_ASSERT(!(derive(key_of("root"), left) == derive(key_of("other"), left)));
}

RC_GTEST_PROP(Blind, is_a_truncated_hmac, (const std::string& domain, const std::string& value)) {
    Bytes message = to_bytes(as_bytes(domain));
    message.push_back(0);
    append(message, as_bytes(value));
    const Hash whole = hmac_sha256(key_of("k").view(), message);
    const Token token = blind(key_of("k"), domain, value);
    RC_ASSERT(std::equal(token.begin(), token.end(), whole.begin()));
}

TEST(Blind, keeps_kinds_keys_and_values_apart) {
    const Token token = blind(key_of("k"), "actor", "42");
    EXPECT_EQ(token, blind(key_of("k"), "actor", "42"));
    EXPECT_NE(token, blind(key_of("k"), "patient", "42"));
    EXPECT_NE(token, blind(key_of("k"), "actor4", "2"));
    EXPECT_NE(token, blind(key_of("l"), "actor", "42"));
    EXPECT_NE(token, blind(key_of("k"), "actor", "43"));
}

}  // namespace
}  // namespace hygie::crypto
