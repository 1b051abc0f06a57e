#include <fmt/format.h>

#include "access/accounts/base64url.h"
#include "access/accounts/otp.h"
#include "serve/front_state.h"

/// A person's own passkeys: who has just proven who they are may register one or take one away. No
/// browser session: the page that follows the proof holds a ticket, good once and for minutes,
/// which is also the challenge that the new passkey answers.
namespace hygie::serve {
namespace {

constexpr std::string_view kClient = "passkeys";

std::string bound_to(std::string_view csrf, const access::Account& account) {
    return fmt::format("passkeys {} {} {}", csrf, account.login.str(), account.epoch);
}

Response problem(const Error& error) {
    return message_page(
        403, {"Rien n'a changé", "Nothing changed"},
        {error.what.fr + " : " + error.remedy.fr, error.what.en + ": " + error.remedy.en});
}

Response expired() {
    return message_page(403, {"Rien n'a changé", "Nothing changed"},
                        {"Cette page avait expiré : recommencez à /oauth/passkeys.",
                         "This page had expired: start again at /oauth/passkeys."});
}

Result<access::PasskeyCreation> creation_of(const Form& form) {
    auto client = TRY(access::from_base64url(field(form, "key_client")));
    auto data = TRY(access::from_base64url(field(form, "key_data")));
    auto key = TRY(access::from_base64url(field(form, "key")));
    const auto alg = TRY(access::passkey_alg(field(form, "key_alg")));
    return access::PasskeyCreation{std::move(client), std::move(data), std::move(key), alg};
}

}  // namespace

Response Front::State::ask_for_passkeys(const Text& notice, int status) {
    if (access::relying_party(url()).id.empty())
        return message_page(
            404, {"Pas de clés d'accès ici", "No passkeys here"},
            {"Les navigateurs n'en gardent que pour un nom : venez par le nom du service, pas par "
             "une adresse faite de chiffres. S'il n'en connaît pas, qui le tient le lui donne "
             "(--url).",
             "Browsers keep them for a name only: come by the name of the service, not by an "
             "address of numbers. If it knows none, whoever runs it gives it one (--url)."});
    return ask_sign_in({.status = status,
                        .purpose = {"pour gérer vos clés d'accès", "to manage your passkeys"},
                        .action = "/oauth/passkeys",
                        .notice = notice});
}

Response Front::State::passkeys_door(const Request&) {
    return ask_for_passkeys({}, 200);
}

void Front::State::open_passkeys(Request request, Reply reply) {
    const Result<Form> form = parse_form(as_text(request.body));
    if (!form || !is_own_form(request, *form)) return reply(expired());
    attempt({credentials(request, *form), std::string(kClient),
             [this](const Text& notice, int status) { return ask_for_passkeys(notice, status); },
             [this, peer = request.peer](const access::SignedIn& who, Reply ready) {
                 event::Event event = proven(*who.account, who.auth, std::string(kClient), peer);
                 traced({std::move(event)}, std::move(ready), [this, who] {
                     Response page = own_passkeys(*who.account);
                     page.headers.emplace_back("Set-Cookie", device_cookie(who));
                     return page;
                 });
             }},
            std::move(reply));
}

Response Front::State::own_passkeys(const access::Account& account) {
    PasskeysPage page{.login = account.login.str(),
                      .name = account.name,
                      .csrf = access::to_base64url(parts.doors.random.bytes<kCsrfBytes>()),
                      .handle = access::to_base64url(parts.sign_in.passkey_handle(account.login)),
                      .party = access::relying_party(url()).id};
    page.ticket = parts.sign_in.challenges().make(bound_to(page.csrf, account));
    for (const access::Passkey& passkey : account.passkeys)
        page.known.push_back({access::to_base64url(passkey.id), to_rfc3339(passkey.since)});
    Response shown = passkeys_page(page);
    shown.headers.emplace_back("Set-Cookie", cookie_line(kCsrfCookie, page.csrf, "Strict"));
    return shown;
}

/// Who a ticket was given to; it is not spent yet.
std::expected<std::shared_ptr<const access::Account>, Response> Front::State::holder(
    const Request& request, const Form& form) {
    const auto account = parts.accounts.find(field(form, "login"));
    const bool holds = is_own_form(request, form) && account &&
                       account->open_at(parts.doors.clock.now()) &&
                       parts.sign_in.challenges().fits(field(form, "challenge"),
                                                       bound_to(field(form, "csrf"), *account));
    if (!holds) return std::unexpected(expired());
    return account;
}

void Front::State::add_passkey(Request request, Reply reply) {
    const Form form = parse_form(as_text(request.body)).value_or(Form{});
    const auto account = holder(request, form);
    if (!account) return reply(account.error());
    const Result<access::PasskeyCreation> given = creation_of(form);
    if (!given) return reply(problem(given.error()));
    const std::string_view ticket = field(form, "challenge");
    const Result<access::Passkey> made = access::check_creation(
        *given, access::relying_party(url()), ticket, parts.doors.clock.now());
    if (!made) return reply(problem(made.error()));
    if (!parts.sign_in.challenges().spend(ticket)) return reply(expired());
    // Who loses the only key comes back by paper.
    std::vector<std::string> recovery;
    if ((*account)->recovery.empty()) recovery = access::make_recovery_codes(parts.doors.random);
    const Status added =
        parts.accounts.change((*account)->login.str(), (*account)->login, "passkey added",
                              [&](access::Account& stored) -> Status {
                                  stored.passkeys.push_back(*made);
                                  for (const std::string& code : recovery)
                                      stored.recovery.push_back(access::recovery_hash(code));
                                  return {};
                              });
    if (!added) return reply(problem(added.error()));
    trace_accounts();
    const Text message =
        recovery.empty()
            ? Text{"Elle remplace désormais mot de passe et code.",
                   "It stands in for password and code from now on."}
            : Text{
                  "Elle remplace désormais mot de passe et code. Gardez ces codes de secours, "
                  "montrés une seule fois, chacun bon une fois :",
                  "It stands in for password and code from now on. Keep these recovery codes, "
                  "shown this once, each good once:"};
    reply(message_page(200, {"Clé d'accès enregistrée", "Passkey registered"}, message, recovery));
}

void Front::State::remove_passkey(Request request, Reply reply) {
    const Form form = parse_form(as_text(request.body)).value_or(Form{});
    const auto account = holder(request, form);
    if (!account) return reply(account.error());
    if (!parts.sign_in.challenges().spend(field(form, "challenge"))) return reply(expired());
    const Bytes id = access::from_base64url(field(form, "id")).value_or(Bytes{});
    const Status removed = parts.accounts.change(
        (*account)->login.str(), (*account)->login, "passkey removed",
        [&](access::Account& stored) -> Status {
            std::erase_if(stored.passkeys,
                          [&](const access::Passkey& one) { return one.id == id; });
            return {};
        });
    if (!removed) return reply(problem(removed.error()));
    trace_accounts();
    reply(message_page(200, {"Clé d'accès retirée", "Passkey removed"},
                       {"Vos sessions ont pris fin.", "Your sessions have ended."}));
}

}  // namespace hygie::serve
