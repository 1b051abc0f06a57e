#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "access/accounts/identity.h"
#include "access/accounts/orders.h"
#include "access/circles/lifecycle.h"
#include "app/house/user_desk.h"

/// What becomes of accounts: disabled, closed, renewed, reviewed.
namespace hygie::app {
namespace {

using access::Account;

/// Changes the account and shows it.
Result<int> change(Context& context, std::string_view what,
                   const std::function<void(Account&)>& edit) {
    UserDesk desk = TRY(UserDesk::open(context));
    TRY_STATUS(desk.change(what, [&](Account& account) -> Status {
        edit(account);
        return {};
    }));
    print_account(context, *TRY(desk.named()));
    return kExitOk;
}

Result<int> disable(Context& context) {
    return change(context, "disabled", [](Account& account) { account.disabled = true; });
}

Result<int> enable(Context& context) {
    return change(context, "enabled", [](Account& account) { account.disabled = false; });
}

Result<int> close(Context& context) {
    const WallTime now = context.clock.now();
    return change(context, "closed", [&](Account& account) { account.end = now; });
}

Result<int> freeze(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    TRY_STATUS(access::freeze(desk.accounts(), context.clock, context.values.text("LOGIN"),
                              time_given(context), context.values.text("--why"), desk.by()));
    return desk.trace_and_show();
}

Result<int> thaw(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    TRY_STATUS(access::thaw(desk.accounts(), context.clock, context.values.text("LOGIN"),
                            context.values.text("--why"), desk.by()));
    return desk.trace_and_show();
}

Result<int> sign_out(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    const bool one = context.values.has("--session");
    event::Order order;
    order.kind = event::Order::Kind::CutSession;
    order.target = one ? std::string(access::kSessionTarget) + context.values.text("--session")
                       : std::string(access::kAccountTarget) + context.values.text("LOGIN");
    if (context.values.has("--why")) order.reason.text.fr = context.values.text("--why");
    const auto account = TRY(desk.named());
    const auto sessions = TRY(desk.sessions());
    const auto open = one ? sessions->find_id(context.values.text("--session")) : nullptr;
    if (open && open->actor->id != account->login)
        return fail(Code::NotFound,
                    {"cette session est d'un autre compte", "this session is another account's"},
                    {"vérifiez LOGIN", "check LOGIN"});
    TRY_STATUS(access::obey(desk.accounts(), *sessions, order, desk.by()));
    return desk.trace_and_show();
}

Result<int> renew(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    const WallTime end = context.clock.now() + context.values.duration("--for");
    if (context.values.has("--sponsor"))
        TRY_STATUS(desk.change("sponsor", [&](Account& account) -> Status {
            account.sponsor = ActorId(context.values.text("--sponsor"));
            return {};
        }));
    TRY_STATUS(access::renew(desk.accounts(), context.clock, context.values.text("LOGIN"), end,
                             desk.by()));
    return desk.trace_and_show();
}

Result<int> identity(Context& context) {
    const std::string& given = context.values.text("IDENTITY");
    const bool removes = context.values.flag("--remove");
    const auto blank = given.find(' ');
    const bool is_pair = access::is_provider_address(given) && blank != given.npos &&
                         blank + 1 < given.size() && given.find(' ', blank + 1) == given.npos;
    if (!removes && !is_pair)
        return fail(
            Code::BadInput,
            {"ce n'est pas une identité d'un fournisseur", "this is no identity of a provider"},
            {"donnez l'adresse de l'émetteur (https://…), un blanc, puis le sujet, le tout "
             "entre guillemets",
             "give the address of the issuer (https://…), a blank, then the subject, all "
             "in quotes"});
    return change(context, removes ? "identity removed" : "identity added", [&](Account& account) {
        std::erase(account.identities, given);
        if (removes)
            ++account.epoch;  // what was signed in by it ends
        else
            account.identities.push_back(given);
    });
}

Result<int> dormant(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    if (context.values.flag("--close")) {
        TRY(access::close_dormant(desk.accounts(), context.clock, desk.by()));
        desk.trace();
    }
    const WallTime now = context.clock.now();
    std::vector<Account> accounts = desk.accounts().list();
    std::erase_if(accounts, [&](const Account& a) { return !access::is_dormant(a, now); });
    print_accounts(context, accounts);
    if (accounts.empty() && !context.json)
        context.out << context.say({"aucun compte ne dort\n", "no account is dormant\n"});
    return kExitOk;
}

struct Pile {
    std::string_view name;
    std::vector<ActorId> access::Review::* logins;
    Text what;
    Text act;
};

const std::vector<Pile>& piles() {
    static const std::vector<Pile> all = {
        {"frozen",
         &access::Review::frozen,
         {"gelés par un incident", "frozen by an incident"},
         {"l'incident est-il clos ? hygie user thaw LOGIN --why MOTIF",
          "is the incident closed? hygie user thaw LOGIN --why MOTIVE"}},
        {"privileged",
         &access::Review::privileged,
         {"privilégiés : sécurité et exploitation", "privileged: security and operations"},
         {"chacun en a-t-il encore besoin ? sinon : hygie user disable LOGIN",
          "does each still need it? if not: hygie user disable LOGIN"}},
        {"without_factor",
         &access::Review::without_factor,
         {"mot de passe seul", "a password alone"},
         {"hygie user otp LOGIN, ou une clé d'accès sur /oauth/passkeys",
          "hygie user otp LOGIN, or a passkey at /oauth/passkeys"}},
        {"orphans",
         &access::Review::orphans,
         {"personne n'en répond", "nobody answers for it"},
         {"hygie user renew LOGIN --sponsor PARRAIN", "hygie user renew LOGIN --sponsor SPONSOR"}},
        {"ending",
         &access::Review::ending,
         {"finissent dans les 30 jours", "end within 30 days"},
         {"hygie user renew LOGIN, ou rien : il se fermera",
          "hygie user renew LOGIN, or nothing: it will close"}},
        {"dormant",
         &access::Review::dormant,
         {"personne ne s'en sert depuis 60 jours", "nobody has used it for 60 days"},
         {"le service les suspendra ; tout de suite : hygie user dormant --close",
          "the service will disable them; right now: hygie user dormant --close"}},
        {"warned",
         &access::Review::warned,
         {"prévenus : sans connexion, suspendus à 60 jours",
          "warned: without a sign-in, disabled at 60 days"},
         {"la personne se connecte, ou rien : il se fermera",
          "the person signs in, or nothing: it will close"}}};
    return all;
}

Result<int> review(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    const access::Review found =
        access::review_accounts(desk.accounts().list(), context.clock.now());
    nlohmann::json json;
    for (const Pile& pile : piles()) {
        const std::vector<ActorId>& logins = found.*pile.logins;
        json[std::string(pile.name)] = nlohmann::json::array();
        for (const ActorId& login : logins) json[std::string(pile.name)].push_back(login.str());
        if (context.json || logins.empty()) continue;
        context.out << context.say(pile.what) << fmt::format(" ({})\n", logins.size());
        for (const ActorId& login : logins) context.out << "  " << login.str() << "\n";
        context.out << "  → " << context.say(pile.act) << "\n";
    }
    if (context.json)
        context.out << json.dump() << "\n";
    else if (found == access::Review{})
        context.out << context.say({"rien à revoir\n", "nothing to review\n"});
    return kExitOk;
}

Command identity_command() {
    Command command = user_command(
        "identity",
        {"dit qui est un compte pour un fournisseur d'identité",
         "says who an account is for an identity provider"},
        {"L'adresse de l'émetteur, un blanc, puis le sujet : pour Pro Santé Connect, le numéro "
         "national. La personne peut alors s'y connecter au lieu d'ici.",
         "The address of the issuer, a blank, then the subject: for Pro Santé Connect, the "
         "national number. The person may then sign in there instead of here."},
        {}, identity,
        {{.name = "--remove",
          .kind = Kind::Flag,
          .help = {"retirer cette identité ; les sessions finissent",
                   "take this identity away; the sessions end"}}});
    command.arguments.push_back({.name = "IDENTITY",
                                 .help = {"\"ÉMETTEUR SUJET\"", "\"ISSUER SUBJECT\""},
                                 .required = true});
    command.examples = {
        {"hygie user identity anne.martin --state /var/lib/hygie "
         "'https://auth.esw.esante.gouv.fr/auth/realms/esante-wallet 899700218896'",
         {"Avec sa carte de professionnelle :", "With her professional card:"}}};
    return command;
}

Command dormant_command() {
    return {
        .path = {"user", "dormant"},
        .summary = {"liste ou ferme les comptes dont personne ne se sert",
                    "lists or closes the accounts that nobody uses"},
        .description =
            {"Soixante jours sans connexion. Le service les suspend seul, chaque jour, quatorze "
             "jours au moins après l'avoir annoncé au journal et dans « hygie user review » ; "
             "--close les suspend aussitôt. Chacun est tracé ; il reste toujours un "
             "administrateur. « hygie user enable » défait.",
             "Sixty days without a sign-in. The service disables them by itself, each day, "
             "fourteen days or more after it said so in the ledger and in 'hygie user review'; "
             "--close disables them at once. Each is traced; one administrator always stays. "
             "'hygie user enable' undoes it."},
        .options = user_options(
            {{.name = "--close", .kind = Kind::Flag, .help = {"les suspendre", "disable them"}}}),
        .examples = {{"hygie user dormant --close --state /var/lib/hygie",
                      {"Sans attendre le service :", "Without waiting for the service:"}}},
        .run = dormant};
}

Parameter why_option(Text help) {
    return {.name = "--why", .placeholder = "TEXT", .help = std::move(help), .required = true};
}

std::vector<Command> freeze_commands() {
    std::vector<Command> commands = {
        user_command(
            "freeze",
            {"gèle un compte le temps d'un incident", "freezes an account while an incident lasts"},
            {"Ses sessions finissent aussitôt, partout, et un export en cours s'arrête. À "
             "la connexion, la personne lit qui appeler. Le motif est tracé. « hygie user "
             "thaw » défait ; ni « enable » ni l'annuaire ne le lèvent.",
             "Its sessions end at once, everywhere, and an export under way stops. At "
             "sign-in the person reads whom to call. The motive is traced. 'hygie user "
             "thaw' undoes it; neither 'enable' nor the directory lifts it."},
            {}, freeze,
            {why_option({"ce qui s'est passé, sans nom de patient",
                         "what happened, without a patient's name"}),
             {.name = "--for",
              .placeholder = "DURATION",
              .kind = Kind::Duration,
              .help = {"se lève seul après ce temps ; sinon, quand quelqu'un le rend",
                       "ends by itself after that time; otherwise when somebody thaws "
                       "it"}}}),
        user_command("thaw", {"rend un compte gelé", "gives a frozen account back"},
                     {"La personne peut se connecter à nouveau ; ses anciennes sessions ne "
                      "reviennent pas. Tracé avec son motif.",
                      "The person may sign in again; former sessions do not come back. Traced "
                      "with its motive."},
                     {}, thaw,
                     {why_option({"pourquoi le doute est levé", "why the doubt is gone"})})};
    commands[0].examples = {
        {"hygie user freeze anne.martin --state /var/lib/hygie --why 'Mot de "
         "passe saisi sur une fausse page'",
         {"Un mot de passe est volé :", "A password is stolen:"}}};
    commands[1].examples = {
        {"hygie user thaw anne.martin --state /var/lib/hygie --why 'Nouveau "
         "mot de passe, poste vérifié'",
         {"Une fois vérifié :", "Once verified:"}}};
    return commands;
}

Command review_command() {
    return {.path = {"user", "review"},
            .summary = {"dit quels comptes revoir, et pourquoi",
                        "says which accounts to review, and why"},
            .description =
                {"La revue annuelle : comptes privilégiés, sans second facteur, dont personne ne "
                 "répond, qui finissent, qui dorment.",
                 "The yearly review: accounts that are privileged, without a second factor, that "
                 "nobody answers for, that end, that sleep."},
            .options = user_options(),
            .examples = {{"hygie user review --state /var/lib/hygie",
                          {"La liste de travail :", "The work list:"}}},
            .run = review};
}

}  // namespace

std::vector<Command> user_life_commands() {
    std::vector<Command> commands = {
        user_command("disable", {"suspend un compte", "disables an account"},
                     {"Ses sessions finissent aussitôt, partout. « hygie user enable » défait.",
                      "Its sessions end at once, everywhere. 'hygie user enable' undoes it."},
                     {"Au moindre doute :", "At the least doubt:"}, disable),
        user_command(
            "enable", {"rouvre un compte suspendu", "opens a disabled account again"},
            {"Ses anciennes sessions ne reviennent pas.", "Its former sessions do not come back."},
            {"Le doute est levé :", "The doubt is gone:"}, enable),
        user_command("close",
                     {"ferme un compte : la personne part", "closes an account: the person leaves"},
                     {"Il finit maintenant, et ses sessions avec lui. Il reste dans la liste : ses "
                      "traces le nomment. « hygie user renew » défait.",
                      "It ends now, and its sessions with it. It stays in the list: its traces "
                      "name it. 'hygie user renew' undoes it."},
                     {"À un départ :", "When somebody leaves:"}, close),
        user_command("renew", {"donne une nouvelle fin à un compte", "gives an account a new end"},
                     {"Son parrain en répond à nouveau, pour un an au plus.",
                      "Its sponsor answers for it again, for a year at most."},
                     {}, renew,
                     {for_option(),
                      {.name = "--sponsor",
                       .placeholder = "LOGIN",
                       .help = {"un nouveau parrain", "a new sponsor"}}}),
        user_command(
            "sign-out", {"finit les sessions d'un compte", "ends an account's sessions"},
            {"Toutes, aussitôt, sur tous ses appareils, ou une seule ; ce que les logiciels "
             "renouvellent finit aussi. Le compte reste ouvert.",
             "All, at once, on all its devices, or a single one; what programs refresh "
             "ends, too. The account stays open."},
            {"Un appareil est perdu :", "A device is lost:"}, sign_out,
            {{.name = "--session",
              .placeholder = "ID",
              .help = {"celle-ci seulement, telle que les traces la nomment",
                       "this one alone, as traces name it"}},
             {.name = "--why",
              .placeholder = "MOTIVE",
              .help = {"pourquoi, pour le journal", "why, for the ledger"}}}),
        identity_command(),
        dormant_command(),
        review_command()};
    commands[3].examples = {{"hygie user renew anne.martin --state /var/lib/hygie --for 30d",
                             {"Pour un remplacement d'un mois :", "For a locum of one month:"}}};
    for (Command& command : freeze_commands()) commands.push_back(std::move(command));
    return commands;
}

}  // namespace hygie::app
