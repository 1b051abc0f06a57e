#include <nlohmann/json.hpp>

#include "app/house/witness_home.h"
#include "app/line/commands.h"
#include "app/line/context.h"
#include "crypto/secret.h"

namespace hygie::app {
namespace {

WitnessHome home(Context& context) {
    return {context.disk, context.values.text("DIR")};
}

Result<int> show_key(Context& context) {
    const WitnessHome witness = home(context);
    const ledger::NoteSigner signer = TRY(witness.signer());
    if (!context.json) {
        context.out << signer.verifier().str() << "\n";
        return kExitOk;
    }
    nlohmann::json logs = nlohmann::json::array();
    for (const auto& log : TRY(witness.logs())) logs.push_back(log.key.str());
    context.out << nlohmann::json{{"key", signer.verifier().str()}, {"logs", logs}}.dump() << "\n";
    return kExitOk;
}

Result<int> init(Context& context) {
    TRY_STATUS(home(context).create(context.random, context.values.text("--name")));
    return show_key(context);
}

Result<int> trust(Context& context) {
    const WitnessHome witness = home(context);
    TRY(witness.signer());
    const ledger::VerifierKey key = TRY(ledger::VerifierKey::parse(context.values.text("VKEY")));
    if (key.type != ledger::KeyType::Ed25519)
        return fail(Code::BadInput,
                    {"ce n'est pas la clé d'un journal", "this is not the key of a log"},
                    {"donnez la clé que « hygie ledger key » écrit",
                     "give the key that 'hygie ledger key' prints"});
    TRY_STATUS(witness.trust(key));
    if (!context.json)
        context.err << context.say({"connu à partir du prochain démarrage du témoin\n",
                                    "known from the witness's next start on\n"});
    return kExitOk;
}

Result<int> serve(Context& context) {
    crypto::harden_process();
    const WitnessHome witness = home(context);
    const std::size_t logs = TRY(witness.logs()).size();
    const ServedWitness served =
        TRY(serve_witness(context.disk, context.clock, witness, context.values.text("--listen")));
    context.expect_stop();
    if (context.json)
        context.out << nlohmann::json{{"url", served.server->url()},
                                      {"key", served.witness->verifier().str()},
                                      {"logs", logs}}
                           .dump()
                    << "\n"
                    << std::flush;
    else
        context.out << context.say({"le témoin écoute sur ", "the witness listens at "})
                    << served.server->url() << "\n"
                    << std::flush;
    if (logs == 0)
        context.err << context.say(
            {"il ne connaît encore aucun journal : hygie ledger witness trust DIR CLÉ\n",
             "it knows no log yet: hygie ledger witness trust DIR KEY\n"});
    context.wait_for_stop();
    served.server->stop();
    return kExitOk;
}

Parameter dir_argument() {
    return {.name = "DIR",
            .kind = Kind::Dir,
            .help = {"le dossier du témoin", "the witness's folder"},
            .required = true};
}

}  // namespace

std::vector<Command> witness_commands() {
    return {{.path = {"ledger", "witness"},
             .summary = {"un témoin : cosigne les journaux des autres",
                         "a witness: cosigns the logs of others"},
             .description = {"Un témoin (C2SP tlog-witness) retient le dernier point de contrôle "
                             "de chaque journal qu'il connaît et ne "
                             "cosigne que ce qui le prolonge. Placé sous une autre administration, "
                             "il empêche quiconque, même muni de la "
                             "clé volée d'un journal, d'en récrire le passé.",
                             "A witness (C2SP tlog-witness) remembers the last checkpoint of each "
                             "log it knows and cosigns only what "
                             "continues it. Under another administration, it keeps anybody, even "
                             "with the stolen key of a log, from "
                             "rewriting its past."}},
            {.path = {"ledger", "witness", "init"},
             .summary = {"crée un témoin et écrit sa clé", "makes a witness and prints its key"},
             .description = {"La clé écrite va dans la politique de ceux qui s'y fient.",
                             "The key printed goes into the policy of those who rely on it."},
             .options = {{.name = "--name",
                          .placeholder = "NAME",
                          .help = {"son nom, par exemple temoin.example/a",
                                   "its name, for instance witness.example/a"},
                          .required = true}},
             .arguments = {dir_argument()},
             .examples = {{"hygie ledger witness init /srv/witness --name temoin.example/a",
                           {"Un nouveau témoin :", "A new witness:"}}},
             .run = init},
            {.path = {"ledger", "witness", "key"},
             .summary = {"écrit la clé du témoin", "prints the witness's key"},
             .description = {"Avec --json, aussi les journaux qu'il connaît.",
                             "With --json, also the logs it knows."},
             .arguments = {dir_argument()},
             .examples = {{"hygie ledger witness key /srv/witness",
                           {"À mettre dans une politique :", "To put into a policy:"}}},
             .run = show_key},
            {.path = {"ledger", "witness", "trust"},
             .summary = {"fait connaître un journal au témoin", "makes a log known to the witness"},
             .description = {"Plusieurs clés d'un même nom sont les époques d'un même journal.",
                             "Several keys of one name are the epochs of one log."},
             .arguments = {dir_argument(),
                           {.name = "VKEY",
                            .help = {"la clé de vérification du journal", "the log's verifier key"},
                            .required = true}},
             .examples = {{"hygie ledger witness trust /srv/witness cabinet.example+d98d6014+Adk=",
                           {"Accepter un journal :", "To accept a log:"}}},
             .run = trust},
            {.path = {"ledger", "witness", "serve"},
             .summary = {"répond aux journaux", "answers logs"},
             .description = {"Ce qu'il cosigne est sur le disque avant que la réponse parte.",
                             "What it cosigns is on the disk before the answer leaves."},
             .options = {{.name = "--listen",
                          .placeholder = "IP:PORT",
                          .help = {"où écouter ; port 0 : le premier libre",
                                   "where to listen; port 0: the first free one"},
                          .by_default = "127.0.0.1:8471"}},
             .arguments = {dir_argument()},
             .examples = {{"hygie ledger witness serve /srv/witness --listen 127.0.0.1:8471",
                           {"Le mettre en service :", "To put it to work:"}}},
             .run = serve}};
}

}  // namespace hygie::app
