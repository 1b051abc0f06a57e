#include "access/accounts/jwt.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "access/accounts/base64url.h"
#include "access/accounts/strict_json.h"

namespace hygie::access {
namespace {

using Json = nlohmann::json;

constexpr auto kAlgs = std::to_array<std::pair<std::string_view, Alg>>({{"RS256", Alg::RS256},
                                                                        {"RS384", Alg::RS384},
                                                                        {"ES256", Alg::ES256},
                                                                        {"ES384", Alg::ES384},
                                                                        {"PS256", Alg::PS256}});
/// Seconds since 1970: the year 9999.
constexpr double kSecondsMax = 253'402'300'799.0;
constexpr std::size_t kAudiencesMax = 16;

std::unexpected<Error> no_token() {
    return fail(Code::BadInput, {"jeton signé illisible", "unreadable signed token"},
                {"envoyez un JWS compact signé en ES256, ES384, RS256, RS384 ou PS256, avec exp",
                 "send a compact JWS signed with ES256, ES384, RS256, RS384 or PS256, with exp"});
}

Result<Json> part(std::string_view encoded) {
    const Result<Bytes> bytes = from_base64url(encoded);
    if (!bytes) return no_token();
    if (!is_strict_object(as_text(*bytes))) return no_token();
    return Json::parse(as_text(*bytes), nullptr, false);
}

Status read_header(const Json& header, Jwt& jwt) {
    const std::string alg = text_member(header, "alg");
    const auto known = std::ranges::find(kAlgs, alg, &std::pair<std::string_view, Alg>::first);
    if (known == kAlgs.end()) return no_token();
    // "crit" names extensions that must be understood (RFC 7515 §4.1.11): we understand none. Keys
    // that a token brings along (jwk, jku, x5u, x5c) are not even looked at.
    if (header.contains("crit") || header.contains("b64")) return no_token();
    if (header.contains("kid") && !header["kid"].is_string()) return no_token();
    jwt.alg = known->second;
    jwt.kid = text_member(header, "kid");
    return {};
}

/// The epoch when absent.
Result<WallTime> time_member(const Json& claims, const char* name) {
    const auto found = claims.find(name);
    if (found == claims.end()) return WallTime{};
    if (!found->is_number()) return no_token();
    const double seconds = found->get<double>();
    if (!std::isfinite(seconds) || seconds < 0 || seconds > kSecondsMax) return no_token();
    return WallTime(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

Status read_audience(const Json& claims, Jwt& jwt) {
    const auto found = claims.find("aud");
    if (found == claims.end()) return {};
    if (found->is_string()) {
        jwt.audience.push_back(found->get<std::string>());
        return {};
    }
    if (!found->is_array() || found->size() > kAudiencesMax) return no_token();
    for (const Json& one : *found) {
        if (!one.is_string()) return no_token();
        jwt.audience.push_back(one.get<std::string>());
    }
    return {};
}

Status read_claims(const Json& claims, Jwt& jwt) {
    for (const char* name : {"iss", "sub", "jti"})
        if (claims.contains(name) && !claims[name].is_string()) return no_token();
    jwt.issuer = text_member(claims, "iss");
    jwt.subject = text_member(claims, "sub");
    jwt.id = text_member(claims, "jti");
    TRY_STATUS(read_audience(claims, jwt));
    if (!claims.contains("exp")) return no_token();
    jwt.expires = TRY(time_member(claims, "exp"));
    jwt.issued = TRY(time_member(claims, "iat"));
    jwt.not_before = TRY(time_member(claims, "nbf"));
    return {};
}

}  // namespace

std::string_view name_of(Alg alg) {
    return std::ranges::find(kAlgs, alg, &std::pair<std::string_view, Alg>::second)->first;
}

Result<Jwt> parse_jwt(std::string_view text) {
    if (text.size() > kJwtBytesMax) return no_token();
    const std::size_t first = text.find('.');
    const std::size_t second = text.rfind('.');
    if (first == std::string_view::npos || first == second || text.find('.', first + 1) != second)
        return no_token();
    Jwt jwt;
    TRY_STATUS(read_header(TRY(part(text.substr(0, first))), jwt));
    const Json claims = TRY(part(text.substr(first + 1, second - first - 1)));
    TRY_STATUS(read_claims(claims, jwt));
    const Result<Bytes> signature = from_base64url(text.substr(second + 1));
    if (!signature || signature->empty()) return no_token();
    jwt.signature = *signature;
    jwt.signed_text = std::string(text.substr(0, second));
    jwt.payload =
        std::string(as_text(TRY(from_base64url(text.substr(first + 1, second - first - 1)))));
    return jwt;
}

}  // namespace hygie::access
