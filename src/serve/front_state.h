#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "access/accounts/codes.h"
#include "access/accounts/throttle.h"
#include "serve/forms.h"
#include "serve/front.h"
#include "serve/id_tokens.h"
#include "serve/pages.h"
#include "serve/workers.h"

/// Inside of the front: what its files share.
namespace hygie::serve {

/// What a program asks at the sign-in page, once checked.
struct AuthorizeWish {
    std::shared_ptr<const access::Account> program;
    std::string redirect, state, challenge, nonce, scope;
    Form kept;                       ///< as it came, for the form of the page
    std::vector<std::string> asked;  ///< what of the scope the program may get at all
    Form choice;                     ///< what the person allowed, as the form said; may be empty
};

/// A program that proved who it is, or a public one that is only named.
struct Client {
    std::shared_ptr<const access::Account> account;
    bool proven = false;
};

/// A session on its way to the program that will hold it.
struct Opening {
    access::Sessions::Wish wish;
    std::string grant;                   ///< grant_type
    std::string nonce{};                 ///< of OpenID Connect
    std::string code{};                  ///< spent for it
    std::string refresh{};               ///< used up by it
    std::vector<std::string> allowed{};  ///< at the sign-in page, where the session has less
};

/// Somebody at a page of ours tries to prove who they are.
struct Attempt {
    access::Credentials given;
    std::string client;  ///< what it is for: the login of a program, or a page of ours
    std::function<Response(const Text& notice, int status)> page;  ///< shown again to who fails
    std::function<void(const access::SignedIn&, Reply)> then;
};

struct Front::State {
    explicit State(FrontParts given);
    ~State();

    // front.cc
    void route(Request request, Reply reply);
    std::string url();
    Reply watched(const Request& request, Reply reply);
    bool is_known_origin(const std::string& origin);
    void add_cors(const std::string& origin, Response& response);
    /// Runs on a thread of those that may wait; 503 when too much waits.
    static void later(Workers& where, Reply reply, std::function<void(Reply)> task);
    void later(Reply reply, std::function<void(Reply)> task) {
        later(workers, std::move(reply), std::move(task));
    }
    /// Answers with `then()`, on a thread that may wait, once the events are in the ledger.
    void traced(std::vector<event::Event> events, Reply reply, std::function<Response()> then);
    event::Event event_of(event::Type type, const std::string& peer);
    event::Event scim_refusal(const access::Actor& actor, const Request& request, int status);
    void trace_accounts();

    // Answers that wait for nothing.
    Response index(const Request& request);
    Response health(const Request& request);
    Response ready(const Request& request);
    bool may_measure(const Request& request) const;
    Response metrics(const Request& request);
    Response smart_configuration(const Request& request);
    Response openid_configuration(const Request& request);
    Response jwks(const Request& request);
    Response openapi(const Request& request);
    Response authorize_page(const Request& request);

    // Answers that wait: for a hash, a disk, the ledger.
    void authorize(Request request, Reply reply);
    void token(Request request, Reply reply);
    void revoke(Request request, Reply reply);
    void introspect(Request request, Reply reply);

    // oauth_upstream.cc
    void leave(Request request, Reply reply);
    void arrive(Request request, Reply reply);
    Status learn(const access::Account& account, const access::Identity& identity);
    std::string callback() { return url() + "/oauth/callback"; }

    // oauth_authorize.cc
    access::Credentials credentials(const Request& request, const Form& form);
    void attempt(Attempt tried, Reply reply);
    void judge(const Attempt& tried, Reply reply);
    event::Event proven(const access::Account& account, const std::string& auth,
                        const std::string& client, const std::string& peer);
    static std::string device_cookie(const access::SignedIn& who);
    Response ask_sign_in(SignInPage page);
    void let_in(const AuthorizeWish& wish, std::shared_ptr<const access::Account> account,
                const std::string& auth, const std::string& cookie, const std::string& peer,
                Reply reply);
    std::vector<std::string> allowed(const AuthorizeWish& wish, access::Role role) const;
    std::expected<AuthorizeWish, Response> read_wish(Form form);
    Response page_for(const AuthorizeWish& wish, const Text& notice, int status);
    Response send_back(const AuthorizeWish& wish, Form answer);
    bool is_own_form(const Request& request, const Form& form);

    // front_passkeys.cc
    Response passkeys_door(const Request& request);
    Response ask_for_passkeys(const Text& notice, int status);
    void open_passkeys(Request request, Reply reply);
    void add_passkey(Request request, Reply reply);
    void remove_passkey(Request request, Reply reply);
    Response own_passkeys(const access::Account& account);
    std::expected<std::shared_ptr<const access::Account>, Response> holder(const Request& request,
                                                                           const Form& form);

    // oauth_token.cc
    std::expected<Client, Response> authenticate(const Form& form, const Request& request);
    void redeem_code(const Client& client, const Form& form, const Request& request, Reply reply);
    /// Answers who proved nothing. Traced the first times an address does so, then ever more
    /// rarely, with how many were not: strangers do not fill the ledger.
    void refuse_stranger(event::Event event, const std::string& peer, Reply reply,
                         std::function<Response()> answer);
    void refuse_code(const ActorId& client, const Result<access::Codes::Spent>& spent,
                     const Request& request, Reply reply, std::function<Response()> answer);
    void serve_backend(const Client& client, const Form& form, const Request& request, Reply reply);
    void open_session(Opening opening, const Request& request, Reply reply);
    Response opened(const Opening& opening, const access::Sessions::Opened& session,
                    const access::Account& account);
    /// A session that nobody gets ends.
    Response take_back(const access::Session& session);
    std::string launch_patient(const access::Account& account);

    // oauth_refresh.cc
    void serve_refresh(const Client& client, const Form& form, const Request& request, Reply reply);
    void refuse_refresh(const ActorId& client, const access::Refreshes::Look* stolen,
                        const Request& request, Reply reply);
    void revoke_refresh(std::string_view token, const Request& request, Reply reply);
    bool gives_refresh(const Opening& opening) const;
    Result<std::string> refresh_token(const Opening& opening, const access::Session& session,
                                      access::Role role);
    std::string id_token(const access::Account& account, const ActorId& client,
                         const std::string& nonce, bool with_user);

    // my_pages.cc
    void my(Request request, Reply reply);
    void my_back(const Request& request, Reply reply);
    void my_out(const Request& request, const access::Session& session, Reply reply);
    Response my_sign_in();
    /// The core's own pages as a program that people sign in to; null for any other name.
    std::shared_ptr<const access::Account> own_program(std::string_view client);

    FrontParts parts;
    std::mutex mutex;
    std::string address;  ///< parts.url, once known
    std::set<std::string> origins;
    std::uint64_t origins_version = 0;
    std::map<std::pair<std::string, int>, std::uint64_t> answers;
    std::atomic<std::uint64_t> signed_in{0}, refused{0};
    std::atomic<std::uint64_t> accounts_traced{0};
    /// Hand-overs of trace_accounts() that the sink has not answered.
    std::shared_ptr<std::atomic<int>> tracing = std::make_shared<std::atomic<int>>(0);
    access::Throttle strangers;  ///< addresses by which nothing was proven
    std::uint64_t untold = 0;    ///< refusals of strangers since the last that was traced
    access::Codes codes;
    IdTokens id_tokens;
    AsyncHandler records;
    AsyncHandler log;
    AsyncHandler scim;
    AsyncHandler circles;
    // Last: their tasks use the rest.
    Workers workers;
    Workers guesses;  ///< passwords from devices nobody knows: a flood of them delays nobody else
};

/// Scopes that a session may have: the wish, under the ceiling of the program, for such an account.
std::vector<std::string> scopes_for(access::Role role, std::string_view wish,
                                    const std::vector<std::string>& ceiling);
/// Whether one of the scopes asks to go on after the session.
bool asks_refresh(const std::vector<std::string>& scopes);
std::string joined(const std::vector<std::string>& words);
Response no_grant();
Response no_scope();

/// Marks a form of ours, and the browser it was shown in.
inline constexpr std::string_view kCsrfCookie = "__Host-hygie-form";
inline constexpr std::size_t kCsrfBytes = 24;

/// A line of Set-Cookie for our own pages alone; `site` is "Strict" or "Lax".
std::string cookie_line(std::string_view name, std::string_view value, std::string_view site,
                        std::string_view more = "");

/// RFC 6749 §5.2: an error that programs understand, and people in both languages.
Response oauth_error(int status, std::string_view error, const Text& description);
Response json_response(int status, std::string text);

/// Compresses an answer when the client takes gzip and it is worth it. Never pages: they hold
/// secrets beside text that strangers choose.
void compress(std::string_view accepted, Response& response);

}  // namespace hygie::serve
