#include <fmt/format.h>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "serve/front_state.h"

/// Answers of the front that ask nothing of anybody.
namespace hygie::serve {
namespace {

using Json = nlohmann::ordered_json;

/// Below, the answer fits in one packet anyhow.
constexpr std::size_t kCompressBytesMin = 1400;
constexpr int kGzipWindow = 15 + 16;  // zlib: gzip framing
constexpr int kFastLevel = 1;

bool is_text(std::string_view type) {
    return type.contains("json") || type.contains("xml") || type.starts_with("text/plain");
}

Bytes gzip(ByteView plain) {
    z_stream stream{};
    HYGIE_CHECK(
        deflateInit2(&stream, kFastLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK,
        "zlib cannot start");
    Bytes out(deflateBound(&stream, plain.size()));
    stream.next_in = const_cast<Bytef*>(plain.data());
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    HYGIE_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflateBound() is a bound");
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

Json grants() {
    return {"authorization_code", "client_credentials", "refresh_token"};
}

Response cached_json(const Json& json) {
    Response response = json_response(200, json.dump());
    response.headers.emplace_back("Cache-Control", "max-age=300");
    return response;
}

}  // namespace

Response json_response(int status, std::string text) {
    Response response = text_response(status, text);
    response.content_type = "application/json";
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    return response;
}

Response oauth_error(int status, std::string_view error, const Text& description) {
    const Json json = {{"error", error},
                       {"error_description", description.en},
                       {"error_description_fr", description.fr}};
    Response response = json_response(status, json.dump());
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

void compress(std::string_view accepted, Response& response) {
    constexpr std::size_t kBytesMax = 1U << 30;  // zlib counts in 32 bits
    if (!accepted.contains("gzip") || accepted.contains("gzip;q=0") || response.status != 200 ||
        response.body.size() < kCompressBytesMin || response.body.size() > kBytesMax ||
        !is_text(response.content_type))
        return;
    for (const auto& [name, value] : response.headers)
        if (name == "Content-Encoding") return;
    response.body = gzip(response.body);
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.headers.emplace_back("Vary", "Accept-Encoding");
}

Response Front::State::index(const Request&) {
    const auto paragraph = [](const std::string& html) { return "<p>" + html + "</p>\n"; };
    const auto link = [](std::string_view where, const Text& words) {
        return fmt::format("<a href=\"{}\">{}</a>", where, html_of(words));
    };
    return html_page(
        200, {"Hygie", "Hygie"},
        paragraph(
            html_of({"Ce serveur garde des dossiers de santé. Chacun s'y connecte en son nom.",
                     "This server guards health records. Everybody signs in under their own "
                     "name."})) +
            paragraph(link("/my", {"Qui a ouvert mon dossier ?", "Who opened my record?"})) +
            paragraph(link("/oauth/passkeys", {"Mes clés d'accès", "My passkeys"})) +
            paragraph(html_of({"Les logiciels lisent /fhir/metadata et "
                               "/.well-known/smart-configuration.",
                               "Programs read /fhir/metadata and "
                               "/.well-known/smart-configuration."})),
        "'self'");
}

Response Front::State::health(const Request&) {
    return text_response(200, "ok\n");
}

Response Front::State::ready(const Request&) {
    trace_accounts();
    const Status ready = parts.ready ? parts.ready() : Status{};
    if (ready) return text_response(200, "ready\n");
    return text_response(503, ready.error().what.fr + " / " + ready.error().what.en + "\n");
}

namespace {

/// From this machine, and not through a proxy on it.
bool is_local(const Request& request) {
    const std::string_view peer = request.peer;
    return (peer.starts_with("127.") || peer.starts_with("::ffff:127.") || peer == "::1") &&
           request.header("x-forwarded-for").empty() && request.header("forwarded").empty();
}

}  // namespace

/// How busy a practice is, and how many patients it has, is for who looks after the machine.
bool Front::State::may_measure(const Request& request) const {
    if (is_local(request)) return true;
    const auto session = parts.sessions.find(bearer_token(request));
    return session && (session->actor->role == access::Role::Operations ||
                       session->actor->role == access::Role::Security);
}

Response Front::State::metrics(const Request& request) {
    trace_accounts();
    if (!may_measure(request)) {
        Response refusal = text_response(
            401,
            "mesures : depuis cette machine, ou avec un jeton d'exploitation ou de sécurité / "
            "metrics: from this machine, or with a token of operations or security\n");
        refusal.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="hygie")");
        return refusal;
    }
    std::string text =
        "# HELP hygie_http_answers_total Answers given since the start.\n"
        "# TYPE hygie_http_answers_total counter\n";
    {
        const std::scoped_lock lock(mutex);
        for (const auto& [what, count] : answers)
            text += fmt::format("hygie_http_answers_total{{resource=\"{}\",code=\"{}\"}} {}\n",
                                what.first, what.second, count);
    }
    text += fmt::format(
        "# HELP hygie_sign_ins_total Sessions opened since the start.\n"
        "# TYPE hygie_sign_ins_total counter\nhygie_sign_ins_total {}\n"
        "# HELP hygie_sign_ins_refused_total Sign-ins refused since the start.\n"
        "# TYPE hygie_sign_ins_refused_total counter\nhygie_sign_ins_refused_total {}\n"
        "# HELP hygie_sessions Sessions open now.\n"
        "# TYPE hygie_sessions gauge\nhygie_sessions {}\n",
        signed_in.load(), refused.load(), parts.sessions.size());
    if (parts.metrics) text += parts.metrics();
    Response response = text_response(200, text);
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return response;
}

Response Front::State::smart_configuration(const Request&) {
    const std::string at = url();
    const Json algs = {"ES256", "ES384", "RS256", "RS384", "PS256"};
    return cached_json({{"issuer", at},
                        {"jwks_uri", at + "/oauth/jwks"},
                        {"authorization_endpoint", at + "/oauth/authorize"},
                        {"token_endpoint", at + "/oauth/token"},
                        {"revocation_endpoint", at + "/oauth/revoke"},
                        {"introspection_endpoint", at + "/oauth/introspect"},
                        {"token_endpoint_auth_methods_supported", {"private_key_jwt", "none"}},
                        {"token_endpoint_auth_signing_alg_values_supported", algs},
                        {"grant_types_supported", grants()},
                        {"response_types_supported", {"code"}},
                        {"code_challenge_methods_supported", {"S256"}},
                        {"authorization_response_iss_parameter_supported", true},
                        {"scopes_supported",
                         {"openid", "fhirUser", "launch/patient", "offline_access", "online_access",
                          "patient/*.cruds", "user/*.cruds", "system/*.cruds"}},
                        {"capabilities",
                         {"launch-standalone", "client-public", "client-confidential-asymmetric",
                          "context-standalone-patient", "permission-patient", "permission-user",
                          "permission-offline", "permission-online", "permission-v1",
                          "permission-v2", "sso-openid-connect", "authorize-post"}}});
}

Response Front::State::openid_configuration(const Request&) {
    const std::string at = url();
    return cached_json({{"issuer", at},
                        {"authorization_endpoint", at + "/oauth/authorize"},
                        {"token_endpoint", at + "/oauth/token"},
                        {"jwks_uri", at + "/oauth/jwks"},
                        {"revocation_endpoint", at + "/oauth/revoke"},
                        {"introspection_endpoint", at + "/oauth/introspect"},
                        {"response_types_supported", {"code"}},
                        {"grant_types_supported", grants()},
                        {"subject_types_supported", {"public"}},
                        {"id_token_signing_alg_values_supported", {"ES256"}},
                        {"scopes_supported", {"openid", "fhirUser"}},
                        {"code_challenge_methods_supported", {"S256"}},
                        {"token_endpoint_auth_methods_supported", {"private_key_jwt", "none"}},
                        {"authorization_response_iss_parameter_supported", true}});
}

Response Front::State::jwks(const Request&) {
    return json_response(200, id_tokens.jwks());
}

}  // namespace hygie::serve
