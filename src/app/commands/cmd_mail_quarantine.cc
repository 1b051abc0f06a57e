#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "event/uuid.h"
#include "guards/mail/door/quarantine.h"
#include "guards/mail/door/reinject.h"
#include "guards/mail/judge/report.h"
#include "guards/mail/message/fold.h"

namespace hygie::app {
namespace {

using Json = nlohmann::ordered_json;

Result<std::unique_ptr<mail::Quarantine>> open_quarantine(Context& context) {
    const std::string& dir = context.values.text("--state");
    const crypto::RootKey root = TRY(unlock(context, join(dir, "root.hyk")));
    return mail::Quarantine::open(context.disk, context.random, join(dir, "quarantine"),
                                  root.domain(mail::kQuarantineKeyDomain),
                                  mail::Quarantine::Role::Reader);
}

Json json_of(const mail::Held& held) {
    return {{"id", held.id},
            {"at", to_rfc3339(held.at)},
            {"kept_as", held.kept_as},
            {"mail_from", held.envelope.mail_from},
            {"from", held.from},
            {"subject", held.subject},
            {"rcpt_to", held.envelope.rcpt_to},
            {"bytes", held.bytes},
            {"released", held.is_released},
            {"verdict", Json::parse(held.verdict, nullptr, false)}};
}

std::string line_of(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Text state_of(const mail::Held& held) {
    if (held.is_released) return {"libéré", "released"};
    if (held.kept_as == "neutralised") return {"remis inoffensif", "delivered harmless"};
    if (held.kept_as == "rejected") return {"refusé", "refused"};
    if (held.kept_as == "reported") return {"signalé", "reported"};
    return {"retenu", "held"};
}

void print_line(Context& context, const mail::Held& held) {
    if (context.json) {
        context.out << line_of(json_of(held));
        return;
    }
    context.out << fmt::format("{}  {}  {}  {}  {}  {}\n", held.id, to_rfc3339(held.at),
                               context.say(state_of(held)), held.from,
                               fmt::join(held.envelope.rcpt_to, ","), held.subject);
}

/// What the search of `list` asks for.
bool is_wanted(Context& context, const mail::Held& held) {
    const auto says = [&](const char* option, const std::string& text) {
        return !context.values.has(option) ||
               mail::contains(mail::folded(text),
                              mail::trim(mail::folded(context.values.text(option))));
    };
    if (!says("--from", held.from + " " + held.envelope.mail_from)) return false;
    if (!says("--subject", held.subject)) return false;
    if (!says("--to", fmt::format("{}", fmt::join(held.envelope.rcpt_to, " ")))) return false;
    if (context.values.has("--since") &&
        held.at < context.clock.now() - context.values.duration("--since"))
        return false;
    if (!context.values.has("--which")) return true;
    const std::string& which = context.values.text("--which");
    return which == "released" ? held.is_released : !held.is_released && held.kept_as == which;
}

Result<int> list(Context& context) {
    const auto quarantine = TRY(open_quarantine(context));
    const mail::Quarantine::Listing listing = TRY(quarantine->list());
    std::size_t shown = 0;
    for (const mail::Held& held : listing.held) {
        if (!is_wanted(context, held)) continue;
        print_line(context, held);
        ++shown;
    }
    if (shown == 0 && !context.json)
        context.out << context.say({"aucun message\n", "no message\n"});
    if (listing.unreadable == 0) return kExitOk;
    context.err << context.say(
        {fmt::format("{} fichier(s) illisible(s), abîmés ou d'une autre clé\n", listing.unreadable),
         fmt::format("{} file(s) unreadable, damaged or of another key\n", listing.unreadable)});
    return kExitFailed;
}

Result<int> show(Context& context) {
    const auto quarantine = TRY(open_quarantine(context));
    const mail::Held held =
        TRY(quarantine->find(TRY(quarantine->whole_id(context.values.text("ID")))));
    if (context.values.flag("--original")) {
        context.out << TRY(quarantine->message(held.id));
        return kExitOk;
    }
    print_line(context, held);
    if (context.json) return kExitOk;
    const Json verdict = Json::parse(held.verdict, nullptr, false);
    const std::string lang = context.lang == Lang::Fr ? "fr" : "en";
    if (!verdict.is_object()) return kExitOk;
    context.out << mail::verdict_in_words(verdict.value("verdict", ""), verdict.value("class", ""),
                                          context.lang)
                << "\n";
    for (const Json& reason : verdict.value("reasons", Json::array()))
        context.out << "  - " << reason.value(lang, "") << "\n    " << reason.value("evidence", "")
                    << "\n";
    context.out << "  → " << verdict.value("advice", Json::object()).value(lang, "") << "\n";
    return kExitOk;
}

Result<int> release(Context& context) {
    const bool by_smtp = context.values.has("--smtp");
    if (by_smtp == context.values.has("--output"))
        return fail(Code::BadInput, {"dites soit --smtp, soit -o", "say either --smtp or -o"},
                    {"--smtp remet le message à ses destinataires, -o l'écrit dans un fichier",
                     "--smtp delivers the message to its recipients, -o writes it to a file"});
    const auto quarantine = TRY(open_quarantine(context));
    const mail::Held held =
        TRY(quarantine->find(TRY(quarantine->whole_id(context.values.text("ID")))));
    const std::string message = TRY(quarantine->message(held.id));
    // First the trace, then the bytes.
    const WallTime now = context.clock.now();
    TRY_STATUS(quarantine->note_release(
        {.id = held.id,
         .by = context.process.user_name(),
         .at = now,
         .event_id = event::print_uuid(event::make_uuid(now, context.random)),
         // Written to a file, it may be for a closer look.
         .teaches = by_smtp}));
    if (by_smtp)
        TRY_STATUS(mail::reinject(context.values.text("--smtp"), held.envelope, message));
    else
        TRY_STATUS(context.disk.replace_file(context.values.text("--output"), as_bytes(message)));
    context.out << context.say({"libéré\n", "released\n"});
    return kExitOk;
}

Parameter state_option() {
    return {.name = "--state",
            .placeholder = "DIR",
            .kind = Kind::Dir,
            .help = {"le dossier d'état de la garde du courrier", "the mail guard's state folder"},
            .required = true};
}

Parameter id_argument() {
    return {.name = "ID",
            .help = {"le nom que « list » donne, ou son début : six signes au moins",
                     "the name that 'list' gives, or its beginning: six signs at least"},
            .required = true};
}

std::vector<Parameter> list_options() {
    return {state_option(),
            {.name = "--from",
             .placeholder = "TEXT",
             .help = {"l'expéditeur contient ces mots", "the sender holds these words"}},
            {.name = "--to",
             .placeholder = "TEXT",
             .help = {"un destinataire contient ces mots", "a recipient holds these words"}},
            {.name = "--subject",
             .placeholder = "TEXT",
             .help = {"l'objet contient ces mots, accents et casse à part",
                      "the subject holds these words, accents and case apart"}},
            {.name = "--since",
             .placeholder = "DURATION",
             .kind = Kind::Duration,
             .help = {"depuis, par exemple 7d", "since, for example 7d"}},
            {.name = "--which",
             .placeholder = "STATE",
             .help = {"seulement ceux-là", "only these"},
             .choices = {"held", "neutralised", "rejected", "reported", "released"}},
            passphrase_file_option()};
}

Command release_command() {
    return {.path = {"mail", "quarantine", "release"},
            .summary = {"rend un message retenu", "gives a held message back"},
            .description =
                {"Tel qu'il fut reçu. Qui l'a libéré et quand est scellé d'abord ; la garde le dit "
                 "au journal. L'adresse --smtp doit être celle d'un service que la garde ne "
                 "surveille pas, sinon le message revient en quarantaine.",
                 "As it was received. Who released it and when is sealed first; the guard tells "
                 "the ledger. The --smtp address must be that of a service the guard does not "
                 "watch, or the message comes back to the quarantine."},
            .options = {state_option(),
                        {.name = "--smtp",
                         .placeholder = "HOST:PORT",
                         .help = {"le remettre à ses destinataires par ce serveur",
                                  "deliver it to its recipients through this server"}},
                        {.name = "-o,--output",
                         .placeholder = "FILE",
                         .kind = Kind::File,
                         .help = {"l'écrire dans ce fichier", "write it to this file"}},
                        passphrase_file_option()},
            .arguments = {id_argument()},
            .examples = {{"hygie mail quarantine release ID --state /var/lib/hygie/mail --smtp "
                          "127.0.0.1:10026",
                          {"Un message retenu à tort :", "A message held wrongly:"}}},
            .run = release};
}

}  // namespace

std::vector<Command> mail_quarantine_commands() {
    return {{.path = {"mail", "quarantine"},
             .summary = {"les messages retenus", "the messages that were held"},
             .description = {"Scellés dans l'état de la garde, aussi longtemps que sa politique le "
                             "dit (--keep).",
                             "Sealed in the guard's state, for as long as its policy says "
                             "(--keep)."}},
            {.path = {"mail", "quarantine", "list"},
             .summary = {"dit ce qui est retenu", "says what is held"},
             .description =
                 {"Du plus ancien au plus récent. Sortie : 1 quand un fichier est illisible.",
                  "Oldest first. Exit: 1 when a file is unreadable."},
             .options = list_options(),
             .examples = {{"hygie mail quarantine list --state /var/lib/hygie/mail",
                           {"Tout ce qui est retenu :", "All that is held:"}},
                          {"hygie mail quarantine list --state /var/lib/hygie/mail --from labo "
                           "--since 7d --which held",
                           {"Ce qu'on cherche :", "What is searched:"}}},
             .run = list},
            {.path = {"mail", "quarantine", "show"},
             .summary = {"dit pourquoi un message est retenu", "says why a message is held"},
             .description = {"Les raisons et les octets sur lesquels elles reposent.",
                             "The reasons and the bytes they stand on."},
             .options = {state_option(),
                         {.name = "--original",
                          .kind = Kind::Flag,
                          .help = {"le message lui-même, octet pour octet ; prudence",
                                   "the message itself, byte for byte; beware"}},
                         passphrase_file_option()},
             .arguments = {id_argument()},
             .examples = {{"hygie mail quarantine show ID --state /var/lib/hygie/mail",
                           {"Avant de libérer :", "Before releasing:"}}},
             .run = show},
            release_command()};
}

}  // namespace hygie::app
