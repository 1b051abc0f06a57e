#include "serve/gate.h"

#include <memory>

namespace hygie::serve {
namespace {

constexpr std::string_view kScheme = "bearer ";

bool is_bearer(std::string_view value) {
    if (value.size() <= kScheme.size()) return false;
    for (std::size_t i = 0; i < kScheme.size(); ++i) {
        const char c = value[i];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != kScheme[i]) return false;
    }
    return true;
}

/// Nothing of the request is repeated, and a token that never was looks like one that ended.
Response refusal(bool had_token) {
    Response response;
    response.status = 401;
    response.content_type = "application/fhir+json; charset=utf-8";
    response.headers.emplace_back(
        "WWW-Authenticate",
        had_token ? R"(Bearer realm="hygie", error="invalid_token")" : R"(Bearer realm="hygie")");
    response.headers.emplace_back("Cache-Control", "no-store");
    constexpr std::string_view kBody =
        R"({"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"login",)"
        R"("diagnostics":"Connectez-vous : demandez un jeton à /oauth/token (voir )"
        R"(/.well-known/smart-configuration), puis envoyez-le dans « Authorization: Bearer … ». )"
        R"(/ Sign in: get a token from /oauth/token (see /.well-known/smart-configuration), )"
        R"(then send it as \"Authorization: Bearer …\"."}]})";
    response.body = to_bytes(as_bytes(kBody));
    return response;
}

}  // namespace

std::string_view bearer_token(const Request& request) {
    const std::string_view value = request.header("authorization");
    if (!is_bearer(value)) return {};
    return value.substr(kScheme.size());
}

AsyncHandler gate(access::Sessions& sessions, SignedHandler next) {
    return [&sessions, shared = std::make_shared<SignedHandler>(std::move(next))](Request request,
                                                                                  Reply reply) {
        const std::string_view token = bearer_token(request);
        const auto session = token.empty() ? nullptr : sessions.find(token);
        if (!session) return reply(refusal(!token.empty()));
        (*shared)(*session->actor, std::move(request), std::move(reply));
    };
}

}  // namespace hygie::serve
