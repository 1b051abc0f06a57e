#include <nlohmann/json.hpp>

#include "serve/front_state.h"

/// The description of our own interfaces (OpenAPI 3.1). FHIR has its own: /fhir/metadata.
namespace hygie::serve {
namespace {

using Json = nlohmann::ordered_json;

Json answers(std::initializer_list<std::pair<const char*, const char*>> listed) {
    Json json = Json::object();
    for (const auto& [status, description] : listed) json[status] = {{"description", description}};
    return json;
}

Json reading(const char* id, const Text& summary) {
    return {{"get",
             {{"operationId", id},
              {"summary", summary.en},
              {"description", summary.fr},
              {"responses", answers({{"200", "OK"}})}}}};
}

Json form_of(std::initializer_list<const char*> required,
             std::initializer_list<const char*> other) {
    Json properties = Json::object(), must = Json::array();
    for (const char* name : required) {
        properties[name] = {{"type", "string"}};
        must.push_back(name);
    }
    for (const char* name : other) properties[name] = {{"type", "string"}};
    return {
        {"required", true},
        {"content",
         {{"application/x-www-form-urlencoded",
           {{"schema", {{"type", "object"}, {"properties", properties}, {"required", must}}}}}}}};
}

Json posting(const char* id, const Text& summary, const Json& form) {
    return {{"operationId", id},
            {"summary", summary.en},
            {"description", summary.fr},
            {"requestBody", form},
            {"responses", answers({{"200", "OK"},
                                   {"400", "RFC 6749 §5.2 error"},
                                   {"401", "invalid_client"},
                                   {"503", "no trace, no token: the ledger does not answer"}})}};
}

Json oauth_paths() {
    Json paths;
    Json page = reading("signInPage", {"Page de connexion (code d'autorisation, PKCE S256)",
                                       "Sign-in page (authorization code, PKCE S256)"});
    page["get"]["parameters"] = Json::array();
    for (const char* name : {"response_type", "client_id", "redirect_uri", "scope", "state", "aud",
                             "code_challenge", "code_challenge_method", "nonce"})
        page["get"]["parameters"].push_back(
            {{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}});
    page["post"] = posting("signIn", {"Connexion d'une personne", "A person signs in"},
                           form_of({"client_id", "redirect_uri"},
                                   {"login", "password", "code", "csrf", "scope", "state"}));
    page["post"]["responses"] = answers({{"303", "back to the program with a code"},
                                         {"403", "not signed in"},
                                         {"429", "too many tries: wait"}});
    paths["/oauth/authorize"] = page;
    paths["/oauth/token"] = {
        {"post",
         posting("token", {"Jeton d'accès", "Access token"},
                 form_of({"grant_type"}, {"code", "redirect_uri", "code_verifier", "client_id",
                                          "scope", "client_assertion", "client_assertion_type"}))}};
    paths["/oauth/revoke"] = {
        {"post", posting("revoke", {"Fin d'un jeton", "End of a token"}, form_of({"token"}, {}))}};
    paths["/oauth/introspect"] = {
        {"post", posting("introspect", {"Ce que vaut un jeton", "What a token is worth"},
                         form_of({"token"}, {"client_assertion", "client_assertion_type"}))}};
    paths["/oauth/jwks"] =
        reading("jwks", {"Clés des jetons d'identité", "Keys of identity tokens"});
    return paths;
}

Json circle_paths() {
    Json paths;
    paths["/circles/opened"] =
        reading("openedRecord", {"Qui a ouvert ce dossier (patient, représentant, sécurité)",
                                 "Who opened this record (patient, representative, security)"});
    paths["/circles/opened"]["get"]["parameters"] = Json::array();
    for (const char* name : {"patient", "until", "format"})
        paths["/circles/opened"]["get"]["parameters"].push_back(
            {{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}});
    paths["/circles/worklist"] =
        reading("workList", {"Accès à relire sous 72 heures (sécurité)",
                             "Accesses to review within 72 hours (security)"});
    paths["/circles/worklist"]["post"] =
        posting("review", {"Clôture d'une relecture", "Closing of a review"},
                form_of({"event", "finding", "words"}, {}));
    paths["/circles/unexplained"] =
        reading("unexplained", {"Accès que rien n'explique (sécurité), NDJSON",
                                "Accesses that nothing explains (security), NDJSON"});
    return paths;
}

}  // namespace

Response Front::State::openapi(const Request&) {
    Json paths = oauth_paths();
    paths["/healthz"] = reading("health", {"Le processus vit", "The process lives"});
    paths["/readyz"] = reading("ready", {"Prêt à servir", "Ready to serve"});
    paths["/readyz"]["get"]["responses"]["503"] = {{"description", "not ready, and why"}};
    paths["/metrics"] =
        reading("metrics", {"Mesures, texte Prometheus", "Metrics, Prometheus text"});
    paths["/.well-known/smart-configuration"] =
        reading("smartConfiguration", {"Découverte SMART", "SMART discovery"});
    paths["/.well-known/openid-configuration"] =
        reading("openidConfiguration", {"Découverte OpenID Connect", "OpenID Connect discovery"});
    paths["/log/checkpoint"] =
        reading("checkpoint", {"Tête signée du registre (C2SP tlog-tiles)",
                               "Signed head of the ledger (C2SP tlog-tiles)"});
    for (const char* path : {"/scim/v2/Users", "/scim/v2/ServiceProviderConfig",
                             "/scim/v2/ResourceTypes", "/scim/v2/Schemas"})
        paths[path] = reading(path + 9, {"Comptes (SCIM 2.0, portée hygie/accounts)",
                                         "Accounts (SCIM 2.0, scope hygie/accounts)"});
    if (parts.circles) paths.update(circle_paths());
    paths["/openapi.json"] = reading("openapi", {"Cette description", "This description"});
    const Json document = {{"openapi", "3.1.0"},
                           {"info",
                            {{"title", "Hygie"},
                             {"version", HYGIE_VERSION},
                             {"description", "FHIR : /fhir/metadata. / FHIR: /fhir/metadata."}}},
                           {"servers", {{{"url", url()}}}},
                           {"paths", paths}};
    return json_response(200, document.dump());
}

}  // namespace hygie::serve
