#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "access/jwt.h"
#include "access/password.h"
#include "app/commands.h"
#include "app/core.h"
#include "app/ledger_desk.h"
#include "app/new_password.h"
#include "app/unlock.h"

namespace hygie::app {
namespace {

using access::Account;
using access::Accounts;

constexpr std::size_t kJwksFileBytesMax = access::kJwksBytesMax;

Result<std::unique_ptr<Accounts>> open_accounts(Context& context) {
    const CoreDirs dirs = core_dirs(context);
    const crypto::RootKey root = TRY(unlock_ledger(context, dirs.ledger()));
    TRY_STATUS(context.disk.make_dirs(dirs.access()));
    return Accounts::open({context.disk, context.clock, context.random}, dirs.access(),
                          access_key(root));
}

const std::string& login_of(Context& context) {
    return context.values.text("LOGIN");
}

Result<std::shared_ptr<const Account>> known(Context& context, Accounts& accounts) {
    if (auto account = accounts.find(login_of(context))) return account;
    return fail(Code::NotFound, {"ce compte n'existe pas", "there is no such account"},
                {"voyez « hygie user list »", "see 'hygie user list'"});
}

nlohmann::json json_of(const Account& account, WallTime now) {
    return {{"login", account.login.str()},
            {"name", account.name},
            {"role", access::name_of(account.role)},
            {"profession", account.profession},
            {"person", account.person},
            {"organisation", account.organisation},
            {"sponsor", account.sponsor.str()},
            {"since", to_rfc3339(account.since)},
            {"end", to_rfc3339(account.end)},
            {"open", account.open_at(now)},
            {"second_factor", !account.otp_secret.empty()},
            {"scopes", account.scopes}};
}

std::string dumped(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<int> list(Context& context) {
    const auto accounts = TRY(open_accounts(context));
    const WallTime now = context.clock.now();
    nlohmann::json all = nlohmann::json::array();
    for (const Account& account : accounts->list()) {
        if (context.json) {
            all.push_back(json_of(account, now));
            continue;
        }
        context.out << fmt::format(
            "{:<28} {:<11} {:<8} {}\n", account.login.str(), access::name_of(account.role),
            context.say(account.open_at(now) ? Text{"ouvert", "open"} : Text{"fermé", "closed"}),
            account.name);
    }
    if (context.json) context.out << dumped({{"accounts", all}}) << "\n";
    return kExitOk;
}

Result<int> show(Context& context) {
    const auto accounts = TRY(open_accounts(context));
    const auto account = TRY(known(context, *accounts));
    const nlohmann::json json = json_of(*account, context.clock.now());
    if (context.json) {
        context.out << dumped(json) << "\n";
        return kExitOk;
    }
    for (const auto& [name, value] : json.items())
        context.out << fmt::format("{:<14} {}\n", name,
                                   value.is_string() ? value.get<std::string>() : dumped(value));
    return kExitOk;
}

/// The one time that the password shows.
void tell_password(Context& context, const std::string& login, const std::string& password) {
    if (context.json) {
        context.out << dumped({{"login", login}, {"password", password}}) << "\n";
        return;
    }
    context.out << context.say({"compte : ", "account: "}) << login << "\n"
                << context.say(
                       {"mot de passe, montré une seule fois : ", "password, shown this once: "})
                << password << "\n";
}

Result<Account> account_of(Context& context) {
    const Values& values = context.values;
    const auto text = [&](std::string_view name) {
        return values.has(name) ? values.text(name) : std::string();
    };
    Account account;
    account.login = ActorId(login_of(context));
    account.name = values.text("--name");
    account.role = TRY(access::role_named(values.text("--role")));
    account.profession = text("--profession");
    account.person = text("--person");
    account.organisation = text("--organisation");
    account.sponsor = ActorId(text("--sponsor"));
    account.since = context.clock.now();
    account.end = account.since + values.duration("--for");
    account.scopes = values.list("--scope");
    account.redirects = values.list("--redirect");
    if (values.has("--jwks")) {
        const Bytes keys = TRY(context.disk.read_file(values.text("--jwks"), kJwksFileBytesMax));
        account.jwks = std::string(as_text(keys));
    }
    return account;
}

Result<int> add(Context& context) {
    const auto accounts = TRY(open_accounts(context));
    Account account = TRY(account_of(context));
    std::string password;
    if (account.role != access::Role::Program) {
        password = new_password(context.random);
        account.password =
            TRY(access::hash_password(Sensitive<std::string>(password), crypto::kInteractiveCost));
    }
    TRY_STATUS(accounts->add(account, reader_of(context)));
    if (!password.empty()) {
        tell_password(context, account.login.str(), password);
        return kExitOk;
    }
    return show(context);
}

Result<int> disable(Context& context) {
    const auto accounts = TRY(open_accounts(context));
    TRY_STATUS(accounts->change(login_of(context), reader_of(context), "disabled",
                                [](Account& account) -> Status {
                                    account.disabled = true;
                                    return {};
                                }));
    return show(context);
}

Result<int> set_end(Context& context) {
    const auto accounts = TRY(open_accounts(context));
    const WallTime end = context.clock.now() + context.values.duration("--for");
    TRY_STATUS(accounts->change(login_of(context), reader_of(context), "end",
                                [&](Account& account) -> Status {
                                    account.end = end;
                                    return {};
                                }));
    return show(context);
}

Result<int> set_password(Context& context) {
    const auto accounts = TRY(open_accounts(context));
    const std::string password = new_password(context.random);
    const std::string hash =
        TRY(access::hash_password(Sensitive<std::string>(password), crypto::kInteractiveCost));
    TRY_STATUS(accounts->change(login_of(context), reader_of(context), "password",
                                [&](Account& account) -> Status {
                                    account.password = hash;
                                    return {};
                                }));
    tell_password(context, login_of(context), password);
    return kExitOk;
}

Parameter login_argument() {
    return {.name = "LOGIN",
            .help = {"le nom de connexion d'une personne ou d'un logiciel",
                     "the login of one person or one program"},
            .required = true};
}

Parameter for_option() {
    return {.name = "--for",
            .placeholder = "DURATION",
            .kind = Kind::Duration,
            .help = {"dans combien de temps le compte se ferme, un an au plus",
                     "how soon the account closes, a year at most"},
            .by_default = "365d"};
}

std::vector<Parameter> common_options(std::vector<Parameter> more = {}) {
    more.insert(more.begin(), state_option());
    more.push_back(reader_option());
    more.push_back(passphrase_file_option());
    return more;
}

std::vector<Parameter> add_options() {
    return common_options(
        {{.name = "--name",
          .placeholder = "NAME",
          .help = {"prénom et nom ; pour un logiciel, ce qu'il est",
                   "given and family name; for a program, what it is"},
          .required = true},
         {.name = "--role",
          .placeholder = "ROLE",
          .help = {"ce qu'elle ou il vient faire", "what she or he is here for"},
          .required = true,
          .choices = {"care", "desk", "security", "operations", "patient", "program"}},
         {.name = "--profession",
          .placeholder = "CODE",
          .help = {"code TRE-G15 : 10 médecin, 60 infirmier…",
                   "TRE-G15 code: 10 physician, 60 nurse…"}},
         {.name = "--person",
          .placeholder = "REFERENCE",
          .help = {"Practitioner/… ou Patient/… : qui c'est dans les dossiers",
                   "Practitioner/… or Patient/…: who this is in the records"}},
         {.name = "--organisation",
          .placeholder = "REFERENCE",
          .help = {"Organization/…", "Organization/…"}},
         {.name = "--sponsor",
          .placeholder = "LOGIN",
          .help = {"qui répond de ce compte ; rien pour le tout premier",
                   "who answers for this account; nothing for the very first"}},
         for_option(),
         {.name = "--scope",
          .placeholder = "SCOPE",
          .help = {"d'un logiciel : une portée SMART, par exemple system/*.rs",
                   "of a program: a SMART scope, for example system/*.rs"},
          .many = true},
         {.name = "--redirect",
          .placeholder = "URL",
          .help = {"d'un logiciel : où renvoyer qui s'est connecté",
                   "of a program: where to send who signed in"},
          .many = true},
         {.name = "--jwks",
          .placeholder = "FILE",
          .kind = Kind::File,
          .help = {"d'un logiciel : ses clés publiques (RFC 7517)",
                   "of a program: its public keys (RFC 7517)"}}});
}

Command change_command(std::string verb, Text summary, Text description, Text example,
                       std::function<Result<int>(Context&)> run, std::vector<Parameter> more = {}) {
    return {.path = {"user", verb},
            .summary = std::move(summary),
            .description = std::move(description),
            .options = common_options(std::move(more)),
            .arguments = {login_argument()},
            .examples = {{fmt::format("hygie user {} anne.martin --state /var/lib/hygie", verb),
                          std::move(example)}},
            .run = std::move(run)};
}

Command add_command() {
    return {
        .path = {"user", "add"},
        .summary = {"crée le compte d'une personne ou d'un logiciel",
                    "makes the account of a person or a program"},
        .description =
            {"Un compte, une personne : les noms génériques sont refusés. Le mot de passe, tiré au "
             "hasard, n'est montré qu'ici.",
             "One account, one person: generic names are refused. The password, drawn at random, "
             "is shown here only."},
        .options = add_options(),
        .arguments = {login_argument()},
        .examples =
            {{"hygie user add anne.martin --state /var/lib/hygie --name 'Anne Martin' --role care "
              "--profession 10 --person Practitioner/6b917fa3-a097-5f9f-bd43-31ccb76e260a",
              {"Une médecin :", "A physician:"}},
             {"hygie user add logiciel-cabinet --state /var/lib/hygie --name 'Logiciel du cabinet' "
              "--role program --scope system/*.cruds --jwks keys.json --sponsor anne.martin",
              {"Le logiciel du cabinet :", "The practice's program:"}}},
        .run = add};
}

}  // namespace

std::vector<Command> user_commands() {
    return {
        {.path = {"user"},
         .summary = {"les comptes : qui peut se connecter", "the accounts: who may sign in"},
         .description = {"Chaque changement est tracé au journal. Le service peut être en marche : "
                         "il le voit à la question suivante.",
                         "Each change is traced in the ledger. The service may be running: it sees "
                         "the change at its next question."}},
        add_command(),
        {.path = {"user", "list"},
         .summary = {"liste les comptes", "lists the accounts"},
         .description =
             {"Ouverts ou fermés : un compte ne disparaît jamais, ses traces le nomment.",
              "Open or closed: an account never goes, its traces name it."},
         .options = common_options(),
         .examples = {{"hygie user list --state /var/lib/hygie",
                       {"Qui peut entrer :", "Who may come in:"}}},
         .run = list},
        change_command("show", {"montre un compte", "shows an account"},
                       {"Tout, sauf ses secrets.", "Everything, but its secrets."},
                       {"Ses droits et sa fin :", "Its rights and its end:"}, show),
        change_command(
            "disable", {"ferme un compte", "closes an account"},
            {"Ses sessions finissent aussitôt, partout.", "Its sessions end at once, everywhere."},
            {"À un départ :", "When somebody leaves:"}, disable),
        change_command("password", {"donne un nouveau mot de passe", "gives a new password"},
                       {"Tiré au hasard, montré une seule fois ; les sessions finissent.",
                        "Drawn at random, shown this once; the sessions end."},
                       {"Quand il est oublié ou a fui :", "When it is forgotten or leaked:"},
                       set_password),
        change_command("end", {"change la fin d'un compte", "changes the end of an account"},
                       {"Quelqu'un répond à nouveau du compte, pour un an au plus.",
                        "Somebody answers for the account again, for a year at most."},
                       {"Pour un remplacement d'un mois :", "For a locum of one month:"}, set_end,
                       {for_option()})};
}

}  // namespace hygie::app
