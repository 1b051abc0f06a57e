#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <memory>
#include <string>

#include "access/accounts/base64url.h"
#include "access/accounts/passkey.h"

/// For tests: an authenticator in software, which also does what an honest one would not.
namespace hygie::access {

class TestAuthenticator {
  public:
    explicit TestAuthenticator(PasskeyAlg alg = PasskeyAlg::ES256, int bits = 2048)
        : alg_(alg), key_(make(alg, bits), EVP_PKEY_free) {}

    /// What the browser and the key say; tests change what they lie about.
    struct Says {
        std::string type;
        std::string origin = "https://hygie.example:8443";
        std::string rp = "hygie.example";
        std::string challenge;
        std::string more{};      ///< members of the client data
        unsigned flags = 1 | 4;  ///< present and verified
        std::uint32_t counter = 1;
    };
    Says creation(const std::string& challenge) const {
        return {.type = "webauthn.create", .challenge = challenge, .flags = 1 | 4 | 64};
    }
    Says assertion(const std::string& challenge, std::uint32_t counter) const {
        return {.type = "webauthn.get", .challenge = challenge, .counter = counter};
    }

    PasskeyCreation create(const Says& says) const {
        Bytes data = head(says);
        data.resize(data.size() + 16);  // AAGUID
        data.push_back(0);
        data.push_back(static_cast<std::uint8_t>(id().size()));
        append(data, id());
        return {client_data(says), data, spki(), alg_};
    }
    PasskeyAssertion sign(const Says& says) const {
        PasskeyAssertion made{id(), client_data(says), head(says), {}, {}};
        Bytes message = made.authenticator_data;
        append(message, crypto::sha256(made.client_data));
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(),
                                                                             EVP_MD_CTX_free);
        const EVP_MD* const hash = alg_ == PasskeyAlg::EdDSA ? nullptr : EVP_sha256();
        EVP_DigestSignInit(digest.get(), nullptr, hash, nullptr, key_.get());
        std::size_t size = 0;
        EVP_DigestSign(digest.get(), nullptr, &size, message.data(), message.size());
        made.signature.resize(size);
        EVP_DigestSign(digest.get(), made.signature.data(), &size, message.data(), message.size());
        made.signature.resize(size);
        return made;
    }
    Bytes id() const {
        const crypto::Hash hash = crypto::sha256(spki());
        return to_bytes(hash);
    }
    Bytes spki() const {
        unsigned char* der = nullptr;
        const int size = i2d_PUBKEY(key_.get(), &der);
        Bytes bytes(der, der + size);
        OPENSSL_free(der);
        return bytes;
    }

  private:
    static EVP_PKEY* make(PasskeyAlg alg, int bits) {
        if (alg == PasskeyAlg::ES256) return EVP_EC_gen("P-256");
        if (alg == PasskeyAlg::RS256) return EVP_RSA_gen(static_cast<unsigned>(bits));
        return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    }
    static Bytes client_data(const Says& says) {
        return to_bytes(as_bytes(R"({"type":")" + says.type + R"(","challenge":")" +
                                 says.challenge + R"(","origin":")" + says.origin + "\"" +
                                 says.more + "}"));
    }
    static Bytes head(const Says& says) {
        Bytes data = to_bytes(crypto::sha256(as_bytes(says.rp)));
        data.push_back(static_cast<std::uint8_t>(says.flags));
        std::array<std::uint8_t, 4> counter;
        store_be(counter.data(), says.counter);
        append(data, counter);
        return data;
    }

    PasskeyAlg alg_;
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

}  // namespace hygie::access
