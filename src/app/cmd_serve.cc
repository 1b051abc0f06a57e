#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/core.h"
#include "app/definitions.h"
#include "app/ledger_desk.h"
#include "app/unlock.h"
#include "crypto/secret.h"

namespace hygie::app {
namespace {

Status create_if_absent(Context& context, const CoreDirs& dirs) {
    if (context.disk.exists(dirs.ledger())) return {};
    return create_core(context, dirs, context.values.text("--origin"),
                       [&] { return new_sealing(context); });
}

Result<std::unique_ptr<Definitions>> definitions_of(Context& context) {
    if (!context.values.has("--profiles")) return std::unique_ptr<Definitions>();
    return Definitions::read(context.disk, context.values.text("--profiles"));
}

void tell_definitions(Context& context, const Definitions& definitions) {
    context.out << fmt::format(
        fmt::runtime(
            context.say({"{} définitions du cabinet, {} qui ne se vérifient pas ici\n",
                         "{} definitions of the practice, {} that cannot be checked here\n"})),
        definitions.learnt(), definitions.left_out().size());
    for (const std::string& canonical : definitions.left_out())
        context.out << "  " << canonical << "\n";
}

void announce(Context& context, const Core& core, const Definitions* definitions) {
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
    context.out << context.say({"Hygie est prête : ", "Hygie is ready: "}) << core.url() << "\n"
                << context.say({"autorité du certificat : ", "authority of the certificate: "})
                << core.authority() << "\n"
                << std::flush;
}

Result<int> serve(Context& context) {
    crypto::harden_process();
    const CoreDirs dirs = core_dirs(context);
    TRY_STATUS(create_if_absent(context, dirs));
    const crypto::RootKey root = TRY(unlock_ledger(context, dirs.ledger()));
    std::optional<ledger::Policy> policy;
    if (context.values.has("--policy"))
        policy = TRY(read_policy(context, context.values.text("--policy")));
    const auto definitions = TRY(definitions_of(context));
    const auto store = TRY(Store::open(context, dirs, root, std::move(policy)));
    {
        const auto core = TRY(Core::start(
            context, dirs, root, *store,
            {.listen = context.values.text("--listen"),
             .names = context.values.list("--name"),
             .url = context.values.has("--url") ? context.values.text("--url") : std::string(),
             .completeness = context.values.flag("--strict") ? records::Completeness::Strict
                                                             : records::Completeness::Lenient,
             .definitions = definitions.get()}));
        context.expect_stop();
        announce(context, *core, definitions.get());
        wait_while_well(context, store->clerk().appender());
        core->stop();
    }
    TRY_STATUS(store->close());
    return kExitOk;
}

std::vector<Parameter> serve_options() {
    std::vector<Parameter> options = {
        state_option(),
        {.name = "--listen",
         .placeholder = "IP:PORT",
         .help = {"où écouter ; port 0 : le premier libre",
                  "where to listen; port 0: the first free one"},
         .by_default = "127.0.0.1:8443"},
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
         .help = {"refuse ce à quoi il manque ce qu'un dossier doit contenir, au lieu d'avertir",
                  "refuses what lacks something that a record must hold, instead of warning"}},
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
                  "scelle la clé racine. SIGTERM laisse finir ce qui est en cours.\n\n"
                  "Rien d'un patient ne part avant que le journal n'en garde la trace. Les comptes "
                  "se créent par « hygie user add », service en marche ou non.",
                  "Opens vault, ledger and accounts of the folder --state, and answers over TLS "
                  "1.3: /fhir for programs, /oauth to sign in, /log for verifiers, /healthz, "
                  "/readyz and /metrics. The first start makes everything and seals the root key. "
                  "SIGTERM lets finish what is under way.\n\n"
                  "Nothing about a patient leaves before the ledger keeps its trace. Accounts are "
                  "made by 'hygie user add', whether or not the service runs."},
             .options = serve_options(),
             .examples = {{"hygie serve --state /var/lib/hygie --listen 192.0.2.10:8443 --name "
                           "hygie.cabinet.example",
                           {"Pour le cabinet :", "For the practice:"}},
                          {"hygie serve --state essai --seal key-file --key-file essai.key",
                           {"Pour essayer, sans phrase de passe :",
                            "To try it, without a passphrase:"}}},
             .run = serve}};
}

}  // namespace hygie::app
