#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/context.h"
#include "crypto/secret.h"
#include "ledger/canonical.h"
#include "ledger/witness.h"
#include "serve/witness_routes.h"

namespace hygie::app {
namespace {

// What a witness's folder holds: its name and private key, the logs it knows, and what it remembers of each.
std::string key_path(const std::string& dir) { return join(dir, "key"); }
std::string logs_path(const std::string& dir) { return join(dir, "logs"); }
std::string memory_path(const std::string& dir) { return join(dir, "memory"); }

constexpr std::size_t kFileBytesMax = 1 << 20;

Result<ledger::NoteSigner> read_signer(Disk& disk, const std::string& dir) {
    if (!disk.exists(key_path(dir)))
        return fail(Code::NotFound, {"aucun témoin dans " + dir, "no witness in " + dir},
                    {"créez-en un : hygie ledger witness init " + dir + " --name NOM",
                     "make one: hygie ledger witness init " + dir + " --name NAME"});
    const Bytes bytes = TRY(disk.read_file(key_path(dir), kFileBytesMax));
    std::string_view text = as_text(bytes);
    const auto name = ledger::take_line(text);
    const auto seed = ledger::take_line(text);
    const Bytes secret = TRY(from_base64(seed.value_or("")));
    if (!name || !ledger::is_key_name(*name) || secret.size() != 32 || !text.empty())
        return fail(Code::Corrupt, {"clé de témoin illisible", "unreadable key of a witness"},
                    {"restaurez le fichier « key » depuis une sauvegarde", "restore the file 'key' from a backup"});
    return ledger::NoteSigner(std::string(*name), ledger::KeyType::Cosignature,
                              crypto::SigningKey::from_seed(crypto::Secret32(std::span<const std::uint8_t, 32>(secret.data(), 32))));
}

Result<std::vector<ledger::Policy::Log>> read_logs(Disk& disk, const std::string& dir) {
    std::vector<ledger::Policy::Log> logs;
    if (!disk.exists(logs_path(dir))) return logs;
    const Bytes bytes = TRY(disk.read_file(logs_path(dir), kFileBytesMax));
    std::string_view text = as_text(bytes);
    while (const auto line = ledger::take_line(text)) logs.push_back({TRY(ledger::VerifierKey::parse(*line)), ""});
    return logs;
}

Result<int> print_key(Context& context, const std::string& dir) {
    const ledger::NoteSigner signer = TRY(read_signer(context.disk, dir));
    if (!context.json) {
        context.out << signer.verifier().str() << "\n";
        return kExitOk;
    }
    nlohmann::json logs = nlohmann::json::array();
    for (const auto& log : TRY(read_logs(context.disk, dir))) logs.push_back(log.key.str());
    context.out << nlohmann::json{{"key", signer.verifier().str()}, {"logs", logs}}.dump() << "\n";
    return kExitOk;
}

Result<int> init(Context& context) {
    const std::string& dir = context.values.text("DIR");
    const std::string& name = context.values.text("--name");
    if (!ledger::is_key_name(name))
        return fail(Code::BadInput, {"nom de témoin invalide", "invalid name of a witness"},
                    {"choisissez un nom sans espace ni « + »", "choose a name without spaces or '+'"});
    TRY_STATUS(context.disk.make_dirs(dir));
    if (context.disk.exists(key_path(dir)))
        return fail(Code::AlreadyThere, {"ce dossier est déjà celui d'un témoin", "this folder is a witness's already"},
                    {"choisissez un autre dossier", "choose another folder"});
    const crypto::Secret32 seed{context.random.bytes<32>()};
    const std::string file = name + "\n" + to_base64(seed.view()) + "\n";
    TRY_STATUS(context.disk.replace_file(key_path(dir), as_bytes(file)));
    return print_key(context, dir);
}

Result<int> show_key(Context& context) { return print_key(context, context.values.text("DIR")); }

Result<int> trust(Context& context) {
    const std::string& dir = context.values.text("DIR");
    TRY(read_signer(context.disk, dir));
    const ledger::VerifierKey key = TRY(ledger::VerifierKey::parse(context.values.text("VKEY")));
    if (key.type != ledger::KeyType::Ed25519)
        return fail(Code::BadInput, {"ce n'est pas la clé d'un registre", "this is not the key of a log"},
                    {"donnez la clé que « hygie ledger key » écrit", "give the key that 'hygie ledger key' prints"});
    std::string lines;
    for (const auto& log : TRY(read_logs(context.disk, dir))) {
        if (log.key == key) return kExitOk;
        lines += log.key.str() + "\n";
    }
    lines += key.str() + "\n";
    TRY_STATUS(context.disk.replace_file(logs_path(dir), as_bytes(lines)));
    if (!context.json)
        context.err << context.say({"connu à partir du prochain démarrage du témoin\n", "known from the witness's next start on\n"});
    return kExitOk;
}

Result<int> serve(Context& context) {
    crypto::harden_process();
    const std::string& dir = context.values.text("DIR");
    const auto logs = TRY(read_logs(context.disk, dir));
    const auto witness = TRY(ledger::Witness::open(context.disk, context.clock, memory_path(dir),
                                                   TRY(read_signer(context.disk, dir)), logs));
    const auto server = TRY(serve::HttpServer::start(
        {.listen = context.values.text("--listen"), .limits = serve::witness_limits()}, context.clock,
        serve::witness_routes(*witness)));
    if (context.json)
        context.out << nlohmann::json{{"url", server->url()}, {"key", witness->verifier().str()}, {"logs", logs.size()}}.dump()
                    << std::endl;
    else
        context.out << context.say({"le témoin écoute sur ", "the witness listens at "}) << server->url() << std::endl;
    if (logs.empty())
        context.err << context.say({"il ne connaît encore aucun registre : hygie ledger witness trust DIR CLÉ\n",
                                    "it knows no log yet: hygie ledger witness trust DIR KEY\n"});
    context.wait_for_stop();
    server->stop();
    return kExitOk;
}

Parameter dir_argument() {
    return {.name = "DIR", .kind = Kind::Dir, .help = {"le dossier du témoin", "the witness's folder"}, .required = true};
}

}  // namespace

std::vector<Command> witness_commands() {
    return {
        {.path = {"ledger", "witness"},
         .summary = {"un témoin : cosigne les registres des autres", "a witness: cosigns the logs of others"},
         .description =
             {"Un témoin (C2SP tlog-witness) retient le dernier point de contrôle de chaque registre qu'il connaît et ne "
              "cosigne que ce qui le prolonge. Placé sous une autre administration, il empêche quiconque, même muni de la "
              "clé volée d'un registre, d'en récrire le passé.",
              "A witness (C2SP tlog-witness) remembers the last checkpoint of each log it knows and cosigns only what "
              "continues it. Under another administration, it keeps anybody, even with the stolen key of a log, from "
              "rewriting its past."}},
        {.path = {"ledger", "witness", "init"},
         .summary = {"crée un témoin et écrit sa clé", "makes a witness and prints its key"},
         .description = {"La clé écrite va dans la politique de ceux qui s'y fient.",
                         "The key printed goes into the policy of those who rely on it."},
         .options = {{.name = "--name", .placeholder = "NAME", .help = {"son nom, par exemple temoin.example/a", "its name, for instance witness.example/a"}, .required = true}},
         .arguments = {dir_argument()},
         .examples = {{"hygie ledger witness init /srv/witness --name temoin.example/a", {"Un nouveau témoin :", "A new witness:"}}},
         .run = init},
        {.path = {"ledger", "witness", "key"},
         .summary = {"écrit la clé du témoin", "prints the witness's key"},
         .description = {"Avec --json, aussi les registres qu'il connaît.", "With --json, also the logs it knows."},
         .arguments = {dir_argument()},
         .examples = {{"hygie ledger witness key /srv/witness", {"À mettre dans une politique :", "To put into a policy:"}}},
         .run = show_key},
        {.path = {"ledger", "witness", "trust"},
         .summary = {"fait connaître un registre au témoin", "makes a log known to the witness"},
         .description = {"Plusieurs clés d'un même nom sont les époques d'un même registre.",
                         "Several keys of one name are the epochs of one log."},
         .arguments = {dir_argument(),
                       {.name = "VKEY", .help = {"la clé de vérification du registre", "the log's verifier key"}, .required = true}},
         .examples = {{"hygie ledger witness trust /srv/witness cabinet.example+d98d6014+Adk=", {"Accepter un registre :", "To accept a log:"}}},
         .run = trust},
        {.path = {"ledger", "witness", "serve"},
         .summary = {"répond aux registres", "answers logs"},
         .description = {"Ce qu'il cosigne est sur le disque avant que la réponse parte.",
                         "What it cosigns is on the disk before the answer leaves."},
         .options = {{.name = "--listen",
                      .placeholder = "IP:PORT",
                      .help = {"où écouter ; port 0 : le premier libre", "where to listen; port 0: the first free one"},
                      .by_default = "127.0.0.1:8471"}},
         .arguments = {dir_argument()},
         .examples = {{"hygie ledger witness serve /srv/witness --listen 127.0.0.1:8471", {"Le mettre en service :", "To put it to work:"}}},
         .run = serve}};
}

}  // namespace hygie::app
