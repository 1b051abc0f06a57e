#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/cmd_mail.h"
#include "app/commands.h"
#include "app/mail_house.h"
#include "app/unlock.h"
#include "guards/mail/gate.h"
#include "guards/mail/milter.h"
#include "host/log.h"
#include "host/service.h"

namespace hygie::app {
namespace {

constexpr auto kLookInterval = std::chrono::seconds(1);

mail::GatePolicy policy_of(Context& context) {
    mail::GatePolicy policy;
    if (context.values.text("--suspicious") == "hold")
        policy.suspicious = mail::GatePolicy::Suspicious::Hold;
    if (context.values.text("--on-failure") == "deliver")
        policy.on_failure = mail::GatePolicy::OnFailure::Deliver;
    policy.deadline = context.values.duration("--deadline");
    policy.authserv_ids = context.values.list("--trust-results");
    return policy;
}

void announce(Context& context) {
    const std::string& socket = context.values.text("--socket");
    context.out << (context.json ? nlohmann::json{{"ready", true}, {"socket", socket}}.dump()
                                 : context.say({"prêt : " + socket, "ready: " + socket}))
                << "\n"
                << std::flush;
    notify_service("READY=1");
}

Result<int> guard(Context& context) {
    crypto::harden_process();
    const std::string& dir = context.values.text("--state");
    const crypto::RootKey root = TRY(unlock_mail(context));
    const auto house = TRY(MailHouse::open(context, root));
    const auto spool = TRY(MailSpool::open(context, root, "mail"));
    const auto quarantine = TRY(mail::Quarantine::open(
        context.disk, context.random, join(dir, "quarantine"),
        root.domain(mail::kQuarantineKeyDomain), mail::Quarantine::Role::Guard));
    mail::JudgePool judges(
        [&](const std::string& bytes, const mail::Envelope& envelope) {
            return house->judge(bytes, envelope);
        },
        static_cast<unsigned>(context.values.number("--threads")));
    mail::Gate gate({context.clock, context.random, judges, *quarantine,
                     [&](const event::Event& event) { return spool->keep(event); }},
                    policy_of(context));
    const auto milter = TRY(mail::Milter::start(gate, context.values.text("--socket")));
    announce(context);
    const std::jthread watch([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            std::this_thread::sleep_for(kLookInterval);
            if (const Status told = gate.tell_releases(); !told)
                log::error("mail.release-not-traced", told.error());
            notify_service("WATCHDOG=1");
            // Ends the wait below.
            if (milter->has_ended() && !stop.stop_requested()) (void)std::raise(SIGTERM);
        }
    });
    context.wait_for_stop();
    notify_service("STOPPING=1");
    return milter->has_ended() ? kExitEnvironment : kExitOk;
}

std::vector<Parameter> policy_options() {
    return {{.name = "--suspicious",
             .placeholder = "WHAT",
             .help = {"un message suspect : remis avec un bandeau, ou retenu",
                      "a suspicious message: delivered with a banner, or held"},
             .choices = {"banner", "hold"},
             .by_default = "banner"},
            {.name = "--on-failure",
             .placeholder = "WHAT",
             .help = {"un message que la garde n'a pas pu juger : defer, le serveur le garde et "
                      "le redemande ; deliver, remis avec la mention « non vérifié »",
                      "a message the guard could not judge: defer, the server keeps it and asks "
                      "again; deliver, delivered with the mention 'unchecked'"},
             .choices = {"defer", "deliver"},
             .by_default = "defer"},
            {.name = "--deadline",
             .placeholder = "DURATION",
             .kind = Kind::Duration,
             .help = {"le temps laissé pour juger un message", "the time given to judge a message"},
             .by_default = "30s"},
            {.name = "--threads",
             .placeholder = "N",
             .kind = Kind::Number,
             .help = {"combien de messages sont jugés à la fois",
                      "how many messages are judged at once"},
             .by_default = "2",
             .min = 1,
             .max = 64},
            mail_trust_results_option()};
}

std::vector<Parameter> guard_options() {
    std::vector<Parameter> all = {
        mail_state_option(),
        {.name = "--socket",
         .placeholder = "SOCKET",
         .help = {"inet:PORT@HÔTE ou unix:CHEMIN", "inet:PORT@HOST or unix:PATH"},
         .required = true},
        mail_history_option(),
        mail_core_option()};
    for (Parameter& option : policy_options()) all.push_back(std::move(option));
    all.push_back(passphrase_file_option());
    return all;
}

}  // namespace

std::vector<Command> mail_guard_commands() {
    return {{.path = {"guard", "mail"},
             .summary = {"garde le courrier : un milter pour Postfix",
                         "guards the mail: a milter for Postfix"},
             .description =
                 {"Chaque message est jugé avant que le serveur ne l'accepte. Sain : remis, avec "
                  "l'en-tête X-Hygie. Suspect : remis avec un bandeau qui dit pourquoi et que "
                  "faire. Malveillant : retenu, après qu'une copie scellée est sûre. Rien n'est "
                  "jamais jeté.",
                  "Each message is judged before the server accepts it. Clean: delivered, with "
                  "the field X-Hygie. Suspicious: delivered with a banner that says why and what "
                  "to do. Malicious: held, once a sealed copy is safe. Nothing is ever dropped."},
             .options = guard_options(),
             .examples = {{"hygie guard mail --state /var/lib/hygie/mail --socket "
                           "inet:8891@127.0.0.1",
                           {"Puis, dans main.cf : smtpd_milters = inet:127.0.0.1:8891",
                            "Then, in main.cf: smtpd_milters = inet:127.0.0.1:8891"}}},
             .run = guard}};
}

}  // namespace hygie::app
