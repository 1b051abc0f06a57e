#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "access/accounts/jwt.h"
#include "access/accounts/password.h"
#include "access/circles/lifecycle.h"
#include "app/house/user_desk.h"
#include "app/line/commands.h"
#include "base/counted.h"

/// Who comes: accounts made one by one or from a table, and shown.
namespace hygie::app {
namespace {

using access::Account;

constexpr std::size_t kJwksFileBytesMax = access::kJwksBytesMax;

Result<int> list(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    const WallTime now = context.clock.now();
    std::vector<Account> accounts = desk.accounts().list();
    std::erase_if(accounts, [&](const Account& account) {
        return (context.values.flag("--privileged") && !access::is_privileged(account)) ||
               (context.values.flag("--dormant") && !access::is_dormant(account, now));
    });
    print_accounts(context, accounts);
    return kExitOk;
}

Result<int> show(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    print_account(context, *TRY(desk.named()));
    return kExitOk;
}

Result<Account> account_of(Context& context) {
    const Values& values = context.values;
    const auto text = [&](std::string_view name) {
        return values.has(name) ? values.text(name) : std::string();
    };
    Account account;
    account.login = ActorId(values.text("LOGIN"));
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
    account.identities = values.list("--identity");
    if (values.has("--jwks")) {
        const Bytes keys = TRY(context.disk.read_file(values.text("--jwks"), kJwksFileBytesMax));
        account.jwks = std::string(as_text(keys));
    }
    return account;
}

Result<int> add(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    Account account = TRY(account_of(context));
    std::optional<Sensitive<std::string>> password;
    if (account.role != access::Role::Program) {
        password = access::make_password(context.random);
        account.password = TRY(access::hash_password(*password, crypto::kInteractiveCost));
    }
    TRY_STATUS(desk.accounts().add(account, desk.by()));
    desk.trace();
    if (password)
        print_password(context, account.login.str(), *password);
    else
        print_account(context, account);
    return kExitOk;
}

void print_issues(Context& context, const std::vector<access::TableIssue>& issues) {
    for (const access::TableIssue& issue : issues)
        context.out << context.say({"ligne ", "line "}) << issue.line << context.say({" : ", ": "})
                    << context.say(issue.what) << "\n";
    context.out << context.say({"rien n'a été importé : corrigez ces lignes\n",
                                "nothing was imported: correct these lines\n"});
}

void print_arrivals(Context& context, const access::Table& table, bool applied) {
    for (const access::Arrival& arrival : table.arrivals)
        context.out << fmt::format("{:<28} {:<11} {}\n", arrival.account.login.str(),
                                   access::name_of(arrival.account.role), arrival.account.name);
    const Text pattern =
        applied ? Text{"{} [compte créé|comptes créés] ; donnez à chacun un mot de passe par "
                       "« hygie user password » ou une identité\n",
                       "{} [account|accounts] made; give each a password by 'hygie user password' "
                       "or an identity\n"}
                : Text{"{} [compte|comptes] à créer ; rien n'est fait sans --apply\n",
                       "{} [account|accounts] to make; nothing is done without --apply\n"};
    context.out << context.say(counted(pattern, {table.arrivals.size()}));
}

nlohmann::json json_of(Context& context, const access::Table& table, bool applied) {
    nlohmann::json issues = nlohmann::json::array(), logins = nlohmann::json::array();
    for (const access::TableIssue& issue : table.issues)
        issues.push_back({{"line", issue.line}, {"what", context.say(issue.what)}});
    for (const access::Arrival& arrival : table.arrivals)
        logins.push_back(arrival.account.login.str());
    return {{"applied", applied}, {"accounts", logins}, {"issues", issues}};
}

/// Says what the table would do, and does it only when asked to and when every line is right.
Result<int> import(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    const Bytes text =
        TRY(context.disk.read_file(context.values.text("FILE"), access::kCsvBytesMax));
    access::Table table = access::read_accounts_csv(as_text(text), desk.by(), context.clock.now());
    for (access::TableIssue& issue : access::judge_arrivals(desk.accounts(), table.arrivals))
        table.issues.push_back(std::move(issue));
    std::ranges::stable_sort(table.issues, {}, &access::TableIssue::line);
    const bool applied = table.issues.empty() && context.values.flag("--apply");
    if (applied) {
        std::vector<Account> accounts;
        for (const access::Arrival& arrival : table.arrivals) accounts.push_back(arrival.account);
        TRY_STATUS(desk.accounts().add_all(std::move(accounts), desk.by()));
        desk.trace();
    }
    if (context.json)
        context.out << json_of(context, table, applied).dump() << "\n";
    else if (!table.issues.empty())
        print_issues(context, table.issues);
    else
        print_arrivals(context, table, applied);
    return table.issues.empty() ? kExitOk : kExitFailed;
}

std::vector<Parameter> of_person() {
    return {{.name = "--name",
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
            {.name = "--identity",
             .placeholder = "\"ISSUER SUBJECT\"",
             .help = {"qui c'est pour un fournisseur d'identité, par exemple Pro Santé Connect",
                      "who this is for an identity provider, for example Pro Santé Connect"},
             .many = true}};
}

std::vector<Parameter> of_program() {
    return {{.name = "--scope",
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
                      "of a program: its public keys (RFC 7517)"}}};
}

Command add_command() {
    std::vector<Parameter> options = of_person();
    for (Parameter& option : of_program()) options.push_back(std::move(option));
    return {
        .path = {"user", "add"},
        .summary = {"crée le compte d'une personne ou d'un logiciel",
                    "makes the account of a person or a program"},
        .description =
            {"Un compte, une personne : les noms génériques sont refusés. Le mot de passe, tiré au "
             "hasard, n'est montré qu'ici.",
             "One account, one person: generic names are refused. The password, drawn at random, "
             "is shown here only."},
        .options = user_options(std::move(options)),
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

Command import_command() {
    return {
        .path = {"user", "import"},
        .summary = {"crée des comptes depuis un tableau CSV", "makes accounts from a CSV table"},
        .description =
            {"Première ligne : identifiant, nom, role, et si besoin profession, personne, "
             "organisation, parrain, fin, identité. Dit ce qui serait fait, et chaque ligne "
             "refusée par son numéro ; ne crée rien sans --apply, et alors tout ou rien. Sans "
             "parrain, celui de --as répond du compte ; sans fin, il finit dans un an.",
             "First line: login, name, role, and if needed profession, person, organisation, "
             "sponsor, end, identity. Says what would be done, and each refused line by its "
             "number; makes nothing without --apply, and then all or nothing. Without a sponsor, "
             "the one of --as answers for the account; without an end, it ends in a year."},
        .options = user_options({{.name = "--apply",
                                  .kind = Kind::Flag,
                                  .help = {"créer les comptes", "make the accounts"}}}),
        .arguments = {{.name = "FILE",
                       .kind = Kind::File,
                       .help = {"le tableau, en UTF-8", "the table, in UTF-8"},
                       .required = true}},
        .examples = {{"hygie user import arrivees.csv --state /var/lib/hygie --as anne.martin",
                      {"Essayer :", "Try:"}},
                     {"hygie user import arrivees.csv --state /var/lib/hygie --as anne.martin "
                      "--apply",
                      {"Faire :", "Do:"}}},
        .run = import};
}

Command list_command() {
    return {
        .path = {"user", "list"},
        .summary = {"liste les comptes", "lists the accounts"},
        .description = {"Ouverts ou fermés : un compte ne disparaît jamais, ses traces le nomment. "
                        "Les comptes privilégiés et ceux qui dorment depuis 60 jours sont marqués.",
                        "Open or closed: an account never goes, its traces name it. Privileged "
                        "accounts and those that have slept for 60 days are marked."},
        .options = user_options(
            {{.name = "--privileged",
              .kind = Kind::Flag,
              .help = {"seulement ceux de la sécurité et de l'exploitation",
                       "only those of security and operations"}},
             {.name = "--dormant",
              .kind = Kind::Flag,
              .help = {"seulement ceux dont personne ne se sert", "only those that nobody uses"}}}),
        .examples = {{"hygie user list --state /var/lib/hygie",
                      {"Qui peut entrer :", "Who may come in:"}}},
        .run = list};
}

}  // namespace

std::vector<Command> user_commands() {
    std::vector<Command> commands = {
        {.path = {"user"},
         .summary = {"les comptes : qui peut se connecter", "the accounts: who may sign in"},
         .description =
             {"Chaque changement est tracé au journal. Le service peut être en marche : il le "
              "voit à la question suivante.",
              "Each change is traced in the ledger. The service may be running: it sees the "
              "change at its next question."}},
        add_command(),
        import_command(),
        list_command(),
        user_command("show", {"montre un compte", "shows an account"},
                     {"Tout, sauf ses secrets.", "Everything, but its secrets."},
                     {"Ses droits et sa fin :", "Its rights and its end:"}, show)};
    for (const auto area : {user_life_commands, user_factor_commands})
        for (Command& command : area()) commands.push_back(std::move(command));
    return commands;
}

}  // namespace hygie::app
