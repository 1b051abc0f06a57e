#include "serve/upstream.h"

#include <nlohmann/json.hpp>

#include "access/accounts/base64url.h"
#include "access/accounts/codes.h"
#include "access/accounts/strict_json.h"

namespace hygie::serve {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kSecretBytes = 32;
constexpr Micros kFetchTime = std::chrono::seconds(8);
constexpr std::size_t kAnswerBytesMax = 256 << 10;

std::unexpected<Error> down() {
    return fail(
        Code::Unavailable,
        {"le fournisseur d'identité ne répond pas", "the identity provider does not answer"},
        {"connectez-vous par mot de passe, ou réessayez dans quelques minutes",
         "sign in by password, or try again in a few minutes"});
}

std::unexpected<Error> refused() {
    return fail(Code::Denied,
                {"cette connexion n'a pas commencé ici ou n'est pas allée au bout",
                 "this sign-in did not begin here or did not come to its end"},
                {"recommencez depuis la page de connexion", "start again at the sign-in page"});
}

}  // namespace

Result<Bytes> Upstream::get(const std::string& url) {
    FetchRequest request;
    request.url = url;
    request.timeout = kFetchTime;
    request.response_bytes_max = kAnswerBytesMax;
    Result<FetchResponse> answer = fetch_.fetch(request);
    if (!answer || answer->status != 200) return down();
    return std::move(answer->body);
}

Result<Bytes> Upstream::post(const std::string& url, const Form& form) {
    FetchRequest request;
    request.method = "POST";
    request.url = url;
    request.content_type = "application/x-www-form-urlencoded";
    request.body = to_bytes(as_bytes(spell_form(form)));
    request.timeout = kFetchTime;
    request.response_bytes_max = kAnswerBytesMax;
    Result<FetchResponse> answer = fetch_.fetch(request);
    if (!answer || answer->status >= 500) return down();
    if (answer->status != 200) return refused();
    return std::move(answer->body);
}

Result<access::Provider> Upstream::provider() {
    const WallTime now = clock_.now();
    {
        const std::scoped_lock lock(mutex_);
        if (now < known_until_ && now + kDiscoveryAge >= known_until_) return known_;
    }
    const Bytes text = TRY(get(settings_.issuer + "/.well-known/openid-configuration"));
    const access::Provider found = TRY(access::parse_discovery(as_text(text), settings_.issuer));
    const std::scoped_lock lock(mutex_);
    known_ = found;
    known_until_ = now + kDiscoveryAge;
    return found;
}

Result<Upstream::Begun> Upstream::begin(Form kept, const std::string& redirect) {
    const access::Provider provider_now = TRY(provider());
    const auto secret = [&] { return access::to_base64url(random_.bytes<kSecretBytes>()); };
    const std::string state = secret();
    Pending pending{secret(), secret(), secret(), std::move(kept), clock_.now() + kWaitMax};
    Form asked = {{"response_type", "code"},
                  {"client_id", settings_.client},
                  {"redirect_uri", redirect},
                  {"scope", settings_.scope},
                  {"state", state},
                  {"nonce", pending.nonce},
                  {"code_challenge", access::challenge_of(pending.verifier)},
                  {"code_challenge_method", "S256"}};
    asked.merge(TRY(parse_form(settings_.parameters)));
    const char join = provider_now.authorization.contains('?') ? '&' : '?';
    Begun begun{provider_now.authorization + join + spell_form(asked), pending.browser};
    const std::scoped_lock lock(mutex_);
    if (pending_.size() >= kPendingMax)
        std::erase_if(pending_,
                      [now = clock_.now()](const auto& one) { return one.second.end <= now; });
    if (pending_.size() >= kPendingMax)
        return fail(Code::Full, {"trop de connexions en cours", "too many sign-ins under way"},
                    {"réessayez dans quelques minutes", "try again in a few minutes"});
    pending_.emplace(state, std::move(pending));
    return begun;
}

/// A state serves once, and only the browser that left with it.
Result<Upstream::Pending> Upstream::take(std::string_view state, std::string_view browser) {
    const std::scoped_lock lock(mutex_);
    const auto found = pending_.find(state);
    if (found == pending_.end()) return refused();
    if (!equal_constant_time(as_bytes(found->second.browser), as_bytes(browser))) return refused();
    Pending pending = std::move(found->second);
    pending_.erase(found);
    if (clock_.now() >= pending.end) return refused();
    return pending;
}

Result<Upstream::Arrived> Upstream::finish(const Form& answer, std::string_view browser,
                                           const std::string& redirect) {
    Pending pending = TRY(take(field(answer, "state"), browser));
    const access::Provider asked = TRY(provider());
    const std::string_view issuer = field(answer, "iss");
    // RFC 9207: an answer that another provider mixed in is recognised here.
    if (issuer.empty() ? asked.names_itself : issuer != asked.issuer) return refused();
    if (answer.contains("error") || field(answer, "code").empty()) return refused();
    const Bytes tokens = TRY(post(asked.token, {{"grant_type", "authorization_code"},
                                                {"code", std::string(field(answer, "code"))},
                                                {"redirect_uri", redirect},
                                                {"client_id", settings_.client},
                                                {"client_secret", settings_.secret.reveal()},
                                                {"code_verifier", pending.verifier}}));
    const Json json = Json::parse(as_text(tokens), nullptr, false);
    if (!json.is_object()) return refused();
    const access::Jwt jwt = TRY(access::parse_jwt(access::text_member(json, "id_token")));
    const Bytes published = TRY(get(asked.jwks));
    const auto keys = TRY(access::parse_jwks(as_text(published), access::OtherKeys::Skip));
    Arrived arrived{TRY(access::judge_id_token(jwt, keys, asked, settings_.client, pending.nonce,
                                               clock_.now())),
                    std::move(pending.kept)};
    const std::string token = access::text_member(json, "access_token");
    if (!asked.userinfo.empty() && !token.empty()) {
        const Bytes info = TRY(post(asked.userinfo, {{"access_token", token}}));
        TRY_STATUS(access::add_userinfo(arrived.identity, as_text(info)));
    }
    return arrived;
}

}  // namespace hygie::serve
