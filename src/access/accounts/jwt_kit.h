#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <string>

#include "access/accounts/base64url.h"
#include "access/accounts/jwt.h"
#include "base/check.h"

/// Programs that sign tokens, honest or not, for the tests of this room and of serve/.
namespace hygie::access {

class TestKey {
  public:
    explicit TestKey(Alg alg, std::string kid = "k1", unsigned rsa_bits = 2048)
        : alg_(alg), kid_(std::move(kid)) {
        if (bytes() == 0)
            key_ = EVP_RSA_gen(rsa_bits);
        else
            key_ = EVP_EC_gen(alg == Alg::ES256 ? "P-256" : "P-384");
        HYGIE_CHECK(key_ != nullptr, "the test has a key");
    }
    TestKey(const TestKey&) = delete;
    TestKey& operator=(const TestKey&) = delete;
    ~TestKey() { EVP_PKEY_free(key_); }

    /// The public key as a JWK.
    std::string jwk() const {
        if (bytes() == 0)
            return R"({"kty":"RSA","kid":")" + kid_ + R"(","n":")" +
                   to_base64url(number(OSSL_PKEY_PARAM_RSA_N)) + R"(","e":")" +
                   to_base64url(number(OSSL_PKEY_PARAM_RSA_E)) + R"("})";
        return R"({"kty":"EC","crv":")" + std::string(bytes() == 32 ? "P-256" : "P-384") +
               R"(","kid":")" + kid_ + R"(","x":")" +
               to_base64url(number(OSSL_PKEY_PARAM_EC_PUB_X)) + R"(","y":")" +
               to_base64url(number(OSSL_PKEY_PARAM_EC_PUB_Y)) + R"("})";
    }
    std::string jwks() const { return R"({"keys":[)" + jwk() + "]}"; }

    /// A token with this header and these claims, signed as the key's algorithm says.
    std::string sign_raw(const std::string& header, const std::string& claims) const {
        const std::string text =
            to_base64url(as_bytes(header)) + "." + to_base64url(as_bytes(claims));
        return text + "." + to_base64url(signature(text));
    }
    std::string sign(const std::string& claims) const {
        return sign_raw(R"({"alg":")" + std::string(name_of(alg_)) + R"(","kid":")" + kid_ +
                            R"(","typ":"JWT"})",
                        claims);
    }

  private:
    std::size_t bytes() const { return alg_ == Alg::ES256 ? 32 : alg_ == Alg::ES384 ? 48 : 0; }
    Bytes number(const char* name) const {
        BIGNUM* value = nullptr;
        HYGIE_CHECK(EVP_PKEY_get_bn_param(key_, name, &value) == 1, "the key has this number");
        const std::size_t size =
            bytes() == 0 ? static_cast<std::size_t>(BN_num_bytes(value)) : bytes();
        Bytes out(size);
        BN_bn2binpad(value, out.data(), static_cast<int>(size));
        BN_free(value);
        return out;
    }
    Bytes signature(const std::string& text) const {
        EVP_MD_CTX* digest = EVP_MD_CTX_new();
        EVP_PKEY_CTX* context = nullptr;
        const bool longer = alg_ == Alg::RS384 || alg_ == Alg::ES384;
        EVP_DigestSignInit(digest, &context, longer ? EVP_sha384() : EVP_sha256(), nullptr, key_);
        if (alg_ == Alg::PS256) {
            EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING);
            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST);
        }
        std::size_t size = 0;
        const auto* data = reinterpret_cast<const std::uint8_t*>(text.data());
        EVP_DigestSign(digest, nullptr, &size, data, text.size());
        Bytes out(size);
        HYGIE_CHECK(EVP_DigestSign(digest, out.data(), &size, data, text.size()) == 1, "it signs");
        out.resize(size);
        EVP_MD_CTX_free(digest);
        return bytes() == 0 ? out : raw_of(out);
    }
    Bytes raw_of(const Bytes& der) const {
        const std::uint8_t* cursor = der.data();
        ECDSA_SIG* parsed = d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size()));
        Bytes out(2 * bytes());
        const int size = static_cast<int>(bytes());
        BN_bn2binpad(ECDSA_SIG_get0_r(parsed), out.data(), size);
        BN_bn2binpad(ECDSA_SIG_get0_s(parsed), out.data() + bytes(), size);
        ECDSA_SIG_free(parsed);
        return out;
    }

    Alg alg_;
    std::string kid_;
    EVP_PKEY* key_ = nullptr;
};

}  // namespace hygie::access
