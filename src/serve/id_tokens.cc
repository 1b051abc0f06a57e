#include "serve/id_tokens.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "access/accounts/base64url.h"
#include "base/check.h"

namespace hygie::serve {
namespace {

constexpr std::size_t kNumberBytes = 32;  // of P-256

Bytes raw(const BIGNUM* number) {
    Bytes out(kNumberBytes);
    HYGIE_CHECK(BN_bn2binpad(number, out.data(), kNumberBytes) == kNumberBytes,
                "a number of P-256 has 32 bytes");
    return out;
}

}  // namespace

struct IdTokens::State {
    ~State() { EVP_PKEY_free(key); }
    std::string coordinate(const char* name) const {
        BIGNUM* number = nullptr;
        HYGIE_CHECK(EVP_PKEY_get_bn_param(key, name, &number) == 1, "the key has a point");
        const std::string text = access::to_base64url(raw(number));
        BN_free(number);
        return text;
    }
    EVP_PKEY* key = EVP_EC_gen("P-256");
    std::string kid;
};

IdTokens::IdTokens(Random& random) : state_(std::make_unique<State>()) {
    HYGIE_CHECK(state_->key != nullptr, "OpenSSL cannot make a P-256 key");
    state_->kid = access::to_base64url(random.bytes<9>());
}

IdTokens::~IdTokens() = default;

std::string IdTokens::sign(const std::string& claims) const {
    const std::string header =
        fmt::format(R"({{"alg":"ES256","kid":"{}","typ":"JWT"}})", state_->kid);
    const std::string text =
        access::to_base64url(as_bytes(header)) + "." + access::to_base64url(as_bytes(claims));
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest(EVP_MD_CTX_new(),
                                                                    EVP_MD_CTX_free);
    Bytes der(static_cast<std::size_t>(EVP_PKEY_get_size(state_->key)));
    std::size_t size = der.size();
    HYGIE_CHECK(
        EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, state_->key) == 1 &&
            EVP_DigestSign(digest.get(), der.data(), &size, as_bytes(text).data(), text.size()) ==
                1,
        "an identity token cannot be signed");
    const std::uint8_t* cursor = der.data();
    const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> signature(
        d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size)), ECDSA_SIG_free);
    Bytes both = raw(ECDSA_SIG_get0_r(signature.get()));
    append(both, raw(ECDSA_SIG_get0_s(signature.get())));
    return text + "." + access::to_base64url(both);
}

std::string IdTokens::jwks() const {
    return fmt::format(R"({{"keys":[{{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256",)"
                       R"("kid":"{}","x":"{}","y":"{}"}}]}})",
                       state_->kid, state_->coordinate(OSSL_PKEY_PARAM_EC_PUB_X),
                       state_->coordinate(OSSL_PKEY_PARAM_EC_PUB_Y));
}

}  // namespace hygie::serve
