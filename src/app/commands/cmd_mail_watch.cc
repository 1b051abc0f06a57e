#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/commands/cmd_mail.h"
#include "app/commands/mail_desk.h"
#include "app/commands/mail_house.h"
#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "guards/mail/mailboxes/watcher.h"
#include "host/log.h"
#include "host/service.h"

namespace hygie::app {
namespace {

Text words_of(mail::WatchAct act) {
    switch (act) {
        case mail::WatchAct::Watching:
            return {"surveillée", "watched"};
        case mail::WatchAct::Lost:
            return {"perdue, la garde y revient", "lost, the guard comes back to it"};
        case mail::WatchAct::Clean:
            return {"un message sain", "a clean message"};
        case mail::WatchAct::Tagged:
            return {"un message suspect, marqué", "a suspicious message, marked"};
        case mail::WatchAct::Bannered:
            return {"un message suspect, sous bandeau", "a suspicious message, under a banner"};
        case mail::WatchAct::Held:
            return {"un message malveillant, écarté", "a malicious message, put aside"};
        case mail::WatchAct::Released:
            return {"un message remis par une personne", "a message put back by a person"};
        case mail::WatchAct::Reported:
            return {"un message signalé ou redemandé", "a message reported or asked for"};
        case mail::WatchAct::Unchecked:
            return {"un message que la garde n'a pas pu juger, marqué",
                    "a message the guard could not judge, marked"};
        case mail::WatchAct::NotMoved:
            return {"un message à écarter que le serveur ne déplace pas, marqué",
                    "a message to put aside that the server does not move, marked"};
    }
    return {};
}

/// One line per act, from many threads.
class Teller {
  public:
    explicit Teller(Context& context) : context_(context) {}

    void operator()(const mail::Mailbox& mailbox, mail::WatchAct act, const Error* why) {
        const std::scoped_lock lock(mutex_);
        if (context_.json) {
            nlohmann::ordered_json line = {{"mailbox", mailbox.name}, {"act", name_of(act)}};
            if (why) line["error"] = {{"fr", why->what.fr}, {"en", why->what.en}};
            context_.out << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        } else {
            context_.out << mailbox.name << ": " << context_.say(words_of(act));
            if (why) context_.out << " (" << context_.say(why->what) << ")";
        }
        context_.out << "\n" << std::flush;
    }

  private:
    Context& context_;
    std::mutex mutex_;
};

mail::WatchDoors doors_of(Context& context, MailHouse& house, MailSpool& spool,
                          mail::JudgePool& judges, mail::Desk* desk, Teller& teller,
                          std::function<void(mail::Incoming&)> authenticate) {
    return {.disk = context.disk,
            .clock = context.clock,
            .random = context.random,
            .judges = judges,
            .trace = [&spool](const event::Event& event) { return spool.keep(event); },
            .open = [&context](
                        const mail::Mailbox& one) { return mail::open_mailbox(context.disk, one); },
            .tell = std::ref(teller),
            .authenticate = std::move(authenticate),
            .desk = [&house, desk](const mail::Incoming& letter,
                                   const mail::Opened& opened) -> Result<bool> {
                // In a hosted mailbox the sender's proof is all that tells one of ours.
                const mail::Address& author = opened.message.author();
                if (!desk || !opened.noted.is_authentic ||
                    !house.history()->is_own_domain(author.domain()))
                    return false;
                TRY_STATUS(desk->handle(letter, author.address));
                return true;
            },
            .remember =
                [&house](const mail::Opened& opened, const mail::Envelope& envelope) {
                    house.remember(opened, envelope, mail::Way::In);
                },
            .learn_release = house.release_lesson()};
}

Result<int> watch(Context& context) {
    crypto::harden_process();
    const std::string& dir = context.values.text("--state");
    TRY_STATUS(check_desk_options(context));
    const crypto::RootKey root = TRY(unlock_mail(context));
    std::vector<mail::Mailbox> mailboxes = TRY(read_mailboxes(context));
    const auto house = TRY(MailHouse::open(context, root, "mail-watch"));
    const auto spool = TRY(MailSpool::open(context, root, "mail-watch"));
    const std::string places = join(dir, "watch");
    TRY_STATUS(context.disk.make_dirs(places));
    mail::JudgePool judges(
        [&](const std::string& bytes, const mail::Envelope& envelope) {
            return house->judge(bytes, envelope);
        },
        static_cast<unsigned>(context.values.number("--threads")));
    const auto quarantine = TRY(mail::Quarantine::open(
        context.disk, context.random, join(dir, "quarantine"),
        root.domain(mail::kQuarantineKeyDomain), mail::Quarantine::Role::Reader));
    const std::unique_ptr<mail::Desk> desk =
        open_mail_desk(context, *house, judges, *quarantine, *spool);
    Teller teller(context);
    const mail::WatchDoors doors = doors_of(context, *house, *spool, judges, desk.get(), teller,
                                            TRY(mail_authenticator(context)));
    const mail::WatchPolicy policy{.deadline = context.values.duration("--deadline"),
                                   .authserv_ids = context.values.list("--trust-results"),
                                   .look_back = context.values.duration("--look-back")};
    context.expect_stop();
    std::vector<std::jthread> threads;
    for (mail::Mailbox& mailbox : mailboxes)
        threads.emplace_back(
            [watcher = std::make_shared<mail::Watcher>(doors, policy, std::move(mailbox), places,
                                                       root.domain(mail::kWatchKeyDomain))](
                const std::stop_token& stop) {
                watcher->run([&] { return stop.stop_requested(); });
            });
    notify_service("READY=1");
    context.wait_for_stop();
    notify_service("STOPPING=1");
    for (std::jthread& thread : threads) thread.request_stop();
    return kExitOk;
}

std::vector<Parameter> watch_options() {
    std::vector<Parameter> all = {mail_state_option(),
                                  mail_mailboxes_option(),
                                  mail_history_option(),
                                  mail_core_option(),
                                  mail_trust_results_option(),
                                  mail_dns_option(),
                                  mail_rules_option(),
                                  mail_clamd_option(),
                                  {.name = "--look-back",
                                   .placeholder = "DURATION",
                                   .kind = Kind::Duration,
                                   .help = {"à la première visite, jusqu'où regarder en arrière",
                                            "on the first visit, how far to look back"},
                                   .by_default = "1d"},
                                  {.name = "--deadline",
                                   .placeholder = "DURATION",
                                   .kind = Kind::Duration,
                                   .help = {"le temps laissé au juge pour un message",
                                            "the time a message may take to judge"},
                                   .by_default = "30s"},
                                  mail_threads_option(),
                                  passphrase_file_option()};
    for (Parameter& option : mail_desk_options()) all.push_back(std::move(option));
    return all;
}

}  // namespace

std::vector<Command> mail_watch_commands() {
    return {
        {.path = {"mail", "watch"},
         .summary = {"garde des boîtes hébergées, par IMAP", "guards hosted mailboxes, by IMAP"},
         .description =
             {"Pour le courrier qui est chez un hébergeur. Chaque message qui arrive est jugé : "
              "suspect, il est marqué et levé d'un drapeau (ou reçoit un bandeau) ; "
              "malveillant, il est déplacé dans un dossier à part, où chacun peut le reprendre. "
              "Rien n'est effacé. Remettre un message dans la boîte, c'est le libérer : il n'y "
              "est plus touché.\n\nLa liste : {\"mailboxes\": [{\"name\", \"server\": "
              "\"imaps://hôte\", \"user\", \"password_file\" ou \"token_file\", \"ca_file\", "
              "\"folder\": \"INBOX\", \"hold_folder\": \"Hygie\", \"suspicious\": "
              "\"tag|banner|hold\"}]}.",
              "For mail that a provider hosts. Each message that arrives is judged: a "
              "suspicious one is marked and flagged (or gets a banner); a malicious one is "
              "moved to a folder apart, from where anybody may take it back. Nothing is "
              "deleted. To put a message back into the box is to release it: it is not touched "
              "again.\n\nThe list: {\"mailboxes\": [{\"name\", \"server\": \"imaps://host\", "
              "\"user\", \"password_file\" or \"token_file\", \"ca_file\", \"folder\": "
              "\"INBOX\", \"hold_folder\": \"Hygie\", \"suspicious\": "
              "\"tag|banner|hold\"}]}."},
         .options = watch_options(),
         .examples = {{"hygie mail watch --state /var/lib/hygie/mail --mailboxes "
                       "/etc/hygie/mailboxes.json",
                       {"Les boîtes d'un cabinet :", "The mailboxes of a practice:"}}},
         .run = watch}};
}

}  // namespace hygie::app
