#include "access/accounts/identity.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/accounts/strict_json.h"

namespace hygie::access {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kCodeCharsMax = 9;  // a FINESS number

std::unexpected<Error> no_provider(Code code) {
    return fail(
        code,
        {"le fournisseur d'identité se décrit mal", "the identity provider describes itself badly"},
        {"vérifiez l'adresse de l'émetteur (issuer)", "check the address of the issuer"});
}

std::unexpected<Error> no_identity(Code code) {
    return fail(code,
                {"la réponse du fournisseur d'identité est refusée",
                 "the answer of the identity provider is refused"},
                {"recommencez ; si cela persiste, prévenez votre administrateur",
                 "try again; if it persists, tell your administrator"});
}

bool is_code(std::string_view text) {
    return !text.empty() && text.size() <= kCodeCharsMax && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    });
}

/// The first of an array, or null.
Json first_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_array() || found->empty() || !(*found)[0].is_object())
        return Json::object();
    return (*found)[0];
}

}  // namespace

bool is_provider_address(std::string_view text) {
    return text.starts_with("https://") || text.starts_with("http://127.0.0.1:") ||
           text.starts_with("http://[::1]:");
}

Result<Provider> parse_discovery(std::string_view text, std::string_view issuer) {
    if (text.size() > kDiscoveryBytesMax) return no_provider(Code::BadInput);
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return no_provider(Code::BadInput);
    Provider provider{text_member(json, "issuer"), text_member(json, "authorization_endpoint"),
                      text_member(json, "token_endpoint"), text_member(json, "jwks_uri"),
                      text_member(json, "userinfo_endpoint")};
    if (provider.issuer != issuer) return no_provider(Code::Forged);
    for (const std::string& address : {provider.authorization, provider.token, provider.jwks})
        if (!is_provider_address(address)) return no_provider(Code::BadInput);
    if (!provider.userinfo.empty() && !is_provider_address(provider.userinfo))
        return no_provider(Code::BadInput);
    const auto names = json.find("authorization_response_iss_parameter_supported");
    provider.names_itself = names != json.end() && names->is_boolean() && names->get<bool>();
    return provider;
}

Result<Identity> judge_id_token(const Jwt& jwt, const std::vector<PublicKey>& keys,
                                const Provider& provider, std::string_view client,
                                std::string_view nonce, WallTime now) {
    TRY_STATUS(verify_jwt(jwt, keys));
    if (!is_strict_object(jwt.payload)) return no_identity(Code::BadInput);
    const Json claims = Json::parse(jwt.payload, nullptr, false);
    const std::string party = text_member(claims, "azp");
    const bool ours = jwt.issuer == provider.issuer && !jwt.subject.empty() &&
                      std::ranges::find(jwt.audience, client) != jwt.audience.end() &&
                      (party.empty() ? jwt.audience.size() == 1 : party == client) &&
                      !nonce.empty() && text_member(claims, "nonce") == nonce;
    if (!ours) return no_identity(Code::Forged);
    if (jwt.expires <= now - kProviderSkew || jwt.issued > now + kProviderSkew ||
        jwt.not_before > now + kProviderSkew)
        return no_identity(Code::Stale);
    Identity identity;
    identity.issuer = jwt.issuer;
    identity.subjects = {jwt.subject};
    identity.name = text_member(claims, "name");
    return identity;
}

Status add_userinfo(Identity& identity, std::string_view text) {
    if (text.size() > kDiscoveryBytesMax || !is_strict_object(text))
        return no_identity(Code::BadInput);
    const Json claims = Json::parse(text, nullptr, false);
    // Nothing but `sub` ties the answer to the token (Core §5.3.2).
    if (text_member(claims, "sub") != identity.subjects.front()) return no_identity(Code::Forged);
    if (const std::string number = text_member(claims, "SubjectNameID"); !number.empty())
        identity.subjects.push_back(number);
    const auto reference = claims.find("SubjectRefPro");
    if (reference == claims.end() || !reference->is_object()) return {};
    const Json exercise = first_of(*reference, "exercices");
    const Json activity = first_of(exercise, "activities");
    const std::string profession = text_member(exercise, "codeProfession");
    if (is_code(profession)) identity.profession = profession;
    const std::string site = text_member(activity, "numeroFinessSite");
    if (is_code(site)) identity.organisation = site;
    return {};
}

}  // namespace hygie::access
