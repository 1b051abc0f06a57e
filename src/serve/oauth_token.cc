#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "access/decide/scope.h"
#include "serve/front_state.h"

/// The token endpoint and its neighbours (RFC 6749, 7009, 7523, 7662; SMART App Launch 2, SMART
/// Backend Services).
namespace hygie::serve {
namespace {

using Json = nlohmann::ordered_json;
using access::Role;

constexpr std::string_view kAssertionType =
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr std::int64_t kIdTokenSeconds = 300;

std::int64_t seconds_of(WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

Response no_client() {
    return oauth_error(
        401, "invalid_client",
        {"programme inconnu, fermé ou mal prouvé", "program unknown, closed or badly proven"});
}

Result<Form> body_form(const Request& request) {
    const std::string_view type = request.header("content-type");
    if (!type.starts_with("application/x-www-form-urlencoded"))
        return fail(Code::BadInput, {"type de contenu refusé", "content type refused"});
    return parse_form(as_text(request.body));
}

Response bad_request(const Error& error) {
    return oauth_error(400, "invalid_request", error.what);
}

bool has(const std::vector<std::string>& words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

/// "Patient/7" → "7".
std::string id_of(const std::string& reference) {
    return reference.substr(reference.find('/') + 1);
}

}  // namespace

Response no_grant() {
    return oauth_error(400, "invalid_grant",
                       {"ce code n'est pas valable : recommencez la connexion",
                        "this code is not valid: sign in again"});
}

Response no_scope() {
    return oauth_error(
        400, "invalid_scope",
        {"rien de cette portée n'est permis ici", "nothing of this scope is allowed here"});
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::vector<std::string> scopes_for(Role role, std::string_view wish,
                                    const std::vector<std::string>& ceiling) {
    std::vector<std::string> scopes = access::narrow(wish, ceiling);
    std::erase_if(scopes, [&](const std::string& text) {
        const auto scope = access::parse_scope(text);
        // A program needs no refreshing, and only a patient brings a patient along.
        if (!scope)
            return (role == Role::Program && asks_refresh({text})) ||
                   (role == Role::Program) != (text == access::kAccountsScope) ||
                   (text == "launch/patient" && role != Role::Patient);
        if (role == Role::Program) return scope->reach != access::Reach::System;
        return scope->reach == access::Reach::System ||
               (scope->reach == access::Reach::Patient && role != Role::Patient);
    });
    return scopes;
}

/// RFC 7523: a program with keys proves itself by one of them; one without is public, and only PKCE
/// binds it to its code.
std::expected<Client, Response> Front::State::authenticate(const Form& form, const Request&) {
    const std::string_view assertion = field(form, "client_assertion");
    const WallTime now = parts.doors.clock.now();
    const auto program = [&](std::string_view login) {
        auto account = parts.accounts.find(login);
        const bool fits = account && account->role == Role::Program && account->open_at(now);
        return fits ? account : nullptr;
    };
    if (assertion.empty()) {
        const auto account = program(field(form, "client_id"));
        if (!account || !account->jwks.empty()) return std::unexpected(no_client());
        return Client{account, false};
    }
    const Result<access::Jwt> jwt = access::parse_jwt(assertion);
    if (!jwt || field(form, "client_assertion_type") != kAssertionType)
        return std::unexpected(no_client());
    const std::string_view named = field(form, "client_id");
    const auto account = program(jwt->subject);
    if (!account || account->jwks.empty() || (!named.empty() && named != jwt->subject))
        return std::unexpected(no_client());
    const auto keys = access::parse_jwks(account->jwks);
    if (!keys) return std::unexpected(no_client());
    const Status accepted =
        parts.assertions.accept(*jwt, *keys, account->login, url() + "/oauth/token", now);
    if (!accepted)
        return std::unexpected(
            oauth_error(401, "invalid_client",
                        {accepted.error().what.fr + " : " + accepted.error().remedy.fr,
                         accepted.error().what.en + ": " + accepted.error().remedy.en}));
    return Client{account, true};
}

void Front::State::refuse_stranger(event::Event event, const std::string& peer, Reply reply,
                                   std::function<Response()> answer) {
    const auto is_told = [&] {
        const std::scoped_lock lock(mutex);
        const SteadyTime now = parts.doors.clock.steady();
        if (strangers.wait(peer, now) > Micros::zero()) {
            ++untold;
            return false;
        }
        strangers.failed(peer, now);
        if (untold > 0) event.detail["untold"] = std::to_string(std::exchange(untold, 0));
        return true;
    };
    if (!is_told()) return reply(answer());
    traced({std::move(event)}, std::move(reply), std::move(answer));
}

void Front::State::token(Request request, Reply reply) {
    trace_accounts();
    const Result<Form> form = body_form(request);
    if (!form) return reply(bad_request(form.error()));
    const auto client = authenticate(*form, request);
    if (!client) {
        ++refused;
        event::Event event = event_of(event::Type::SignInRefused, request.peer);
        event.outcome = event::Outcome::MinorFailure;
        event.detail["why"] = "client";
        return refuse_stranger(std::move(event), request.peer, std::move(reply),
                               [refusal = client.error()] { return refusal; });
    }
    const std::string_view grant = field(*form, "grant_type");
    if (grant == "authorization_code")
        return redeem_code(*client, *form, request, std::move(reply));
    if (grant == "client_credentials")
        return serve_backend(*client, *form, request, std::move(reply));
    if (grant == "refresh_token" && parts.refreshes)
        return serve_refresh(*client, *form, request, std::move(reply));
    reply(oauth_error(400, "unsupported_grant_type",
                      {"authorization_code, client_credentials ou refresh_token",
                       "authorization_code, client_credentials or refresh_token"}));
}

void Front::State::redeem_code(const Client& client, const Form& form, const Request& request,
                               Reply reply) {
    const std::string code(field(form, "code"));
    const auto spent = codes.spend(code, client.account->login, field(form, "redirect_uri"),
                                   field(form, "code_verifier"));
    if (spent && !spent->grant.login.empty())
        return open_session({.wish = {spent->grant.login,
                                      spent->grant.auth,
                                      client.account->login,
                                      spent->grant.scopes,
                                      {}},
                             .grant = "authorization_code",
                             .nonce = spent->grant.nonce,
                             .code = code,
                             .allowed = spent->grant.scopes},
                            request, std::move(reply));
    refuse_code(client.account->login, spent, request, std::move(reply), no_grant);
}

/// A code that gives nothing; one that was shown twice ends what its first use gave.
void Front::State::refuse_code(const ActorId& client, const Result<access::Codes::Spent>& spent,
                               const Request& request, Reply reply,
                               std::function<Response()> answer) {
    ++refused;
    event::Event event = event_of(event::Type::SignInRefused, request.peer);
    event.outcome = event::Outcome::SeriousFailure;
    event.actor.id = client;
    event.detail["why"] = spent ? "code replayed" : "code";
    if (!spent)
        return refuse_stranger(std::move(event), request.peer, std::move(reply), std::move(answer));
    if (!spent->stolen_session.empty()) {
        // Two hold the code, and we cannot know which is the thief: neither keeps anything.
        Status ended = parts.sessions.revoke_session(spent->stolen_session);
        if (ended && !spent->stolen_chain.empty())
            ended = parts.refreshes->end(spent->stolen_chain);
        event.detail["session"] = spent->stolen_session;
        if (!ended) return reply(oauth_error(503, "temporarily_unavailable", ended.error().what));
    }
    traced({std::move(event)}, std::move(reply), std::move(answer));
}

void Front::State::serve_backend(const Client& client, const Form& form, const Request& request,
                                 Reply reply) {
    if (!client.proven) return reply(no_client());
    const std::string_view wish = field(form, "scope");
    if (const Status grantable = access::check_grantable(wish); !grantable)
        return reply(oauth_error(400, "invalid_scope",
                                 {grantable.error().what.fr + " : " + grantable.error().remedy.fr,
                                  grantable.error().what.en + ": " + grantable.error().remedy.en}));
    std::vector<std::string> scopes = scopes_for(Role::Program, wish, client.account->scopes);
    if (scopes.empty()) return reply(no_scope());
    open_session({.wish = {client.account->login, "key", client.account->login, std::move(scopes),
                           access::kBackendSession},
                  .grant = "client_credentials"},
                 request, std::move(reply));
}

std::string Front::State::id_token(const access::Account& account, const ActorId& client,
                                   const std::string& nonce, bool with_user) {
    const std::int64_t now = seconds_of(parts.doors.clock.now());
    Json claims = {{"iss", url()},
                   {"sub", account.login.str()},
                   {"aud", client.str()},
                   {"iat", now},
                   {"exp", now + kIdTokenSeconds}};
    if (!nonce.empty()) claims["nonce"] = nonce;
    if (with_user && !account.person.empty())
        claims["fhirUser"] = url() + "/fhir/" + account.person;
    return id_tokens.sign(claims.dump());
}

/// Prepares a session, has it traced, then lets it work.
void Front::State::open_session(Opening opening, const Request& request, Reply reply) {
    access::Sessions::Wish& wish = opening.wish;
    const auto account = parts.accounts.find(wish.login.str());
    if (!account) return reply(no_grant());
    if (wish.lasts == Micros::zero()) {
        const bool is_short = account->role == Role::Patient || gives_refresh(opening);
        wish.lasts = is_short ? access::kShortSession : access::kStaffSession;
    }
    const Result<access::Sessions::Opened> session = parts.sessions.prepare(wish);
    if (!session) return reply(no_grant());
    event::Event event = event_of(event::Type::SignedIn, request.peer);
    event.actor = {account->login,
                   std::string(access::name_of(account->role)),
                   wish.auth,
                   {},
                   account->organisation};
    event.detail["step"] = "session";
    event.detail["grant"] = opening.grant;
    event.detail["client"] = wish.client.str();
    event.detail["session"] = session->session.id;
    if (gives_refresh(opening)) event.detail["refreshable"] = "true";
    traced({std::move(event)}, std::move(reply),
           [this, account, opening = std::move(opening), session = *session] {
               return opened(opening, session, *account);
           });
}

Response Front::State::take_back(const access::Session& session) {
    const Status ended = parts.sessions.revoke_session(session.id);
    return ended ? no_grant() : oauth_error(503, "server_error", ended.error().what);
}

/// The answer to who holds a session whose trace is in the ledger.
Response Front::State::opened(const Opening& opening, const access::Sessions::Opened& session,
                              const access::Account& account) {
    if (!parts.sessions.confirm(session)) return no_grant();
    if (!opening.code.empty() && !codes.gave(opening.code, session.session.id))
        return take_back(session.session);
    const auto lasts =
        std::chrono::floor<std::chrono::seconds>(session.session.end - session.session.since);
    const std::vector<std::string>& scopes = opening.wish.scopes;
    Json json = {{"access_token", session.token.reveal()},
                 {"token_type", "Bearer"},
                 {"expires_in", lasts.count()},
                 {"scope", joined(scopes)}};
    if (gives_refresh(opening)) {
        const auto next = refresh_token(opening, session.session, account.role);
        if (!next) return take_back(session.session);
        const std::string chain = access::Refreshes::chain_of(*next);
        if (!opening.code.empty() && !codes.gave_chain(opening.code, chain)) {
            const Status ended = parts.refreshes->end(chain);
            return ended ? no_grant() : oauth_error(503, "server_error", ended.error().what);
        }
        json["refresh_token"] = *next;
    }
    ++signed_in;
    if (const std::string patient = launch_patient(account); !patient.empty())
        json["patient"] = patient;
    if (has(scopes, "openid"))
        json["id_token"] =
            id_token(account, opening.wish.client, opening.nonce, has(scopes, "fhirUser"));
    Response response = json_response(200, json.dump());
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("Pragma", "no-cache");
    return response;
}

/// SMART's launch context: the person's own record, or that of whom they speak for.
std::string Front::State::launch_patient(const access::Account& account) {
    if (account.person.starts_with("Patient/")) return id_of(account.person);
    if (account.role != Role::Patient || !parts.patient_of) return "";
    return parts.patient_of(account.person);
}

/// RFC 7009. Who shows a token may end it; an unknown one is answered the same.
void Front::State::revoke(Request request, Reply reply) {
    const Result<Form> form = body_form(request);
    if (!form) return reply(bad_request(form.error()));
    const std::string_view token = field(*form, "token");
    const auto session = parts.sessions.find(token);
    if (!session) return revoke_refresh(token, request, std::move(reply));
    const Status ended = parts.sessions.revoke(token);
    if (!ended) return reply(oauth_error(503, "temporarily_unavailable", ended.error().what));
    event::Event event = event_of(event::Type::SignedOut, request.peer);
    event.actor = {session->actor->id,
                   std::string(access::name_of(session->actor->role)),
                   session->actor->auth,
                   {},
                   session->actor->organisation};
    event.detail["session"] = session->id;
    traced({std::move(event)}, std::move(reply), [] { return json_response(200, "{}"); });
}

/// RFC 7662, for programs that prove themselves by a key or hold a token of their own.
void Front::State::introspect(Request request, Reply reply) {
    const Result<Form> form = body_form(request);
    if (!form) return reply(bad_request(form.error()));
    const auto asker = parts.sessions.find(bearer_token(request));
    bool allowed = asker && asker->actor->role == Role::Program;
    if (!allowed && form->contains("client_assertion")) {
        const auto client = authenticate(*form, request);
        allowed = client && client->proven;
    }
    if (!allowed) return reply(no_client());
    const auto session = parts.sessions.find(field(*form, "token"));
    Json json = {{"active", session != nullptr}};
    if (session) {
        const auto account = parts.accounts.find(session->actor->id.str());
        json["iss"] = url();
        json["token_type"] = "Bearer";
        json["sub"] = json["username"] = session->actor->id.str();
        json["client_id"] = session->client.str();
        json["scope"] = joined(session->actor->scopes);
        json["iat"] = seconds_of(session->since);
        json["exp"] = seconds_of(session->end);
        if (account && !account->person.empty())
            json["fhirUser"] = url() + "/fhir/" + account->person;
        if (account)
            if (const std::string patient = launch_patient(*account); !patient.empty())
                json["patient"] = patient;
    }
    Response response = json_response(200, json.dump());
    response.headers.emplace_back("Cache-Control", "no-store");
    reply(std::move(response));
}

}  // namespace hygie::serve
