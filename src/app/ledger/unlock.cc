#include "app/ledger/unlock.h"

#include <filesystem>

namespace hygie::app {
namespace {

constexpr std::size_t kPassphraseFileBytesMax = 4096;

/// The first line of a file.
Result<Sensitive<std::string>> passphrase_in(Disk& disk, const std::string& path) {
    const Bytes bytes = TRY(disk.read_file(path, kPassphraseFileBytesMax));
    const std::string_view text = as_text(bytes);
    return Sensitive<std::string>(std::string(text.substr(0, text.find_first_of("\r\n"))));
}

Result<Sensitive<std::string>> ask_twice(Context& context) {
    auto first =
        TRY(context.ask_secret(context.say({"Nouvelle phrase de passe : ", "New passphrase: "})));
    const auto second = TRY(
        context.ask_secret(context.say({"La même, encore une fois : ", "The same, once more: "})));
    if (first == second) return first;
    return fail(Code::BadInput,
                {"les deux phrases de passe diffèrent", "the two passphrases differ"},
                {"recommencez, sans vous presser", "try again, without haste"});
}

}  // namespace

Parameter passphrase_file_option() {
    return {
        .name = "--passphrase-file",
        .placeholder = "FILE",
        .kind = Kind::File,
        .help = {"lit la phrase de passe à la première ligne de ce fichier, au lieu de la demander",
                 "reads the passphrase from the first line of this file instead of asking for it"}};
}

Result<crypto::RootKey> unlock(Context& context, const std::string& path) {
    if (!context.disk.exists(path))
        return fail(Code::NotFound,
                    {"il n'y a pas de clé racine : " + path, "there is no root key: " + path},
                    {"vérifiez le dossier ; pour une garde toute neuve : hygie key create " + path,
                     "check the folder; for a guard that is new: hygie key create " + path});
    const crypto::RootDescription description = TRY(crypto::describe(context.disk, path));
    switch (description.kind) {
        case crypto::RootDescription::Kind::KeyFile:
            return crypto::open_root(context.disk, path, crypto::WithKeyFile{description.name});
        case crypto::RootDescription::Kind::Credential:
            return crypto::open_root(context.disk, path,
                                     TRY(crypto::credential(context.process, description.name)));
        case crypto::RootDescription::Kind::Passphrase:
            break;
    }
    auto passphrase =
        context.values.has("--passphrase-file")
            ? TRY(passphrase_in(context.disk, context.values.text("--passphrase-file")))
            : TRY(context.ask_secret(context.say({"Phrase de passe : ", "Passphrase: "})));
    return crypto::open_root(context.disk, path, crypto::WithPassphrase{std::move(passphrase)});
}

std::vector<Parameter> new_sealing_options() {
    return {
        {.name = "--seal",
         .placeholder = "HOW",
         .help = {"ce qui ouvre la clé : une phrase de passe, un secret de systemd (TPM), ou un "
                  "fichier de 32 octets",
                  "what opens the key: a passphrase, a systemd credential (TPM), or a file of 32 "
                  "bytes"},
         .choices = {"passphrase", "credential", "key-file"},
         .by_default = "passphrase"},
        {.name = "--new-passphrase-file",
         .placeholder = "FILE",
         .kind = Kind::File,
         .help = {"avec passphrase : la première ligne de ce fichier, au lieu de la demander",
                  "with passphrase: the first line of this file, instead of asking for it"}},
        {.name = "--credential",
         .placeholder = "NAME",
         .help = {"avec credential : son nom dans l'unité (LoadCredentialEncrypted)",
                  "with credential: its name in the unit (LoadCredentialEncrypted)"},
         .by_default = "hygie-root"},
        {.name = "--key-file",
         .placeholder = "FILE",
         .kind = Kind::File,
         .help =
             {"avec key-file : le fichier, créé s'il n'existe pas ; mettez-le sur un autre support",
              "with key-file: the file, made when absent; put it on another medium"}},
    };
}

Result<crypto::Sealing> new_sealing(Context& context) {
    const Values& values = context.values;
    if (values.text("--seal") == "credential")
        return TRY(crypto::credential(context.process, values.text("--credential")));
    if (values.text("--seal") == "key-file") {
        if (values.has("--key-file"))
            return crypto::WithKeyFile{
                std::filesystem::absolute(values.text("--key-file")).string()};
        return fail(Code::BadInput, {"il manque --key-file", "--key-file is missing"},
                    {"donnez le chemin du fichier qui ouvrira la clé",
                     "give the path of the file that will open the key"});
    }
    return crypto::WithPassphrase{
        values.has("--new-passphrase-file")
            ? TRY(passphrase_in(context.disk, values.text("--new-passphrase-file")))
            : TRY(ask_twice(context))};
}

}  // namespace hygie::app
