#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "crypto/shares.h"

namespace hygie::app {
namespace {

/// A share is about a hundred signs; more lines than shares are blank or explain something.
constexpr std::size_t kShareLineBytesMax = 1024;

std::string_view name_of(crypto::RootDescription::Kind kind) {
    switch (kind) {
        case crypto::RootDescription::Kind::Passphrase:
            return "passphrase";
        case crypto::RootDescription::Kind::Credential:
            return "credential";
        case crypto::RootDescription::Kind::KeyFile:
            return "key-file";
    }
    return "unknown";
}

/// What is true of the key now; printed by every command that changed it.
Result<int> show(Context& context) {
    const std::string& path = context.values.text("FILE");
    const crypto::RootDescription key = TRY(crypto::describe(context.disk, path));
    if (context.json) {
        const nlohmann::json report = {{"file", path},
                                       {"seal", name_of(key.kind)},
                                       {"name", key.name},
                                       {"starts_unattended", key.starts_unattended},
                                       {"protection", context.say(key.protection)}};
        context.out << report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                    << "\n";
        return kExitOk;
    }
    context.out << path << context.say({" : scellée par ", ": sealed by "}) << name_of(key.kind)
                << (key.name.empty() ? "" : " (" + key.name + ")") << "\n"
                << context.say(key.protection) << "\n"
                << context.say(
                       key.starts_unattended
                           ? Text{"Démarre sans personne.", "Starts with nobody there."}
                           : Text{"Demande quelqu'un au démarrage.", "Needs somebody at start."})
                << "\n";
    return kExitOk;
}

Result<int> create(Context& context) {
    const std::string& path = context.values.text("FILE");
    TRY(crypto::create_root(context.disk, context.random, path, TRY(new_sealing(context))));
    const int code = TRY(show(context));
    if (!context.json)
        context.out << context.say(
            {"À faire aujourd'hui : « hygie key split », pour que k personnes sur n puissent la "
             "retrouver. Perdue, le contenu scellé l'est pour toujours.\n",
             "To do today: 'hygie key split', so that k people out of n can bring it back. If it "
             "is lost, the sealed content is lost for ever.\n"});
    return code;
}

Result<int> seal(Context& context) {
    const std::string& path = context.values.text("FILE");
    const crypto::RootKey root = TRY(unlock(context, path));
    TRY_STATUS(crypto::reseal(context.disk, context.random, path, root, TRY(new_sealing(context))));
    return show(context);
}

Result<int> split(Context& context) {
    const crypto::RootKey root = TRY(unlock(context, context.values.text("FILE")));
    const auto needed = static_cast<unsigned>(context.values.number("--needed"));
    const auto total = static_cast<unsigned>(context.values.number("--total"));
    const std::vector<std::string> shares =
        TRY(crypto::split(root.secret(), needed, total, context.random));
    if (context.json) {
        context.out
            << nlohmann::json{{"needed", needed}, {"total", total}, {"shares", shares}}.dump()
            << "\n";
        return kExitOk;
    }
    for (const std::string& share : shares) context.out << share << "\n";
    context.err << context.say(
        {"Imprimez chaque ligne à part et confiez-la à une autre personne ; n'en gardez aucune "
         "copie ici.\n",
         "Print each line apart and give it to another person; keep no copy here.\n"});
    return kExitOk;
}

Result<std::vector<std::string>> read_shares(Context& context) {
    if (context.err_is_terminal)
        context.err << context.say({"Une part par ligne, puis une ligne vide :\n",
                                    "One share per line, then an empty line:\n"})
                    << std::flush;
    std::vector<std::string> lines;
    std::string line;
    while (lines.size() < crypto::kSharesMax && std::getline(context.in, line)) {
        if (line.find_first_not_of(" \t\r") == std::string::npos) break;
        if (line.size() > kShareLineBytesMax)
            return fail(Code::BadInput,
                        {"une ligne est trop longue pour être une part",
                         "a line is too long to be a share"},
                        {"donnez les parts telles que « hygie key split » les a écrites",
                         "give the shares as 'hygie key split' wrote them"});
        lines.push_back(line);
    }
    return lines;
}

Result<int> recover(Context& context) {
    const std::string& path = context.values.text("FILE");
    const std::vector<std::string> lines = TRY(read_shares(context));
    const crypto::RootKey root(TRY(crypto::combine(lines)));
    TRY_STATUS(crypto::reseal(context.disk, context.random, path, root, TRY(new_sealing(context))));
    return show(context);
}

Parameter key_file() {
    return {
        .name = "FILE",
        .kind = Kind::File,
        .help =
            {"le fichier de la clé racine scellée ; celui d'un journal est DIR/private/root.hyk",
             "the file of the sealed root key; a ledger's own is DIR/private/root.hyk"},
        .required = true};
}

Command status_command() {
    return {.path = {"key", "status"},
            .summary = {"dit comment une clé racine est scellée", "says how a root key is sealed"},
            .description = {"Sans l'ouvrir : ce qui la protège d'un voleur du disque, et si le "
                            "service peut démarrer seul.",
                            "Without opening it: what protects it from a thief of the disk, and "
                            "whether the service can "
                            "start alone."},
            .arguments = {key_file()},
            .examples = {{"hygie key status /var/lib/hygie/ledger/private/root.hyk",
                          {"Vérifier la protection de la clé d'un journal :",
                           "Check how a ledger's key is protected:"}}},
            .run = show};
}

Command create_command() {
    return {
        .path = {"key", "create"},
        .summary = {"crée une clé racine", "makes a root key"},
        .description =
            {"Tire 32 octets au hasard et les scelle dans un fichier. N'écrase jamais une clé.",
             "Draws 32 random bytes and seals them into a file. Never overwrites a key."},
        .options = new_sealing_options(),
        .arguments = {key_file()},
        .examples = {{"hygie key create root.hyk",
                      {"Avec une phrase de passe, demandée :", "With a passphrase, asked for:"}},
                     {"hygie key create root.hyk --seal key-file --key-file /media/usb/hygie.key",
                      {"Pour une machine sans opérateur, ouverte par un support à part :",
                       "For a machine without operator, opened by a separate medium:"}}},
        .run = create};
}

Command seal_command() {
    std::vector<Parameter> options = new_sealing_options();
    options.push_back(passphrase_file_option());
    return {.path = {"key", "seal"},
            .summary = {"scelle une clé racine autrement", "seals a root key in another way"},
            .description = {"La clé reste la même, rien d'autre n'est réécrit. À faire quand une "
                            "phrase de passe a fui, ou pour "
                            "passer au TPM.",
                            "The key stays the same, nothing else is rewritten. To do when a "
                            "passphrase leaked, or to "
                            "move to the TPM."},
            .options = options,
            .arguments = {key_file()},
            .examples = {{"hygie key seal root.hyk",
                          {"Changer de phrase de passe :", "Change the passphrase:"}},
                         {"hygie key seal root.hyk --seal credential --credential hygie-root",
                          {"Passer à un secret que systemd descelle par le TPM :",
                           "Move to a credential that systemd unseals with the TPM:"}}},
            .run = seal};
}

Command split_command() {
    return {
        .path = {"key", "split"},
        .summary = {"partage une clé racine entre des personnes", "splits a root key among people"},
        .description =
            {"Écrit n lignes ; k d'entre elles rendent la clé, k - 1 n'en disent rien.",
             "Writes n lines; any k of them give the key back, k - 1 say nothing about it."},
        .options = {{.name = "-k,--needed",
                     .placeholder = "K",
                     .kind = Kind::Number,
                     .help = {"combien de parts il faut", "how many shares it takes"},
                     .by_default = "2",
                     .min = 2,
                     .max = crypto::kSharesMax},
                    {.name = "-n,--total",
                     .placeholder = "N",
                     .kind = Kind::Number,
                     .help = {"combien de parts écrire", "how many shares to write"},
                     .by_default = "3",
                     .min = 2,
                     .max = crypto::kSharesMax},
                    passphrase_file_option()},
        .arguments = {key_file()},
        .examples = {{"hygie key split root.hyk | lpr",
                      {"Deux parts sur trois, imprimées sans passer par un fichier :",
                       "Two shares out of three, printed without passing through a file:"}},
                     {"hygie key split root.hyk --needed 3 --total 5",
                      {"Trois sur cinq :", "Three out of five:"}}},
        .run = split};
}

Command recover_command() {
    return {
        .path = {"key", "recover"},
        .summary = {"retrouve une clé racine à partir de ses parts",
                    "brings a root key back from its shares"},
        .description = {"Lit k parts sur l'entrée, une par ligne, et scelle la clé retrouvée dans "
                        "le fichier, qu'elle "
                        "remplace. Une faute de frappe est trouvée et nommée.",
                        "Reads k shares from the input, one per line, and seals the key it finds "
                        "into the file, which "
                        "it replaces. A typing mistake is found and named."},
        .options = new_sealing_options(),
        .arguments = {key_file()},
        .examples = {{"hygie key recover root.hyk",
                      {"Taper les parts, puis une nouvelle phrase de passe :",
                       "Type the shares, then a new passphrase:"}},
                     {"hygie key recover root.hyk --seal key-file --key-file hygie.key < parts.txt",
                      {"Pour un exercice, depuis un fichier :", "For a drill, from a file:"}}},
        .run = recover};
}

}  // namespace

std::vector<Command> key_commands() {
    return {{.path = {"key"},
             .summary = {"la clé racine, ses sceaux et ses parts",
                         "the root key, its seals and its shares"},
             .description = {"Toutes les clés découlent de la clé racine. Elle est stockée une "
                             "fois, scellée ; k personnes sur n "
                             "peuvent la retrouver.",
                             "Every key comes from the root key. It is stored once, sealed; k "
                             "people out of n can bring it "
                             "back."}},
            status_command(),
            create_command(),
            seal_command(),
            split_command(),
            recover_command()};
}

}  // namespace hygie::app
