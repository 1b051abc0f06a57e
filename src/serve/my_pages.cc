#include <fmt/format.h>

#include <array>

#include "access/accounts/base64url.h"
#include "access/accounts/codes.h"
#include "serve/front_state.h"

/// /my: what the core shows in a browser by itself — to a patient who opened the record, to the
/// security officer what is to be reviewed. People sign in as for any program, by OAuth with PKCE;
/// the token stays in a cookie that no script can read.
namespace hygie::serve {
namespace {

constexpr std::string_view kSessionCookie = "__Host-hygie-my";
constexpr std::string_view kWayCookie = "__Host-hygie-my-way";
constexpr std::string_view kClient = "hygie-my";
/// To read what there is, and to review accesses.
constexpr std::array<std::string_view, 2> kScopes = {"user/*.rs", "user/AuditEvent.c"};
constexpr std::size_t kVerifierBytes = 32;
constexpr std::size_t kStateBytes = 16;

Response redirect(const std::string& to) {
    Response response;
    response.status = 303;
    response.headers.emplace_back("Location", to);
    add_safety_headers(response, "'self'");
    return response;
}

std::string forget(std::string_view name) {
    return cookie_line(name, "", "Lax", "; Max-Age=0");
}

}  // namespace

std::shared_ptr<const access::Account> Front::State::own_program(std::string_view client) {
    if (client != kClient || !parts.circles) return nullptr;
    const WallTime now = parts.doors.clock.now();
    access::Account account;
    account.login = ActorId(std::string(kClient));
    account.name = "Hygie";
    account.role = access::Role::Program;
    account.since = now - std::chrono::hours(1);
    account.end = now + std::chrono::hours(1);
    account.scopes.assign(kScopes.begin(), kScopes.end());
    account.redirects = {url() + "/my/back"};
    return std::make_shared<const access::Account>(std::move(account));
}

Response Front::State::my_sign_in() {
    const std::string verifier = access::to_base64url(parts.doors.random.bytes<kVerifierBytes>());
    const std::string state = access::to_base64url(parts.doors.random.bytes<kStateBytes>());
    Response response = redirect("/oauth/authorize?" +
                                 spell_form({{"response_type", "code"},
                                             {"client_id", std::string(kClient)},
                                             {"redirect_uri", url() + "/my/back"},
                                             {"scope", fmt::format("{}", fmt::join(kScopes, " "))},
                                             {"aud", url() + "/fhir"},
                                             {"state", state},
                                             {"code_challenge", access::challenge_of(verifier)},
                                             {"code_challenge_method", "S256"}}));
    response.headers.emplace_back(
        "Set-Cookie", cookie_line(kWayCookie, verifier + "." + state, "Lax", "; Max-Age=600"));
    return response;
}

/// Back from the sign-in page with a code: it becomes a session in a cookie, once traced.
void Front::State::my_back(const Request& request, Reply reply) {
    const auto form = parse_form(request.query);
    const std::string way(cookie(request, kWayCookie));
    const auto dot = way.find('.');
    if (!form || dot == std::string::npos || field(*form, "state") != way.substr(dot + 1))
        return reply(redirect("/my"));
    const std::string code(field(*form, "code"));
    const auto spent =
        codes.spend(code, ActorId(std::string(kClient)), url() + "/my/back", way.substr(0, dot));
    const auto refuse = [] {
        return message_page(403, {"Connexion refusée", "Sign-in refused"},
                            {"Revenez à /my pour recommencer.", "Go back to /my to start again."});
    };
    if (!spent || spent->grant.login.empty())
        return refuse_code(ActorId(std::string(kClient)), spent, request, std::move(reply), refuse);
    const auto account = parts.accounts.find(spent->grant.login.str());
    if (!account) return reply(refuse());
    const bool brief = account->role == access::Role::Patient;
    const auto opened = parts.sessions.prepare(
        {account->login, spent->grant.auth, ActorId(std::string(kClient)), spent->grant.scopes,
         brief ? access::kShortSession : access::kStaffSession});
    if (!opened) return reply(refuse());
    event::Event event = event_of(event::Type::SignedIn, request.peer);
    event.actor = {account->login,
                   std::string(access::name_of(account->role)),
                   spent->grant.auth,
                   {},
                   account->organisation};
    event.detail["step"] = "session";
    event.detail["client"] = kClient;
    event.detail["session"] = opened->session.id;
    traced({std::move(event)}, std::move(reply), [this, code, refuse, opened = *opened] {
        if (!parts.sessions.confirm(opened)) return refuse();
        if (!codes.gave(code, opened.session.id)) {
            const Status ended = parts.sessions.revoke_session(opened.session.id);
            return ended ? refuse() : oauth_error(503, "server_error", ended.error().what);
        }
        ++signed_in;
        Response response = redirect("/my");
        response.headers.emplace_back("Set-Cookie",
                                      cookie_line(kSessionCookie, opened.token.reveal(), "Lax"));
        response.headers.emplace_back("Set-Cookie", forget(kWayCookie));
        return response;
    });
}

void Front::State::my_out(const Request& request, const access::Session& session, Reply reply) {
    const Status ended = parts.sessions.revoke(cookie(request, kSessionCookie));
    if (!ended) return reply(oauth_error(503, "temporarily_unavailable", ended.error().what));
    event::Event event = event_of(event::Type::SignedOut, request.peer);
    event.actor = {session.actor->id,
                   std::string(access::name_of(session.actor->role)),
                   session.actor->auth,
                   {},
                   session.actor->organisation};
    event.detail["session"] = session.id;
    traced({std::move(event)}, std::move(reply), [] {
        Response response = message_page(200, {"Au revoir", "Goodbye"},
                                         {"Vous êtes déconnecté.", "You are signed out."});
        response.headers.emplace_back("Set-Cookie", forget(kSessionCookie));
        return response;
    });
}

void Front::State::my(Request request, Reply reply) {
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (reads && request.path == "/my/back") return my_back(request, std::move(reply));
    const std::string_view token = cookie(request, kSessionCookie);
    const auto session = token.empty() ? nullptr : parts.sessions.find(token);
    if (!session) return reply(my_sign_in());
    // A form of ours comes from a page of ours: a stranger's page cannot send this header.
    if (!reads && request.header("origin") != url())
        return reply(message_page(403, {"Demande refusée", "Request refused"},
                                  {"Revenez à /my.", "Go back to /my."}));
    if (!reads && request.path == "/my/out") return my_out(request, *session, std::move(reply));
    if (reads && request.path == "/my") {
        request.path = "/circles/home";
    } else if (reads && request.path == "/my/sheet") {
        request.path = "/circles/opened";
        request.query += request.query.empty() ? "format=sheet" : "&format=sheet";
    } else if (!reads && request.path == "/my/review") {
        request.path = "/circles/worklist";
        append(request.body, as_bytes("&page=1"));
    } else {
        return reply(redirect("/my"));
    }
    parts.circles(*session->actor, std::move(request), std::move(reply));
}

}  // namespace hygie::serve
