#include <algorithm>

#include "access/decide/scope.h"
#include "serve/front_state.h"

/// Refresh tokens at the token endpoint (RFC 6749 §6, RFC 9700 §4.14; SMART App Launch 2.2,
/// "Scopes for requesting a refresh token").
namespace hygie::serve {

using access::Role;

bool asks_refresh(const std::vector<std::string>& scopes) {
    return std::ranges::any_of(scopes, [](const std::string& scope) {
        return scope == "offline_access" || scope == "online_access";
    });
}

bool Front::State::gives_refresh(const Opening& opening) const {
    return parts.refreshes != nullptr && asks_refresh(opening.allowed);
}

/// The first of a chain, or the next one.
Result<std::string> Front::State::refresh_token(const Opening& opening,
                                                const access::Session& session, Role role) {
    if (!opening.refresh.empty())
        return TRY(parts.refreshes->turn(opening.refresh, session)).reveal();
    const bool is_offline =
        std::ranges::find(opening.allowed, "offline_access") != opening.allowed.end();
    const Micros lasts =
        role == Role::Patient && is_offline ? access::kRefreshPatient : access::kRefreshStaff;
    return TRY(parts.refreshes->begin({opening.wish.login, opening.wish.auth, opening.wish.client,
                                       opening.allowed, session.since + lasts},
                                      session))
        .reveal();
}

/// What was allowed at the sign-in page, or less when the program asks for less, under what the
/// program and the person may have today.
void Front::State::serve_refresh(const Client& client, const Form& form, const Request& request,
                                 Reply reply) {
    const std::string token(field(form, "refresh_token"));
    const auto look = parts.refreshes->look(token, client.account->login);
    const access::Refresh* grant = look ? &look->grant : nullptr;
    const auto account = grant ? parts.accounts.find(grant->login.str()) : nullptr;
    if (!account)
        return refuse_refresh(client.account->login, look ? &*look : nullptr, request,
                              std::move(reply));
    const std::string wish(field(form, "scope"));
    const std::vector<std::string> now =
        scopes_for(account->role, joined(grant->scopes), client.account->scopes);
    std::vector<std::string> scopes = wish.empty() ? now : scopes_for(account->role, wish, now);
    if (scopes.empty()) return reply(no_scope());
    open_session({.wish = {grant->login, grant->auth, client.account->login, std::move(scopes), {}},
                  .grant = "refresh_token",
                  .refresh = token,
                  .allowed = grant->scopes},
                 request, std::move(reply));
}

/// One that was used before ended what it gave: somebody else holds it, and we cannot know who.
void Front::State::refuse_refresh(const ActorId& client, const access::Refreshes::Look* stolen,
                                  const Request& request, Reply reply) {
    ++refused;
    event::Event event = event_of(event::Type::SignInRefused, request.peer);
    event.outcome = event::Outcome::SeriousFailure;
    event.actor.id = stolen ? stolen->login : client;
    event.detail["client"] = client.str();
    event.detail["why"] = stolen ? "refresh replayed" : "refresh";
    if (!stolen) return refuse_stranger(std::move(event), request.peer, std::move(reply), no_grant);
    event.detail["session"] = stolen->stolen_session;
    traced({std::move(event)}, std::move(reply), no_grant);
}

/// RFC 7009: a refresh token ends with all it gave.
void Front::State::revoke_refresh(std::string_view token, const Request& request, Reply reply) {
    const auto answer = [] { return json_response(200, "{}"); };
    if (!parts.refreshes) return reply(answer());
    const auto ended = parts.refreshes->revoke(token);
    if (!ended) return reply(oauth_error(503, "temporarily_unavailable", ended.error().what));
    const auto account = parts.accounts.find(ended->login.str());
    if (!account) return reply(answer());
    event::Event event = event_of(event::Type::SignedOut, request.peer);
    event.actor = {
        account->login, std::string(access::name_of(account->role)), "", {}, account->organisation};
    event.detail["session"] = ended->session;
    event.detail["refresh"] = "ended";
    traced({std::move(event)}, std::move(reply), answer);
}

}  // namespace hygie::serve
