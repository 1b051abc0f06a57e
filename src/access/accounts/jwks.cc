#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "access/accounts/base64url.h"
#include "access/accounts/jwt.h"
#include "access/accounts/strict_json.h"
#include "crypto/freed.h"

namespace hygie::access {
namespace {

using Json = nlohmann::json;

constexpr int kRsaBitsMin = 2048, kRsaBitsMax = 8192;
constexpr std::array kRsaAlgs = {Alg::RS256, Alg::RS384, Alg::PS256};

using crypto::Freed;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

/// A curve and how JOSE spells its numbers (RFC 7518 §3.4).
struct Curve {
    Alg alg;
    std::string_view jwk_name;
    const char* group;
    std::size_t bytes;
};
constexpr auto kCurves =
    std::to_array<Curve>({{Alg::ES256, "P-256", "P-256", 32}, {Alg::ES384, "P-384", "P-384", 48}});

std::unexpected<Error> bad_keys() {
    return fail(Code::BadInput, {"jeu de clés (JWKS) incorrect", "bad key set (JWKS)"},
                {"donnez des clés publiques EC P-256 ou P-384, ou RSA de 2048 bits et plus",
                 "give public keys, EC P-256 or P-384, or RSA of 2048 bits and more"});
}

std::unexpected<Error> forged() {
    return fail(Code::Forged, {"signature refusée", "signature refused"},
                {"signez avec une clé enregistrée, et nommez-la (kid)",
                 "sign with a registered key and name it (kid)"});
}

Key from_params(const char* type, const Builder& builder) {
    const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
        return nullptr;
    Key made(key);
    const KeyContext checker(EVP_PKEY_CTX_new_from_pkey(nullptr, made.get(), nullptr));
    return checker && EVP_PKEY_public_check(checker.get()) == 1 ? std::move(made) : nullptr;
}

Bytes binary_member(const Json& object, const char* name) {
    const Result<Bytes> bytes = from_base64url(text_member(object, name));
    return bytes ? *bytes : Bytes{};
}

Key rsa_key(const Json& jwk) {
    const Bytes modulus = binary_member(jwk, "n"), exponent = binary_member(jwk, "e");
    constexpr std::size_t kExponentBytesMax = 8;
    if (modulus.empty() || modulus.size() > kRsaBitsMax / 8 + 1 || exponent.empty() ||
        exponent.size() > kExponentBytesMax)
        return nullptr;
    const Number n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
    const Number e(BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
    if (BN_num_bits(n.get()) < kRsaBitsMin || BN_num_bits(n.get()) > kRsaBitsMax ||
        !BN_is_odd(e.get()) || BN_num_bits(e.get()) < 16)
        return nullptr;
    const Builder builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
    return from_params("RSA", builder);
}

Key ec_key(const Json& jwk, const Curve& curve) {
    const Bytes x = binary_member(jwk, "x"), y = binary_member(jwk, "y");
    if (x.size() != curve.bytes || y.size() != curve.bytes) return nullptr;
    Bytes point{4};  // uncompressed (SEC 1 §2.3.3)
    append(point, x);
    append(point, y);
    const Builder builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                     point.size());
    return from_params("EC", builder);
}

Bytes spki_of(EVP_PKEY* key) {
    std::uint8_t* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    Bytes out;
    if (size > 0) out.assign(der, der + size);
    OPENSSL_free(der);
    return out;
}

/// Adds what a key is good for. False when it is of no kind we use, or not sound.
bool add_key(const Json& jwk, std::vector<PublicKey>& out) {
    const std::string kind = text_member(jwk, "kty"), named = text_member(jwk, "alg");
    const std::string kid = text_member(jwk, "kid");
    const auto curve = std::ranges::find(kCurves, text_member(jwk, "crv"), &Curve::jwk_name);
    const bool is_ec = kind == "EC" && curve != kCurves.end();
    if (!is_ec && kind != "RSA") return false;
    const Key key = is_ec ? ec_key(jwk, *curve) : rsa_key(jwk);
    if (!key) return false;
    std::vector<Alg> algs(kRsaAlgs.begin(), kRsaAlgs.end());
    if (is_ec) algs = {curve->alg};
    if (!named.empty()) std::erase_if(algs, [&](Alg alg) { return name_of(alg) != named; });
    for (const Alg alg : algs) out.push_back({alg, kid, spki_of(key.get())});
    return !algs.empty();
}

bool is_secret(const Json& jwk) {
    return jwk.contains("d") || jwk.contains("k") || jwk.contains("p");
}

/// r ‖ s in the DER that OpenSSL wants; empty when the size is wrong.
Bytes der_signature(ByteView raw, std::size_t bytes) {
    if (raw.size() != 2 * bytes) return {};
    const EcSignature signature(ECDSA_SIG_new());
    const int size = static_cast<int>(bytes);
    ECDSA_SIG_set0(signature.get(), BN_bin2bn(raw.data(), size, nullptr),
                   BN_bin2bn(raw.data() + bytes, size, nullptr));
    std::uint8_t* der = nullptr;
    const int der_size = i2d_ECDSA_SIG(signature.get(), &der);
    Bytes out;
    if (der_size > 0) out.assign(der, der + der_size);
    OPENSSL_free(der);
    return out;
}

bool is_signed_by(const Jwt& jwt, const PublicKey& key) {
    const std::uint8_t* der = key.spki.data();
    const Key loaded(d2i_PUBKEY(nullptr, &der, static_cast<long>(key.spki.size())));
    const Digest digest(EVP_MD_CTX_new());
    const EVP_MD* hash =
        jwt.alg == Alg::RS384 || jwt.alg == Alg::ES384 ? EVP_sha384() : EVP_sha256();
    EVP_PKEY_CTX* context = nullptr;
    if (!loaded || EVP_DigestVerifyInit(digest.get(), &context, hash, nullptr, loaded.get()) != 1)
        return false;
    if (jwt.alg == Alg::PS256 &&
        (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) != 1 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) != 1))
        return false;
    const auto curve = std::ranges::find(kCurves, jwt.alg, &Curve::alg);
    const Bytes signature =
        curve == kCurves.end() ? jwt.signature : der_signature(jwt.signature, curve->bytes);
    const ByteView text = as_bytes(jwt.signed_text);
    return !signature.empty() && EVP_DigestVerify(digest.get(), signature.data(), signature.size(),
                                                  text.data(), text.size()) == 1;
}

}  // namespace

Result<std::vector<PublicKey>> parse_jwks(std::string_view text, OtherKeys others) {
    if (text.size() > kJwksBytesMax) return bad_keys();
    if (!is_strict_object(text)) return bad_keys();
    const Json set = Json::parse(text, nullptr, false);
    if (!set.contains("keys") || !set["keys"].is_array()) return bad_keys();
    const Json& listed = set["keys"];
    if (listed.empty() || listed.size() > kJwksKeysMax) return bad_keys();
    std::vector<PublicKey> keys;
    for (const Json& jwk : listed) {
        if (!jwk.is_object() || is_secret(jwk)) return bad_keys();
        if (text_member(jwk, "use") == "enc") continue;
        if (!add_key(jwk, keys) && others == OtherKeys::Refuse) return bad_keys();
    }
    if (keys.empty()) return bad_keys();
    return keys;
}

Status verify_jwt(const Jwt& jwt, const std::vector<PublicKey>& keys) {
    for (const PublicKey& key : keys) {
        const bool named = jwt.kid.empty() || key.kid == jwt.kid;
        if (named && key.alg == jwt.alg && is_signed_by(jwt, key)) return {};
    }
    return forged();
}

}  // namespace hygie::access
