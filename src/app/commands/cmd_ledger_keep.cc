#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/house/core.h"
#include "app/ledger/ledger_desk.h"
#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "base/counted.h"

namespace hygie::app {
namespace {

/// On the ledger alone, or with the vault beside it, which says whose traces it needs.
Result<std::uint64_t> carry_out(Context& context, const Erasure& erasure) {
    auto dir = std::filesystem::absolute(context.values.text("DIR")).lexically_normal();
    if (!dir.has_filename()) dir = dir.parent_path();  // "ledger/"
    const CoreDirs core(dir.parent_path().string());
    const crypto::RootKey root = TRY(unlock_ledger(context, dir.string()));
    if (core.ledger() == dir.string() && context.disk.exists(core.vault())) {
        const auto store = Store::open(context, core, root, TRY(given_policy(context)));
        if (store) {
            const std::uint64_t keys = TRY((*store)->clerk().shred(erasure));
            TRY_STATUS((*store)->close());
            return keys;
        }
        if (store.error().code != Code::Busy) return std::unexpected(store.error());
    }
    const auto clerk = TRY(open_clerk(context, dir.string(), root, TRY(given_policy(context))));
    const std::uint64_t keys = TRY(clerk->shred(erasure));
    TRY_STATUS(clerk->close());
    return keys;
}

Result<int> shred(Context& context) {
    Erasure erasure{.patient = PatientId(context.values.text("--patient")),
                    .retention = {},
                    .by = reader_of(context),
                    .reason = context.values.text("--reason")};
    if (context.values.has("--retention"))
        erasure.retention = event::retention_named(context.values.text("--retention"));
    const std::uint64_t keys = TRY(carry_out(context, erasure));
    if (context.json)
        context.out << nlohmann::json{{"keys_destroyed", keys}}.dump() << "\n";
    else if (keys == 0)
        context.out << context.say(
            {"aucune clé : rien n'était écrit sur cette personne, ou tout était déjà effacé\n",
             "no key: nothing was written about this person, or all was erased before\n"});
    else
        context.out << context.say(
            counted({"{} [clé détruite|clés détruites] ; toutes les preuves tiennent\n",
                     "{} [key|keys] destroyed; every proof still holds\n"},
                    {keys}));
    return kExitOk;
}

Result<int> prune(Context& context) {
    const auto clerk = TRY(open_clerk(context));
    const ledger::Pruned pruned =
        TRY(clerk->prune(reader_of(context), context.values.flag("--dry-run")));
    TRY_STATUS(clerk->close());
    if (context.json)
        context.out << nlohmann::json{{"minimum_index", pruned.minimum_index},
                                      {"bundles_dropped", pruned.bundles},
                                      {"keys_destroyed", pruned.keys},
                                      {"dry_run", context.values.flag("--dry-run")}}
                           .dump()
                    << "\n";
    else
        context.out << context.say(
            counted({"indice minimal {} : {} [lot d'entrées retiré|lots d'entrées retirés], {} "
                     "[clé détruite|clés détruites]\n",
                     "minimum index {}: {} entry [bundle|bundles] dropped, {} [key|keys] "
                     "destroyed\n"},
                    {pruned.minimum_index, pruned.bundles, pruned.keys}));
    return kExitOk;
}

Result<int> rotate(Context& context) {
    const auto clerk = TRY(open_clerk(context));
    const std::string key = TRY(clerk->rotate());
    TRY_STATUS(clerk->close());
    if (context.json)
        context.out << nlohmann::json{{"key", key}}.dump() << "\n";
    else
        context.out << key << "\n";
    return kExitOk;
}

Result<int> rewrap(Context& context) {
    const auto clerk = TRY(open_clerk(context));
    const std::uint64_t keys = TRY(clerk->rewrap());
    TRY_STATUS(clerk->close());
    if (context.json)
        context.out << nlohmann::json{{"keys", keys}}.dump() << "\n";
    else
        context.out << context.say(counted(
            {"{} [clé enveloppée|clés enveloppées] à neuf\n", "{} [key|keys] wrapped anew\n"},
            {keys}));
    return kExitOk;
}

}  // namespace

std::vector<Command> ledger_keep_commands() {
    return {
        {.path = {"ledger", "shred"},
         .summary = {"efface une personne du journal", "erases one person from the ledger"},
         .description = {"Détruit les clés des traces d'un patient : elles deviennent illisibles "
                         "partout, copies et sauvegardes "
                         "comprises, et aucune preuve n'est cassée. Irréversible. L'effacement est "
                         "inscrit, sans nommer la personne.",
                         "Destroys the keys of a patient's traces: they become unreadable "
                         "everywhere, copies and backups "
                         "included, and no proof is broken. Cannot be undone. The erasure is "
                         "logged, without naming the person."},
         .options = {{.name = "--patient",
                      .placeholder = "ID",
                      .help = {"la personne", "the person"},
                      .required = true},
                     {.name = "--retention",
                      .placeholder = "CLASS",
                      .help = {"une seule classe de conservation", "one retention class only"},
                      .choices = {"trace_1y", "control_3y", "record_10y", "record_20y"}},
                     {.name = "--reason",
                      .placeholder = "TEXT",
                      .help = {"le fondement, gardé au journal", "the ground, kept in the ledger"},
                      .required = true},
                     reader_option(),
                     policy_option(),
                     passphrase_file_option()},
         .arguments = {ledger_argument()},
         .examples = {{"hygie ledger shred /srv/ledger --patient 1234567 --reason 'art. 17 RGPD, "
                       "demande 2026-118'",
                       {"Donner suite à une demande :", "To carry out a request:"}}},
         .run = shred},
        {.path = {"ledger", "prune"},
         .summary = {"retire les lots d'entrées dont la conservation est finie",
                     "drops the entry bundles whose retention has ended"},
         .description = {"Détruit aussi les clés des classes et années échues. L'arbre et les "
                         "preuves restent (élagage C2SP).",
                         "Also destroys the keys of expired classes and years. Tree and proofs "
                         "remain (C2SP pruning)."},
         .options = {{.name = "--dry-run",
                      .kind = Kind::Flag,
                      .help = {"dit ce qui serait retiré, sans rien retirer",
                               "says what would be dropped, drops nothing"}},
                     reader_option(),
                     policy_option(),
                     passphrase_file_option()},
         .arguments = {ledger_argument()},
         .examples = {{"hygie ledger prune /srv/ledger --dry-run",
                       {"Voir avant :", "To look first:"}}},
         .run = prune},
        {.path = {"ledger", "rewrap"},
         .summary = {"enveloppe à neuf les clés des données", "wraps the data keys anew"},
         .description = {"Une copie plus ancienne de private/keys ne peut alors plus rien ouvrir "
                         "de ce qui a été effacé depuis. "
                         "Aucune donnée n'est récrite. À faire après un effacement.",
                         "An older copy of private/keys can then open nothing that was erased "
                         "since. No data is "
                         "rewritten. To do after an erasure."},
         .options = {policy_option(), passphrase_file_option()},
         .arguments = {ledger_argument()},
         .examples = {{"hygie ledger rewrap /srv/ledger",
                       {"Après « ledger shred » :", "After 'ledger shred':"}}},
         .run = rewrap},
        {.path = {"ledger", "rotate"},
         .summary = {"change la clé de signature et détruit l'ancienne",
                     "changes the signing key and destroys the old one"},
         .description =
             {"Une clé volée demain ne pourra pas signer hier. Un dernier point de contrôle porte "
              "les deux "
              "signatures ; ajoutez ensuite la nouvelle clé aux politiques et aux témoins.",
              "A key stolen tomorrow cannot sign yesterday. One last checkpoint bears both "
              "signatures; then add "
              "the new key to policies and witnesses."},
         .options = {policy_option(), passphrase_file_option()},
         .arguments = {ledger_argument()},
         .examples = {{"hygie ledger rotate /srv/ledger",
                       {"Commencer une époque :", "To begin an epoch:"}}},
         .run = rotate},
    };
}

}  // namespace hygie::app
