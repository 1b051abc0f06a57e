#include <nlohmann/json.hpp>

#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "guards/mail/message/limits.h"
#include "guards/mail/model/learned.h"

namespace hygie::app {
namespace {

Result<int> learn(Context& context) {
    if (context.values.has("--report") == context.values.has("--release"))
        return fail(
            Code::BadInput,
            {"dites soit --report, soit --release", "say either --report or --release"},
            {"--report pour une attaque passée, --release pour un message retenu à tort",
             "--report for an attack that came through, --release for a message held wrongly"});
    const bool report = context.values.has("--report");
    const std::string& dir = context.values.text("--state");
    const crypto::RootKey root = TRY(unlock(context, join(dir, "root.hyk")));
    const crypto::Secret32 key = root.domain(mail::kLearnedKeyDomain);
    mail::Learned learned = TRY(mail::open_learned(context.disk, dir, key));
    const Bytes bytes = TRY(context.disk.read_file(
        context.values.text(report ? "--report" : "--release"), mail::kMessageBytesMax));
    const mail::Message message = TRY(mail::parse_message(as_text(bytes)));
    const mail::Reading reading = mail::read_evidence(message, {}, {});
    const mail::Features features = mail::features_of(message, reading.evidence, reading.signals);
    const double before = mail::shipped_model().attack_log_odds(features);
    const double moved_before = learned.adjustment(features);
    const bool is_new =
        learned.add(features, before, report ? mail::Click::Report : mail::Click::Release);
    TRY_STATUS(mail::keep_learned(context.disk, context.random, dir, key, learned));
    const nlohmann::json all = {{"lessons", learned.size()},
                                {"new", is_new},
                                {"log_odds", before},
                                {"adjustment_before", moved_before},
                                {"adjustment", learned.adjustment(features)}};
    if (context.json) {
        context.out << all.dump() << "\n";
    } else {
        context.out << context.say(is_new ? Text{"Retenu.", "Learned."}
                                          : Text{"Déjà su.", "Known already."})
                    << "\n";
    }
    return kExitOk;
}

}  // namespace

std::vector<Command> mail_learn_commands() {
    return {{.path = {"mail", "learn"},
             .summary = {"apprend d'un clic de la maison", "learns from a click of the house"},
             .description =
                 {"Ajuste le modèle pour cette maison seulement, dans des bornes : les faits (IBAN "
                  "nouveau, fichier actif) gardent le dernier mot. Ne garde que des nombres, "
                  "scellés par la clé DIR/root.hyk (« hygie key create »).",
                  "Adjusts the model for this house alone, within bounds: facts (a new IBAN, an "
                  "active file) keep the last word. Keeps nothing but numbers, sealed by the key "
                  "DIR/root.hyk ('hygie key create')."},
             .options = {{.name = "--report",
                          .placeholder = "FILE",
                          .kind = Kind::File,
                          .help = {"une attaque qui est passée", "an attack that came through"}},
                         {.name = "--release",
                          .placeholder = "FILE",
                          .kind = Kind::File,
                          .help = {"un message retenu à tort", "a message held wrongly"}},
                         {.name = "--state",
                          .placeholder = "DIR",
                          .kind = Kind::Dir,
                          .help = {"où la garde garde ce qu'elle sait",
                                   "where the guard keeps what it knows"},
                          .required = true},
                         passphrase_file_option()},
             .examples = {{"hygie mail learn --release facture.eml --state /var/lib/hygie/mail",
                           {"Un message retenu à tort :", "A message held wrongly:"}}},
             .run = learn}};
}

}  // namespace hygie::app
