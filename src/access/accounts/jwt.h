#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

/// JSON Web Tokens that others sign (RFC 7515, 7517, 7519), checked with OpenSSL. An allow-list of
/// algorithms, no more: RS256, RS384, PS256, ES256, ES384. Keys come from what was registered,
/// never from the token.
namespace hygie::access {

inline constexpr std::size_t kJwtBytesMax = 8 << 10;
inline constexpr std::size_t kJwksBytesMax = 64 << 10;
inline constexpr std::size_t kJwksKeysMax = 16;

enum class Alg : std::uint8_t { RS256 = 1, RS384 = 2, ES256 = 3, ES384 = 4, PS256 = 5 };
std::string_view name_of(Alg alg);

/// A token taken apart; nothing in it is true before verify_jwt().
struct Jwt {
    Alg alg = Alg::ES256;
    std::string kid;
    std::string signed_text;  ///< header.payload, as they came
    Bytes signature;
    std::string issuer, subject, id;
    std::vector<std::string> audience;
    WallTime expires{};
    WallTime issued{};      ///< the epoch when absent
    WallTime not_before{};  ///< the epoch when absent
    std::string payload;    ///< the claims, a JSON object
};
/// Code::BadInput for what is no compact JWS of an allowed algorithm with an expiry.
Result<Jwt> parse_jwt(std::string_view text);

/// A public key as RFC 7517 writes it, in the form that OpenSSL reads. A key that names no
/// algorithm becomes one entry for each that suits it.
struct PublicKey {
    Alg alg = Alg::ES256;
    std::string kid;
    Bytes spki;  ///< DER of SubjectPublicKeyInfo
};
/// What to do with keys of kinds that we do not use: a program registers none, but an identity
/// provider may publish some beside those we use.
enum class OtherKeys : std::uint8_t { Refuse = 1, Skip = 2 };
/// Code::BadInput for private keys, weak keys (RSA below 2,048 bits), unknown curves, no key at
/// all.
Result<std::vector<PublicKey>> parse_jwks(std::string_view text,
                                          OtherKeys others = OtherKeys::Refuse);

/// Code::Forged unless one of the keys, by kid and algorithm, signed it.
Status verify_jwt(const Jwt& jwt, const std::vector<PublicKey>& keys);

}  // namespace hygie::access
