#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "access/accounts/base64url.h"
#include "access/decide/scope.h"
#include "serve/front_state.h"
#include "serve/scope_words.h"

/// The sign-in page (RFC 6749 §4.1, RFC 7636, RFC 9700): a person proves who they are, and the
/// program that asked gets a code. No browser session is kept: each program asks anew.
namespace hygie::serve {
namespace {

using access::SignInRefusal;

constexpr std::string_view kDeviceCookie = "__Host-hygie-device";
/// What the challenge of a passkey is bound to, before the secret of the page.
constexpr const char* kSignInAsk = "sign in ";
constexpr std::size_t kStateBytesMax = 2048;
/// What the form of the page sends back unchanged.
constexpr auto kKept =
    std::to_array<std::string_view>({"response_type", "client_id", "redirect_uri", "scope", "state",
                                     "aud", "code_challenge", "code_challenge_method", "nonce"});

Response refuse_here(const Text& why) {
    return message_page(400, {"Demande refusée", "Request refused"}, why);
}

/// What the person chose at the page, as fields.
Form choice_in(const Form& form) {
    Form choice;
    for (const auto& [name, value] : form)
        if (name == kChoice || name.starts_with(kAllowed)) choice.emplace(name, value);
    return choice;
}

bool is_allowed(const Form& choice, std::string_view scope) {
    return choice.empty() || std::ranges::any_of(choice, [&](const auto& one) {
               return one.first != kChoice && one.second == scope;
           });
}

bool is_refresh_scope(std::string_view scope) {
    return scope == "offline_access" || scope == "online_access";
}

bool has_resources(std::string_view scope) {
    return scope.contains('/') && scope.contains('.');
}

Text told(const SignInRefusal& refusal) {
    if (refusal.why == SignInRefusal::Why::Passkey)
        return {"Cette clé d'accès n'est pas acceptée : essayez encore, ou autrement.",
                "This passkey is not accepted: try again, or another way."};
    if (refusal.why == SignInRefusal::Why::Frozen)
        return {
            "Ce compte est gelé le temps d'examiner un incident. Appelez la personne "
            "responsable de la sécurité, qui peut le rendre aussitôt.",
            "This account is frozen while an incident is looked into. Call the security "
            "officer, who can give it back at once."};
    if (refusal.why != SignInRefusal::Why::Wait)
        return {"Identifiant, mot de passe ou code incorrect.",
                "Login, password or code is not right."};
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(refusal.wait).count();
    return {fmt::format("Trop d'essais : recommencez dans {} s.", seconds),
            fmt::format("Too many tries: try again in {} s.", seconds)};
}

std::string_view name_of(SignInRefusal::Why why) {
    switch (why) {
        case SignInRefusal::Why::Unknown:
            return "unknown";
        case SignInRefusal::Why::Closed:
            return "closed";
        case SignInRefusal::Why::Password:
            return "password";
        case SignInRefusal::Why::Code:
            return "code";
        case SignInRefusal::Why::Wait:
            return "wait";
        case SignInRefusal::Why::Passkey:
            return "passkey";
        case SignInRefusal::Why::Frozen:
            return "frozen";
    }
    return "";
}

}  // namespace

std::string cookie_line(std::string_view name, std::string_view value, std::string_view site,
                        std::string_view more) {
    return fmt::format("{}={}; Path=/; Secure; HttpOnly; SameSite={}{}", name, value, site, more);
}

/// Whatever is wrong before the program and its address are known is told here and never sent on:
/// an open redirect would lend our name to a thief.
std::expected<AuthorizeWish, Response> Front::State::read_wish(Form form) {
    AuthorizeWish wish;
    wish.program = own_program(field(form, "client_id"));
    if (!wish.program) wish.program = parts.accounts.find(field(form, "client_id"));
    const bool known = wish.program && wish.program->role == access::Role::Program &&
                       wish.program->open_at(parts.doors.clock.now());
    wish.redirect = std::string(field(form, "redirect_uri"));
    if (!known ||
        std::ranges::find(wish.program->redirects, wish.redirect) == wish.program->redirects.end())
        return std::unexpected(refuse_here(
            {"Ce programme ou son adresse de retour n'est pas enregistré : voyez « hygie user ».",
             "This program or its return address is not registered: see “hygie user”."}));
    wish.state = std::string(field(form, "state"));
    wish.challenge = std::string(field(form, "code_challenge"));
    wish.nonce = std::string(field(form, "nonce"));
    wish.scope = std::string(field(form, "scope"));
    const auto back = [&](std::string_view error, std::string_view why) {
        return std::unexpected(send_back(
            wish, {{"error", std::string(error)}, {"error_description", std::string(why)}}));
    };
    if (wish.state.size() > kStateBytesMax || wish.nonce.size() > kStateBytesMax)
        return back("invalid_request", "state or nonce too long");
    if (field(form, "response_type") != "code")
        return back("unsupported_response_type", "only response_type=code");
    // No challenge or the method "plain" would be a downgrade (RFC 9700 §2.1.1).
    if (field(form, "code_challenge_method") != "S256" || !access::is_challenge(wish.challenge))
        return back("invalid_request", "PKCE is required: code_challenge_method=S256");
    const std::string server = url() + "/fhir";
    const std::string_view audience = field(form, "aud");
    if (audience.empty() ? has_resources(wish.scope)
                         : audience != server && audience != server + "/")
        return back("invalid_request", "aud must be the address of the FHIR server");
    if (!access::check_grantable(wish.scope))
        return back("invalid_scope",
                    "a scope bounded by a search (?) that no resource can be judged by");
    // Judged again for the person who signs in; here only whether anything can come of it.
    wish.asked = access::narrow(wish.scope, wish.program->scopes);
    if (wish.asked.empty())
        return back("invalid_scope", "nothing of this scope is allowed to this program");
    wish.choice = choice_in(form);
    for (const std::string_view name : kKept)
        if (form.contains(name)) wish.kept.emplace(name, field(form, name));
    return wish;
}

/// Back to the program's registered address, with our own name (RFC 9207).
Response Front::State::send_back(const AuthorizeWish& wish, Form answer) {
    if (!wish.state.empty()) answer.emplace("state", wish.state);
    answer.emplace("iss", url());
    Response response;
    response.status = 303;
    const char join = wish.redirect.contains('?') ? '&' : '?';
    response.headers.emplace_back("Location", wish.redirect + join + spell_form(answer));
    add_safety_headers(response, "'none'");
    return response;
}

Response Front::State::ask_sign_in(SignInPage page) {
    page.csrf = access::to_base64url(parts.doors.random.bytes<kCsrfBytes>());
    page.passkey.party = access::relying_party(url()).id;
    page.passkey.challenge = parts.sign_in.challenges().make(kSignInAsk + page.csrf);
    Response shown = sign_in_page(page);
    shown.headers.emplace_back("Set-Cookie", cookie_line(kCsrfCookie, page.csrf, "Strict"));
    return shown;
}

Response Front::State::page_for(const AuthorizeWish& wish, const Text& notice, int status) {
    const std::string& name = wish.program->name;
    SignInPage page{.status = status,
                    .purpose = {"pour ouvrir « " + name + " »", "to open “" + name + "”"},
                    .action = "/oauth/authorize",
                    .kept = wish.kept,
                    .notice = notice,
                    .redirect = wish.redirect};
    const bool is_ours = own_program(wish.program->login.str()) != nullptr;
    for (const std::string& scope : wish.asked)
        if (!is_ours && !scope.starts_with("system/"))  // of a program alone, given to no person
            page.asks.push_back({scope, words_of_scope(scope), is_allowed(wish.choice, scope)});
    if (parts.upstream) {
        page.elsewhere = parts.upstream->settings().name;
        page.elsewhere_address = parts.upstream->settings().issuer;
    }
    return ask_sign_in(std::move(page));
}

/// Whether the form came from our own page in this browser: the cookie that a stranger's page can
/// neither read nor send, and where the browser says it came from.
bool Front::State::is_own_form(const Request& request, const Form& form) {
    const std::string_view site = request.header("sec-fetch-site");
    const std::string_view origin = request.header("origin");
    const std::string_view kept = cookie(request, kCsrfCookie);
    return (site.empty() || site == "same-origin") && (origin.empty() || origin == url()) &&
           kept.size() >= kCsrfBytes &&
           equal_constant_time(as_bytes(kept), as_bytes(field(form, "csrf")));
}

Response Front::State::authorize_page(const Request& request) {
    const Result<Form> form = parse_form(request.query);
    if (!form) return refuse_here(form.error().what);
    const auto wish = read_wish(*form);
    return wish ? page_for(*wish, {}, 200) : wish.error();
}

void Front::State::authorize(Request request, Reply reply) {
    trace_accounts();
    const Result<Form> form = parse_form(as_text(request.body));
    if (!form) return reply(refuse_here(form.error().what));
    const auto wish = read_wish(*form);
    if (!wish) return reply(wish.error());
    if (!form->contains("login")) return reply(page_for(*wish, {}, 200));  // SMART "authorize-post"
    if (!is_own_form(request, *form))
        return reply(page_for(*wish,
                              {"Cette page avait expiré : recommencez.",
                               "This page had expired: please start again."},
                              403));
    if (form->contains(kRefusal)) return reply(send_back(*wish, {{"error", "access_denied"}}));
    attempt({credentials(request, *form), wish->program->login.str(),
             [this, wish = *wish](const Text& notice, int status) {
                 return page_for(wish, notice, status);
             },
             [this, wish = *wish, peer = request.peer](const access::SignedIn& who, Reply ready) {
                 let_in(wish, who.account, who.auth, device_cookie(who), peer, std::move(ready));
             }},
            std::move(reply));
}

/// What the form of a sign-in page says. A passkey that answers no question of that page is judged
/// without one, and refused.
access::Credentials Front::State::credentials(const Request& request, const Form& form) {
    access::Credentials given{
        .login = std::string(field(form, "login")),
        .password = Sensitive<std::string>(std::string(field(form, "password"))),
        .code = std::string(field(form, "code")),
        .peer = request.peer,
        .device = std::string(cookie(request, kDeviceCookie))};
    if (field(form, "key_id").empty()) return given;
    const auto raw = [&](std::string_view name) {
        return access::from_base64url(field(form, name)).value_or(Bytes{});
    };
    given.passkey = {raw("key_id"), raw("key_client"), raw("key_data"), raw("key_signature"),
                     raw("key_handle")};
    given.party = access::relying_party(url());
    const std::string_view challenge = field(form, "challenge");
    const std::string bound = kSignInAsk + std::string(field(form, "csrf"));
    if (parts.sign_in.challenges().fits(challenge, bound)) given.challenge = challenge;
    return given;
}

std::string Front::State::device_cookie(const access::SignedIn& who) {
    return cookie_line(kDeviceCookie, who.device, "Strict", "; Max-Age=15552000");
}

void Front::State::attempt(Attempt tried, Reply reply) {
    // A passkey costs no hash: it waits behind no guesses, and neither do people who are known.
    const bool is_quick = tried.given.passkey && tried.given.password.reveal().empty();
    if (is_quick || parts.sign_in.knows_device(tried.given.login, tried.given.device))
        return judge(tried, std::move(reply));
    later(guesses, std::move(reply), [this, tried = std::move(tried)](Reply ready_reply) {
        judge(tried, std::move(ready_reply));
    });
}

void Front::State::judge(const Attempt& tried, Reply reply) {
    const auto judged = parts.sign_in.judge(tried.given);
    if (judged) return tried.then(*judged, std::move(reply));
    const SignInRefusal& refusal = judged.error();
    ++refused;
    const bool waits = refusal.why == SignInRefusal::Why::Wait;
    Response page = tried.page(told(refusal), waits ? 429 : 403);
    if (waits)
        page.headers.emplace_back(
            "Retry-After",
            std::to_string(std::chrono::ceil<std::chrono::seconds>(refusal.wait).count()));
    if (!refusal.worth_a_trace) return reply(page);
    event::Event event = event_of(event::Type::SignInRefused, tried.given.peer);
    event.outcome = event::Outcome::MinorFailure;
    event.actor.id = refusal.account;
    event.detail["why"] = name_of(refusal.why);
    event.detail["client"] = tried.client;
    traced({std::move(event)}, std::move(reply), [page] { return page; });
}

/// The event of a proof that held.
event::Event Front::State::proven(const access::Account& account, const std::string& auth,
                                  const std::string& client, const std::string& peer) {
    event::Event event = event_of(event::Type::SignedIn, peer);
    event.actor = {
        account.login, std::string(access::name_of(account.role)), auth, {}, account.organisation};
    event.detail["step"] = "proof";
    event.detail["client"] = client;
    return event;
}

/// What comes of a wish for this person: what the program may get, the person may give, and has
/// allowed. None of the data that was asked for is a refusal, never a token that reads nothing.
std::vector<std::string> Front::State::allowed(const AuthorizeWish& wish, access::Role role) const {
    std::vector<std::string> scopes = scopes_for(role, wish.scope, wish.program->scopes);
    std::erase_if(scopes, [&](const std::string& scope) {
        return !is_allowed(wish.choice, scope) ||
               (parts.refreshes == nullptr && is_refresh_scope(scope));
    });
    const bool has_any =
        std::ranges::any_of(scopes, [](const std::string& scope) { return has_resources(scope); });
    if (has_resources(wish.scope) && !has_any) scopes.clear();
    return scopes;
}

/// Somebody proved who they are: once that is in the ledger, the program gets its code.
void Front::State::let_in(const AuthorizeWish& wish, std::shared_ptr<const access::Account> account,
                          const std::string& auth, const std::string& cookie,
                          const std::string& peer, Reply reply) {
    event::Event event = proven(*account, auth, wish.program->login.str(), peer);
    traced({std::move(event)}, std::move(reply), [this, wish, account, auth, cookie]() -> Response {
        const std::vector<std::string> scopes = allowed(wish, account->role);
        Response back = send_back(
            wish, {{"error", wish.choice.empty() ? "invalid_scope" : "access_denied"},
                   {"error_description", "nothing of what was asked is given to this person"}});
        if (!scopes.empty()) {
            const Result<std::string> code =
                codes.make({account->login, auth, wish.program->login, wish.redirect,
                            wish.challenge, scopes, wish.nonce});
            back = send_back(
                wish, code ? Form{{"code", *code}} : Form{{"error", "temporarily_unavailable"}});
        }
        back.headers.emplace_back("Set-Cookie", cookie);
        return back;
    });
}

}  // namespace hygie::serve
