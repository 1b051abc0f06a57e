#include "serve/front_state.h"

/// Signing in at an identity provider: away from the page, and back with an answer.
namespace hygie::serve {
namespace {

/// Lax: the way back from the provider is a navigation from another site.
constexpr std::string_view kBrowserCookie = "__Host-hygie-upstream";

Response problem(int status, const Error& error) {
    return message_page(
        status, {"Connexion impossible", "Sign-in failed"},
        {error.what.fr + " : " + error.remedy.fr, error.what.en + ": " + error.remedy.en});
}

int status_of(const Error& error) {
    return error.code == Code::Unavailable || error.code == Code::Full ? 503 : 403;
}

std::shared_ptr<const access::Account> account_of(access::Accounts& accounts,
                                                  const access::Identity& identity) {
    for (const std::string& subject : identity.subjects)
        if (auto account = accounts.find_identity(identity.issuer + " " + subject)) return account;
    return nullptr;
}

/// Would be open, were it not for an incident. Its person has proven who they are to the provider.
bool is_frozen_alone(const access::Account& account, WallTime now) {
    return account.frozen_at(now) && !account.disabled && now < account.end &&
           account.role != access::Role::Program;
}

Error frozen_error() {
    return {Code::Denied,
            {"votre identité est reconnue, mais votre compte est gelé le temps d'examiner un "
             "incident",
             "your identity is known, but your account is frozen while an incident is looked into"},
            {"appelez la personne responsable de la sécurité, qui peut le rendre aussitôt",
             "call the security officer, who can give it back at once"},
            {}};
}

}  // namespace

void Front::State::leave(Request request, Reply reply) {
    const Result<Form> form = parse_form(as_text(request.body));
    if (!parts.upstream || !form)
        return reply(oauth_error(404, "not_found", {"rien à cette adresse", "nothing here"}));
    const auto wish = read_wish(*form);
    if (!wish) return reply(wish.error());
    if (!is_own_form(request, *form))
        return reply(page_for(*wish,
                              {"Cette page avait expiré : recommencez.",
                               "This page had expired: please start again."},
                              403));
    Form kept = wish->kept;
    kept.insert(wish->choice.begin(), wish->choice.end());
    const Result<Upstream::Begun> begun = parts.upstream->begin(kept, callback());
    if (!begun) return reply(problem(status_of(begun.error()), begun.error()));
    Response away;
    away.status = 303;
    away.headers.emplace_back("Location", begun->address);
    away.headers.emplace_back("Set-Cookie",
                              cookie_line(kBrowserCookie, begun->browser, "Lax", "; Max-Age=600"));
    add_safety_headers(away, "'none'");
    reply(std::move(away));
}

/// Profession and present activity are facts of the national directory, not of ours. They change
/// the account, so that every decision and trace stands on them.
Status Front::State::learn(const access::Account& account, const access::Identity& identity) {
    const std::string& profession =
        identity.profession.empty() ? account.profession : identity.profession;
    std::string place;
    if (parts.organisation_of && !identity.organisation.empty())
        place = parts.organisation_of(identity.organisation);
    if (place.empty()) place = account.organisation;
    if (profession == account.profession && place == account.organisation) return {};
    return parts.accounts.change(account.login.str(), account.login, "activity",
                                 [&](access::Account& stored) -> Status {
                                     stored.profession = profession;
                                     stored.organisation = place;
                                     return {};
                                 });
}

void Front::State::arrive(Request request, Reply reply) {
    trace_accounts();
    const Result<Form> answer = parse_form(request.query);
    if (!answer) return reply(problem(400, answer.error()));
    const auto refuse = [&](const Error& error, std::string_view why, const ActorId& who) {
        ++refused;
        event::Event event = event_of(event::Type::SignInRefused, request.peer);
        event.outcome = event::Outcome::MinorFailure;
        event.actor.id = who;
        event.actor.auth = parts.upstream->settings().auth;
        event.detail["why"] = why;
        const auto page = [page = problem(status_of(error), error)] { return page; };
        // Whom the provider knows has proven something; anybody may come with a made-up answer.
        if (why == "provider")
            return refuse_stranger(std::move(event), request.peer, std::move(reply), page);
        traced({std::move(event)}, std::move(reply), page);
    };
    const auto arrived =
        parts.upstream->finish(*answer, cookie(request, kBrowserCookie), callback());
    if (!arrived) return refuse(arrived.error(), "provider", {});
    const auto wish = read_wish(arrived->kept);
    if (!wish) return reply(wish.error());
    const access::Identity& identity = arrived->identity;
    const auto account = account_of(parts.accounts, identity);
    const WallTime now = parts.doors.clock.now();
    if (account && is_frozen_alone(*account, now))
        return refuse(frozen_error(), "frozen", account->login);
    if (!account || !account->open_at(now) || account->role == access::Role::Program)
        return refuse(
            {Code::Denied,
             {"votre identité est reconnue, mais aucun compte ouvert n'y est rattaché ici",
              "your identity is known, but no open account here bears it"},
             {"demandez à votre administrateur de rattacher cette identité à votre compte",
              "ask your administrator to attach this identity to your account"},
             {}},
            "no account", account ? account->login : ActorId());
    if (const Status known = learn(*account, identity); !known)
        return reply(problem(503, known.error()));
    let_in(*wish, account, parts.upstream->settings().auth,
           cookie_line(kBrowserCookie, "", "Lax", "; Max-Age=0"), request.peer, std::move(reply));
}

}  // namespace hygie::serve
