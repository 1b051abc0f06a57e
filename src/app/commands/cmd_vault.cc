#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/house/core.h"
#include "app/house/vault_desk.h"
#include "app/house/vault_import.h"
#include "app/ledger/ledger_desk.h"
#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "base/counted.h"

namespace hygie::app {
namespace {

/// Vault and ledger, opened by this command alone.
Result<std::unique_ptr<Store>> open_store(Context& context, const CoreDirs& dirs,
                                          const crypto::RootKey& root) {
    auto store = Store::open(context, dirs, root, std::nullopt);
    if (store || store.error().code != Code::Busy) return store;
    return fail(Code::Busy,
                {"le coffre est ouvert par le service", "the vault is open in the service"},
                {"arrêtez « hygie serve » le temps de cette reprise, ou passez par lui : $import "
                 "sous /fhir",
                 "stop 'hygie serve' for the time of this import, or go through it: $import below "
                 "/fhir"});
}

VaultAct act(Context& context, VaultAct::Kind kind) {
    return {.kind = kind, .by = reader_of(context), .patient = {}, .reason = {}};
}

/// On the record of PATIENT.
VaultAct act_on_record(Context& context, VaultAct::Kind kind, std::string reason = {}) {
    return {.kind = kind,
            .by = reader_of(context),
            .patient = context.values.text("PATIENT"),
            .reason = std::move(reason)};
}

Result<Bytes> carry_out(Context& context, const VaultAct& act) {
    return app::carry_out(context, TRY(unlock_core(context, core_dirs(context))), act);
}

int tell(Context& context, const nlohmann::json& report, const Text& sentence) {
    if (context.json)
        context.out << report.dump() << "\n";
    else
        context.out << context.say(sentence) << "\n";
    return kExitOk;
}

Result<int> status(Context& context) {
    const VaultReport report =
        TRY(read_vault_report(TRY(carry_out(context, act(context, VaultAct::Kind::Status)))));
    const vault::Counts& counts = report.counts;
    return tell(context,
                {{"records", counts.records},
                 {"resources", counts.resources},
                 {"versions", counts.versions},
                 {"commits", counts.commits},
                 {"ledger_entries", report.ledger_entries}},
                counted({"{} [dossier|dossiers], {} [ressource|ressources], {} "
                         "[version|versions], {} [écriture|écritures]",
                         "{} [record|records], {} [resource|resources], {} [version|versions], {} "
                         "[commit|commits]"},
                        {counts.records, counts.resources, counts.versions, counts.commits}));
}

Result<int> import(Context& context) {
    const CoreDirs dirs = core_dirs(context);
    const crypto::RootKey root = TRY(unlock_core(context, dirs));
    const auto store = TRY(open_store(context, dirs, root));
    // A name that is wrong is told before anything is stored.
    for (const std::string& path : context.values.list("FILE"))
        TRY(context.disk.open(path, Open::Read));
    Importer importer(context, *store, dirs, root, reader_of(context));
    for (const std::string& path : context.values.list("FILE")) TRY_STATUS(importer.file(path));
    const Imported imported = importer.finish();
    TRY_STATUS(store->close());
    for (const auto& [file, why] : imported.refused)
        context.err << file << ": " << context.say(why.what) << "\n";
    tell(context,
         {{"resources", imported.resources},
          {"bundles", imported.bundles},
          {"refused", imported.refused.size()}},
         counted({"{} [ressource enregistrée|ressources enregistrées], {} [lot|lots], {} "
                  "[refusé|refusés]",
                  "{} [resource|resources] stored, {} [bundle|bundles], {} refused"},
                 {imported.resources, imported.bundles, imported.refused.size()}));
    return imported.refused.empty() ? kExitOk : kExitFailed;
}

Result<int> export_one(Context& context) {
    const std::string& dir = context.values.text("--output");
    const auto files = TRY(
        read_vault_files(TRY(carry_out(context, act_on_record(context, VaultAct::Kind::Export)))));
    TRY_STATUS(context.disk.make_dirs(dir));
    for (const VaultFile& file : files)
        TRY_STATUS(context.disk.write_file(join(dir, file.name), file.bytes));
    const Text count = counted({"{} [fichier|fichiers]", "{} [file|files]"}, {files.size()});
    return tell(context, {{"files", files.size()}, {"output", dir}},
                {fmt::format("{} dans {}", count.fr, dir), fmt::format("{} in {}", count.en, dir)});
}

Result<int> verify(Context& context) {
    const vault::Verified verified =
        TRY(read_vault_report(TRY(carry_out(context, act(context, VaultAct::Kind::Verify)))))
            .verified;
    nlohmann::json rot = nlohmann::json::array();
    for (const vault::Rot& one : verified.rot)
        rot.push_back({{"commit", one.commit},
                       {"row", one.row},
                       {"what", context.say(vault::describe(one))}});
    if (context.json) {
        context.out << nlohmann::json{{"commits", verified.commits},
                                      {"versions", verified.versions},
                                      {"erased", verified.erased},
                                      {"rot", rot}}
                           .dump()
                    << "\n";
    } else {
        for (const vault::Rot& one : verified.rot)
            context.out << context.say(vault::describe(one)) << "\n";
        context.out << context.say(
            counted({"{} [écriture vérifiée|écritures vérifiées], {} [version|versions], {} "
                     "[anomalie|anomalies]\n",
                     "{} [commit|commits] and {} [version|versions] verified, {} [fault|faults]\n"},
                    {verified.commits, verified.versions, verified.rot.size()}));
    }
    return verified.rot.empty() ? kExitOk : kExitFailed;
}

Result<int> expired(Context& context) {
    const auto patients =
        TRY(read_vault_patients(TRY(carry_out(context, act(context, VaultAct::Kind::Expired)))));
    if (context.json) {
        context.out << nlohmann::json{{"patients", patients}}.dump() << "\n";
        return kExitOk;
    }
    for (const std::string& patient : patients) context.out << patient << "\n";
    context.err << context.say(
        counted({"{} [dossier|dossiers] dont la durée de conservation est passée\n",
                 "{} [record|records] whose retention period is over\n"},
                {patients.size()}));
    return kExitOk;
}

Result<int> shred(Context& context) {
    TRY(carry_out(context,
                  act_on_record(context, VaultAct::Kind::Shred, context.values.text("--reason"))));
    return tell(context, {{"erased", true}},
                {"le dossier est effacé, sauvegardes comprises ; le journal garde que ce fut fait",
                 "the record is erased, backups included; the ledger keeps that it was done"});
}

Result<int> hold(Context& context) {
    const bool lifts = context.values.flag("--lift");
    const auto kind = lifts ? VaultAct::Kind::Lift : VaultAct::Kind::Hold;
    TRY(carry_out(context, act_on_record(context, kind, context.values.text("--reason"))));
    return tell(context, {{"held", !lifts}},
                lifts ? Text{"l'effacement est à nouveau possible", "erasure is possible again"}
                      : Text{"l'effacement de ce dossier est interdit",
                             "erasing this record is forbidden"});
}

std::vector<Parameter> common_options(std::vector<Parameter> more = {}) {
    more.insert(more.begin(), state_option());
    more.push_back(reader_option());
    more.push_back(passphrase_file_option());
    return more;
}

Parameter patient_argument() {
    return {.name = "PATIENT",
            .help = {"l'id du patient, sans « Patient/ »", "id of the patient, without 'Patient/'"},
            .required = true};
}

Parameter reason_option() {
    return {.name = "--reason",
            .placeholder = "TEXT",
            .help = {"pourquoi : le journal le garde, scellé", "why: the ledger keeps it, sealed"},
            .required = true};
}

constexpr char kPatient[] = "825cad81-3f18-56a4-adff-e317a792227d";

Command import_command() {
    return {.path = {"vault", "import"},
            .summary = {"reprend des dossiers : NDJSON ou Bundles FHIR",
                        "takes records over: FHIR NDJSON or Bundles"},
            .description = {"Chaque ligne ou fichier JSON est un Bundle (transaction, collection) "
                            "ou une ressource. Tout est validé, scellé, indexé et tracé ; un lot "
                            "qui a une erreur n'est pas enregistré, les autres le sont.",
                            "Each line or JSON file is a Bundle (transaction, collection) or a "
                            "resource. All is validated, sealed, indexed and traced; a bundle with "
                            "an error is not stored, the others are."},
            .options = common_options(),
            .arguments = {{.name = "FILE",
                           .kind = Kind::File,
                           .help = {"fichiers .json ou .ndjson", ".json or .ndjson files"},
                           .required = true,
                           .many = true}},
            .examples = {{"hygie vault import --state /var/lib/hygie reprise/*.ndjson",
                          {"Reprendre l'ancienne base :", "Take over the former base:"}}},
            .run = import};
}

Command export_command() {
    return {.path = {"vault", "export"},
            .summary = {"donne un dossier entier, pour le patient ou un confrère",
                        "gives a whole record, for the patient or a colleague"},
            .description = {"Un fichier NDJSON par type et manifest.json, en clair : à chiffrer ou "
                            "remettre en main propre. Le journal garde qui l'a fait.",
                            "One NDJSON file per type and manifest.json, in the clear: to encrypt "
                            "or hand over. The ledger keeps who did it."},
            .options = common_options({{.name = "-o,--output",
                                        .placeholder = "DIR",
                                        .kind = Kind::Dir,
                                        .help = {"où écrire", "where to write"},
                                        .required = true}}),
            .arguments = {patient_argument()},
            .examples = {{fmt::format("hygie vault export {} --state /var/lib/hygie -o dossier",
                                      kPatient),
                          {"Portabilité (RGPD, art. 20) :", "Portability (GDPR, art. 20):"}}},
            .run = export_one};
}

Command expired_command() {
    return {.path = {"vault", "expired"},
            .summary = {"dit quels dossiers ne doivent plus être gardés",
                        "says which records may no longer be kept"},
            .description = {"Vingt ans après le dernier contact, vingt-huit ans d'âge au moins, "
                            "dix ans après un décès, trente après une transfusion (CSP "
                            "R.1112-7) ; ceux qu'un gel juridique retient n'en sont pas. Un id "
                            "par ligne ; rien n'est effacé.",
                            "Twenty years after the last contact, an age of twenty-eight at "
                            "least, ten years after a death, thirty after a transfusion (CSP "
                            "R.1112-7); those under a legal hold are left out. One id a line; "
                            "nothing is erased."},
            .options = common_options(),
            .examples = {{"hygie vault expired --state /var/lib/hygie",
                          {"Chaque année, à relire avant « vault shred » :",
                           "Each year, to be read again before 'vault shred':"}}},
            .run = expired};
}

Command shred_command() {
    return {.path = {"vault", "shred"},
            .summary = {"efface un dossier pour toujours", "erases a record for ever"},
            .description = {"Détruit la clé du patient : corps, historique, index et sauvegardes "
                            "ne se lisent plus. Refusé tant qu'un gel juridique pèse dessus.",
                            "Destroys the patient's key: bodies, history, index and backups can no "
                            "longer be read. Refused while a legal hold lies on it."},
            .options = common_options({reason_option()}),
            .arguments = {patient_argument()},
            .examples = {{fmt::format("hygie vault shred {} --state /var/lib/hygie --reason "
                                      "'RGPD art. 17'",
                                      kPatient),
                          {"Après la durée de conservation :", "After the retention period:"}}},
            .run = shred};
}

Command hold_command() {
    return {
        .path = {"vault", "hold"},
        .summary = {"interdit, ou permet à nouveau, d'effacer un dossier",
                    "forbids, or allows again, the erasure of a record"},
        .description = {"Pour un contentieux ou une enquête. --lift le lève.",
                        "For litigation or an inquiry. --lift lifts it."},
        .options = common_options(
            {reason_option(),
             {.name = "--lift", .kind = Kind::Flag, .help = {"lève le gel", "lifts the hold"}}}),
        .arguments = {patient_argument()},
        .examples = {{fmt::format("hygie vault hold {} --state /var/lib/hygie --reason "
                                  "'contentieux 2026-12'",
                                  kPatient),
                      {"À réception d'une assignation :", "When a writ arrives:"}}},
        .run = hold};
}

}  // namespace

std::vector<Command> vault_commands() {
    return {{.path = {"vault"},
             .summary = {"le coffre des dossiers", "the vault of records"},
             .description = {"Reprise, remise, vérification et effacement. Chaque acte est au "
                             "journal avant d'avoir effet. Le service, s'il marche, s'en charge ; "
                             "seule une reprise demande qu'il soit arrêté.",
                             "Taking over, handing over, verifying and erasing. Each act is in the "
                             "ledger before it takes effect. The service carries them out when it "
                             "runs; taking over alone asks that it be stopped."}},
            {.path = {"vault", "status"},
             .summary = {"dit combien le coffre contient", "says how much the vault holds"},
             .description = {"Des nombres, aucun nom.", "Numbers, no name."},
             .options = common_options(),
             .examples = {{"hygie vault status --state /var/lib/hygie",
                           {"Combien de dossiers :", "How many records:"}}},
             .run = status},
            import_command(),
            export_command(),
            {.path = {"vault", "verify"},
             .summary = {"compare chaque version stockée au journal",
                         "compares each stored version with the ledger"},
             .description = {"Trouve ce qui a pourri, manque ou fut changé hors de Hygie. Code de "
                             "sortie 1 s'il y a une anomalie.",
                             "Finds what rotted, is missing or was changed behind Hygie's back. "
                             "Exit code 1 when something is."},
             .options = common_options(),
             .examples = {{"hygie vault verify --state /var/lib/hygie",
                           {"Chaque semaine :", "Each week:"}}},
             .run = verify},
            expired_command(),
            shred_command(),
            hold_command()};
}

}  // namespace hygie::app
