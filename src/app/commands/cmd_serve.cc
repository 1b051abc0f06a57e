#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/house/core.h"
#include "app/house/definitions.h"
#include "app/ledger/ledger_desk.h"
#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "app/line/config.h"
#include "base/counted.h"
#include "crypto/secret.h"
#include "host/memory.h"

namespace hygie::app {
namespace {

constexpr std::size_t kSecretFileBytesMax = 4096;

/// The first start makes everything; one that was cut short is gone on with.
Result<crypto::RootKey> root_of(Context& context, const CoreDirs& dirs) {
    if (ledger::holds_ledger(context.disk, dirs.ledger())) return unlock_core(context, dirs);
    return create_core(context, dirs, context.values.text("--origin"),
                       [&] { return new_sealing(context); });
}

Result<std::unique_ptr<Definitions>> definitions_of(Context& context, const Config& config) {
    const std::string dir = context.values.has("--profiles") ? context.values.text("--profiles")
                                                             : config.records.profiles;
    if (dir.empty()) return std::unique_ptr<Definitions>();
    return Definitions::read(context.disk, dir);
}

void tell_definitions(Context& context, const Definitions& definitions) {
    context.out << context.say(
        counted({"{} [définition|définitions] du cabinet, {} qui ne se [vérifie|vérifient] pas "
                 "ici\n",
                 "{} [definition|definitions] of the practice, {} that cannot be checked here\n"},
                {definitions.learnt(), definitions.left_out().size()}));
    for (const std::string& canonical : definitions.left_out())
        context.out << "  " << canonical << "\n";
}

void announce(Context& context, const Core& core, const Definitions* definitions) {
    const bool is_own = !core.authority().empty();
    if (context.json) {
        nlohmann::json ready = {
            {"url", core.url()}, {"fhir", core.fhir()}, {"ca_file", core.authority()}};
        if (definitions)
            ready["definitions"] = {{"learnt", definitions->learnt()},
                                    {"left_out", definitions->left_out()}};
        context.out << ready.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n"
                    << std::flush;
        return;
    }
    if (definitions) tell_definitions(context, *definitions);
    context.out << context.say({"Hygie est prête : ", "Hygie is ready: "}) << core.url() << "\n";
    if (is_own)
        context.out << context.say({"autorité du certificat : ", "authority of the certificate: "})
                    << core.authority() << "\n";
    context.out << std::flush;
}

/// The secret on the first line of its file.
Result<Sensitive<std::string>> read_secret(Context& context, const std::string& path) {
    const Bytes bytes = TRY(context.disk.read_file(path, kSecretFileBytesMax));
    const std::string_view text = as_text(bytes);
    return Sensitive<std::string>(std::string(text.substr(0, text.find_first_of("\r\n"))));
}

Result<serve::UpstreamSettings> sign_in_of(Context& context, const Config::SignIn& given) {
    auto secret = TRY(read_secret(context, given.secret.path));
    return serve::UpstreamSettings{
        .issuer = given.issuer,
        .client = given.client,
        .secret = std::move(secret),
        .scope = given.scope,
        .parameters = given.parameters,
        .auth = given.auth,
        .name = {given.button_fr.empty() ? "S'identifier par " + given.issuer : given.button_fr,
                 given.button_en.empty() ? "Sign in by " + given.issuer : given.button_en}};
}

/// The addresses of the configuration, and those of the command line.
std::vector<std::string> notify_of(const Values& values, const Config& config) {
    std::vector<std::string> all = values.list("--notify");
    std::string_view rest(config.records.notify);
    while (!rest.empty()) {
        const auto space = std::min(rest.find(' '), rest.size());
        if (space > 0) all.emplace_back(rest.substr(0, space));
        rest.remove_prefix(std::min(space + 1, rest.size()));
    }
    return all;
}

/// What the configuration file says; the command line is heard first.
Result<Core::Plan> plan_of(Context& context, const Config& config, const Definitions* definitions) {
    const Values& values = context.values;
    const bool is_strict = values.flag("--strict") || config.records.completeness == "strict";
    Core::Plan plan{
        .listen = values.has("--listen") ? values.text("--listen") : config.serve.listen.text,
        .names = values.list("--name"),
        .url = values.has("--url") ? values.text("--url") : config.serve.url,
        .completeness = is_strict ? records::Completeness::Strict : records::Completeness::Lenient,
        .practice = config.records.practice == "establishment" ? fhir::Practice::Establishment
                                                               : fhir::Practice::Office,
        .notify = notify_of(values, config),
        .definitions = definitions,
        .cert = config.serve.cert.path,
        .key = config.serve.key.path,
        .oldest_tls = config.serve.tls == "1.2" ? serve::OldestTls::V1_2 : serve::OldestTls::V1_3};
    if (!config.sign_in.issuer.empty()) plan.sign_in = TRY(sign_in_of(context, config.sign_in));
    return plan;
}

Result<int> serve(Context& context) {
    crypto::harden_process();
    give_back_idle_memory();
    Config config;
    if (context.values.has("--config")) {
        const std::string& path = context.values.text("--config");
        CheckedConfig loaded = TRY(load_config(context.disk, path));
        for (const std::string& key : loaded.idle)
            context.err << context.say(idle_warning(path, key));
        config = std::move(loaded.config);
    }
    const auto definitions = TRY(definitions_of(context, config));
    const Core::Plan plan = TRY(plan_of(context, config, definitions.get()));
    const CoreDirs dirs = core_dirs(context);
    std::optional<ledger::Policy> policy;
    if (context.values.has("--policy"))
        policy = TRY(read_policy(context, context.values.text("--policy")));
    const crypto::RootKey root = TRY(root_of(context, dirs));
    const auto store =
        TRY(Store::open(context, dirs, root, std::move(policy), config.records.time_zone));
    {
        const auto core = TRY(Core::start(context, dirs, root, *store, plan));
        context.expect_stop();
        announce(context, *core, definitions.get());
        wait_while_well(context, store->clerk().appender(), [&] { core->tend(); });
        core->stop();
    }
    TRY_STATUS(store->close());
    return kExitOk;
}

std::vector<Parameter> serve_options() {
    std::vector<Parameter> options = {
        state_option(),
        {.name = "--config",
         .placeholder = "FILE",
         .kind = Kind::File,
         .help = {"la configuration : ses sections serve, records et sign_in comptent ici",
                  "the configuration: its sections serve, records and sign_in count here"}},
        {.name = "--listen",
         .placeholder = "IP:PORT",
         .help = {"où écouter, sinon 127.0.0.1:8443 ; port 0 : le premier libre",
                  "where to listen, otherwise 127.0.0.1:8443; port 0: the first free one"}},
        {.name = "--name",
         .placeholder = "NAME",
         .help = {"un nom ou une adresse du certificat, en plus de celle où l'on écoute",
                  "a name or address of the certificate, besides the one listened on"},
         .many = true},
        {.name = "--url",
         .placeholder = "URL",
         .help = {"l'adresse par laquelle on arrive, si ce n'est pas celle où l'on écoute",
                  "the address people come by, when it is not the one listened on"}},
        {.name = "--origin",
         .placeholder = "NAME",
         .help = {"au premier démarrage : le nom du journal, sans espace",
                  "at the first start: the name of the ledger, without spaces"},
         .by_default = "cabinet.example/journal"},
        {.name = "--profiles",
         .placeholder = "DIR",
         .kind = Kind::Dir,
         .help = {"les profils à vérifier en plus de R4 : un paquet FHIR décompressé (fr-core…)",
                  "the profiles to check besides R4: an unpacked FHIR package (fr-core…)"}},
        {.name = "--strict",
         .kind = Kind::Flag,
         .help = {"refuse ce à quoi il manque ce qu'un dossier doit contenir, et ce qui renvoie à "
                  "ce qui "
                  "n'existe pas, au lieu d'avertir",
                  "refuses what lacks something that a record must hold, or refers to nothing, "
                  "instead of warning"}},
        notify_option(),
        policy_option(),
        passphrase_file_option()};
    for (Parameter& option : new_sealing_options()) options.push_back(std::move(option));
    return options;
}

}  // namespace

std::vector<Command> serve_commands() {
    return {{.path = {"serve"},
             .summary = {"sert les dossiers des patients : FHIR R4, sous HTTPS",
                         "serves the patients' records: FHIR R4, over HTTPS"},
             .description =
                 {"Ouvre coffre, journal et comptes du dossier --state, et y répond sous TLS 1.3 : "
                  "/fhir pour les logiciels, /oauth pour se connecter, /log pour les "
                  "vérificateurs, /healthz, /readyz et /metrics. Le premier démarrage crée tout et "
                  "scelle la clé racine. SIGTERM laisse finir ce qui est en cours ; une prise "
                  "confiée par systemd garde les nouvelles connexions d'un processus au "
                  "suivant.\n\n"
                  "Rien d'un patient ne part avant que le journal n'en garde la trace. Les comptes "
                  "se créent par « hygie user add », service en marche ou non.",
                  "Opens vault, ledger and accounts of the folder --state, and answers over TLS "
                  "1.3: /fhir for programs, /oauth to sign in, /log for verifiers, /healthz, "
                  "/readyz and /metrics. The first start makes everything and seals the root key. "
                  "SIGTERM lets finish what is under way; a socket handed over by systemd keeps "
                  "new connections from one process to the next.\n\n"
                  "Nothing about a patient leaves before the ledger keeps its trace. Accounts are "
                  "made by 'hygie user add', whether or not the service runs."},
             .options = serve_options(),
             .examples = {{"hygie serve --state /var/lib/hygie --listen 192.0.2.10:8443 --url "
                           "https://hygie.cabinet.example:8443",
                           {"Pour le cabinet :", "For the practice:"}},
                          {"hygie serve --state /var/lib/hygie --config /etc/hygie/hygie.toml",
                           {"Avec son certificat et Pro Santé Connect :",
                            "With its own certificate and Pro Santé Connect:"}},
                          {"hygie serve --state essai --seal key-file --key-file essai.key",
                           {"Pour essayer, sans phrase de passe :",
                            "To try it, without a passphrase:"}}},
             .run = serve}};
}

}  // namespace hygie::app
