#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/commands/cmd_mail.h"
#include "app/commands/mail_house.h"
#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "guards/mail/door/quarantine.h"
#include "guards/mail/mailboxes/retract.h"
#include "guards/mail/message/fold.h"
#include "guards/mail/message/limits.h"

namespace hygie::app {
namespace {

using Json = nlohmann::ordered_json;

Text words_of(mail::Kin kin) {
    switch (kin) {
        case mail::Kin::Same:
            return {"le même message", "the same message"};
        case mail::Kin::Sender:
            return {"le même expéditeur, avec le même objet ou lien",
                    "the same sender, with the same subject or link"};
        case mail::Kin::Link:
            return {"un lien vers le même endroit", "a link to the same place"};
    }
    return {};
}

void print_line(Context& context, const Json& json, const std::string& words) {
    context.out << (context.json ? json.dump(-1, ' ', false, Json::error_handler_t::replace)
                                 : words)
                << "\n";
}

void print(Context& context, const mail::Found& one) {
    print_line(context,
               {{"mailbox", one.mailbox},
                {"folder", one.folder},
                {"uid", one.uid},
                {"kin", name_of(one.kin)}},
               fmt::format("{}  {}  {}  {}", one.mailbox, one.folder, one.uid,
                           context.say(words_of(one.kin))));
}

/// What one run of the command works with.
struct Run {
    std::unique_ptr<MailSpool> spool;
    std::unique_ptr<mail::Retractor> retractor;
    std::size_t failures = 0;
};

Status prepare(Context& context, Run& run) {
    const crypto::RootKey root = TRY(unlock_mail(context));
    std::vector<mail::Mailbox> mailboxes = TRY(read_mailboxes(context));
    if (!context.values.flag("--dry-run"))
        run.spool = TRY(MailSpool::open(context, root, "mail-retract"));
    mail::RetractDoors doors{
        .disk = context.disk,
        .clock = context.clock,
        .random = context.random,
        .trace = [&run](const event::Event& event) { return run.spool->keep(event); },
        .open = [&](const mail::Mailbox& one) { return mail::open_mailbox(context.disk, one); },
        .failed =
            [&](const mail::Mailbox& one, const Error& why) {
                context.err << one.name << ": " << context.say(why.what) << "\n";
                ++run.failures;
            }};
    run.retractor = std::make_unique<mail::Retractor>(
        std::move(doors), std::move(mailboxes), join(context.values.text("--state"), "retractions"),
        root.domain(mail::kRetractKeyDomain));
    return {};
}

/// The message that the retraction starts from.
Result<std::string> known_message(Context& context, mail::Retractor& retractor) {
    if (context.values.has("--held")) {
        const crypto::RootKey root = TRY(unlock_mail(context));
        const auto quarantine = TRY(mail::Quarantine::open(
            context.disk, context.random, join(context.values.text("--state"), "quarantine"),
            root.domain(mail::kQuarantineKeyDomain), mail::Quarantine::Role::Reader));
        return quarantine->message(context.values.text("--held"));
    }
    if (!context.values.has("--report"))
        return retractor.fetch(std::string(mail::bare_address(context.values.text("MESSAGE-ID"))));
    const Bytes bytes =
        TRY(context.disk.read_file(context.values.text("--report"), mail::kMessageBytesMax));
    return std::string(as_text(bytes));
}

int exit_code(const Run& run) {
    return run.failures == 0 ? kExitOk : kExitEnvironment;
}

Result<int> undo(Context& context, Run& run) {
    const std::size_t count =
        TRY(run.retractor->undo(context.values.text("--undo"), context.process.user_name()));
    run.spool->settle();
    print_line(context, {{"moved_back", count}},
               context.say({fmt::format("{} message(s) remis", count),
                            fmt::format("{} message(s) put back", count)}));
    return exit_code(run);
}

Result<int> retract(Context& context) {
    const bool undoes = context.values.has("--undo");
    const int given =
        int(undoes) + int(context.values.has("--report")) + int(context.values.has("MESSAGE-ID"));
    if (given != 1 || (undoes && context.values.flag("--dry-run")))
        return fail(Code::BadInput,
                    {"dites un MESSAGE-ID, ou --report, ou --held, ou --undo",
                     "say one MESSAGE-ID, or --report, or --held, or --undo"},
                    {"--dry-run montre ce qu'un retrait trouverait",
                     "--dry-run shows what a retraction would find"});
    Run run;
    TRY_STATUS(prepare(context, run));
    if (undoes) return undo(context, run);
    const mail::History history = TRY(read_history(context));
    const std::string bytes = TRY(known_message(context, *run.retractor));
    const mail::Message message = TRY(mail::parse_message(bytes));
    mail::Campaign campaign =
        mail::campaign_of(message, mail::read_evidence(message, {}, history).evidence, history);
    if (context.values.flag("--exact"))
        campaign = {.message_id = campaign.message_id,
                    .sender = {},
                    .subject = {},
                    .links = {},
                    .hosts = {}};
    std::vector<mail::Found> found =
        run.retractor->find(campaign, context.values.duration("--since"), history);
    for (const mail::Found& one : found) print(context, one);
    if (context.values.flag("--dry-run") || found.empty()) {
        print_line(context, {{"found", found.size()}, {"moved", 0}},
                   context.say({fmt::format("{} trouvé(s), rien n'a bougé", found.size()),
                                fmt::format("{} found, nothing moved", found.size())}));
        return exit_code(run);
    }
    const std::size_t count = found.size();
    const mail::Retraction done =
        TRY(run.retractor->retract(std::move(found), context.process.user_name()));
    run.spool->settle();
    print_line(
        context, {{"found", count}, {"moved", done.moved.size()}, {"retraction", done.id}},
        context.say(
            {fmt::format("{} retiré(s) ; pour défaire : --undo {}", done.moved.size(), done.id),
             fmt::format("{} retracted; to undo: --undo {}", done.moved.size(), done.id)}));
    return exit_code(run);
}

std::vector<Parameter> retract_options() {
    return {mail_state_option(),
            mail_mailboxes_option(),
            {.name = "--report",
             .placeholder = "FILE",
             .kind = Kind::File,
             .help = {"le message, comme fichier, tel qu'on l'a signalé",
                      "the message, as a file, as somebody reported it"}},
            {.name = "--held",
             .placeholder = "ID",
             .help = {"un message que la garde retient ou qu'on lui a signalé",
                      "a message that the guard holds, or that was reported to it"}},
            {.name = "--undo",
             .placeholder = "ID",
             .help = {"remet en place ce que ce retrait a déplacé",
                      "puts back what that retraction moved"}},
            {.name = "--dry-run",
             .kind = Kind::Flag,
             .help = {"dit seulement ce qui serait déplacé", "only says what would be moved"}},
            {.name = "--exact",
             .kind = Kind::Flag,
             .help = {"ce message seul, sans les autres de la même campagne",
                      "this message alone, without the others of the same campaign"}},
            {.name = "--since",
             .placeholder = "DURATION",
             .kind = Kind::Duration,
             .help = {"jusqu'où chercher en arrière", "how far back to search"},
             .by_default = "30d"},
            mail_history_option(),
            mail_core_option(),
            passphrase_file_option()};
}

}  // namespace

std::vector<Command> mail_retract_commands() {
    return {
        {.path = {"mail", "retract"},
         .summary = {"retire un message de toutes les boîtes, après coup",
                     "takes a message back from every mailbox, after the fact"},
         .description =
             {"Cherche par IMAP, dans tous les dossiers des boîtes, le message et ceux de la même "
              "campagne : même Message-ID, même expéditeur avec le même objet ou lien, lien vers "
              "le même endroit. Ils vont dans le dossier des messages écartés, chacun avec sa "
              "trace ; rien n'est effacé, et --undo les remet.\n\nSortie : 3 quand une boîte n'a "
              "pas pu être jointe ; les autres sont faites.",
              "Searches by IMAP, in all folders of the mailboxes, for the message and those of the "
              "same campaign: same Message-ID, same sender with the same subject or link, a link "
              "to the same place. They go to the folder of held messages, each with its trace; "
              "nothing is deleted, and --undo puts them back.\n\nExit: 3 when a mailbox could not "
              "be reached; the others are done."},
         .options = retract_options(),
         .arguments = {{.name = "MESSAGE-ID",
                        .help = {"celui du message, avec ou sans < >",
                                 "that of the message, with or without < >"}}},
         .examples = {{"hygie mail retract --report signale.eml --state /var/lib/hygie/mail "
                       "--mailboxes /etc/hygie/mailboxes.json --dry-run",
                       {"Voir d'abord :", "See first:"}}},
         .run = retract}};
}

}  // namespace hygie::app
