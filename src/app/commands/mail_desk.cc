#include "app/commands/mail_desk.h"

#include "guards/mail/door/reinject.h"
#include "guards/mail/message/fold.h"
#include "host/log.h"

namespace hygie::app {

std::vector<Parameter> mail_desk_options() {
    return {
        {.name = "--report-address",
         .placeholder = "ADDRESS",
         .help = {"l'adresse où ceux de la maison signalent un message, ou en redemandent un ; la "
                  "garde répond",
                  "the address where people of the house report a message, or ask for one back; "
                  "the guard answers"}},
        {.name = "--smtp",
         .placeholder = "HOST:PORT",
         .help = {"par où partent ces réponses : un service que la garde ne surveille pas",
                  "the way of these answers: a service that the guard does not watch"}},
        mail_user_release_option()};
}

Parameter mail_user_release_option() {
    return {.name = "--user-release",
            .placeholder = "WHAT",
            .help = {"ce qu'un destinataire reprend lui-même : le suspect, ou tout",
                     "what a recipient may take back: suspicious mail, or all"},
            .choices = {"suspicious", "all"},
            .by_default = "suspicious"};
}

Status check_desk_options(Context& context) {
    if (context.values.has("--report-address") != context.values.has("--smtp"))
        return fail(
            Code::BadInput,
            {"--report-address et --smtp vont ensemble", "--report-address and --smtp go together"},
            {"--smtp dit par où partent les réponses", "--smtp says which way answers go"});
    return {};
}

std::unique_ptr<mail::Desk> open_mail_desk(Context& context, MailHouse& house,
                                           mail::JudgePool& judges, mail::Quarantine& quarantine,
                                           MailSpool& spool) {
    if (!context.values.has("--report-address")) return nullptr;
    return std::make_unique<mail::Desk>(
        mail::DeskDoors{.clock = context.clock,
                        .random = context.random,
                        .judges = judges,
                        .quarantine = quarantine,
                        .trace = [&spool](const event::Event& event) { return spool.keep(event); },
                        .learn =
                            [&house](const std::string& bytes) {
                                if (const Status learned =
                                        house.learn(bytes, {}, mail::Click::Report);
                                    !learned)
                                    log::error("mail.report-not-learned", learned.error());
                            },
                        .post =
                            [server = context.values.text("--smtp")](const mail::Envelope& envelope,
                                                                     const std::string& message) {
                                return mail::reinject(server, envelope, message);
                            }},
        mail::DeskPolicy{.address = mail::lower(context.values.text("--report-address")),
                         .may_release_malicious = context.values.text("--user-release") == "all"});
}

}  // namespace hygie::app
