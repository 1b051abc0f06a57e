#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/commands/cmd_mail.h"
#include "app/commands/mail_desk.h"
#include "app/commands/mail_house.h"
#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "guards/mail/door/gate.h"
#include "guards/mail/door/milter.h"
#include "host/log.h"
#include "host/service.h"

namespace hygie::app {
namespace {

constexpr auto kLookInterval = std::chrono::seconds(1);
constexpr Micros kExpiryInterval = std::chrono::hours(1);

/// The value that goes with a name; the command line lets no other name in.
template <typename Value, typename... Rest>
Value choice(const std::string& name, std::pair<const char*, Value> first, Rest... rest) {
    if constexpr (sizeof...(rest) > 0)
        return name == first.first ? first.second : choice(name, rest...);
    else
        return first.second;
}

mail::GatePolicy policy_of(Context& context) {
    using Policy = mail::GatePolicy;
    const auto chosen = [&](const char* option, auto... names_and_values) {
        return choice(context.values.text(option), names_and_values...);
    };
    Policy policy;
    policy.suspicious = chosen("--suspicious", std::pair("deliver", Policy::Suspicious::Deliver),
                               std::pair("banner", Policy::Suspicious::Banner),
                               std::pair("neutralise", Policy::Suspicious::Neutralise),
                               std::pair("hold", Policy::Suspicious::Hold),
                               std::pair("reject", Policy::Suspicious::Reject));
    policy.malicious = chosen("--malicious", std::pair("hold", Policy::Malicious::Hold),
                              std::pair("reject", Policy::Malicious::Reject));
    policy.active_files =
        chosen("--active-files", std::pair("deliver", Policy::ActiveFiles::Deliver),
               std::pair("strip", Policy::ActiveFiles::Strip),
               std::pair("hold", Policy::ActiveFiles::Hold));
    policy.dkim_signed = chosen("--dkim-signed", std::pair("change", Policy::DkimSigned::Change),
                                std::pair("keep", Policy::DkimSigned::Keep));
    policy.on_failure = chosen("--on-failure", std::pair("defer", Policy::OnFailure::Defer),
                               std::pair("deliver", Policy::OnFailure::Deliver));
    policy.inside = context.values.list("--inside");
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
    TRY_STATUS(check_desk_options(context));
    const std::string& dir = context.values.text("--state");
    const crypto::RootKey root = TRY(unlock_mail(context));
    const auto house = TRY(MailHouse::open(context, root, "mail"));
    const auto spool = TRY(MailSpool::open(context, root, "mail"));
    const auto quarantine = TRY(mail::Quarantine::open(
        context.disk, context.random, join(dir, "quarantine"),
        root.domain(mail::kQuarantineKeyDomain), mail::Quarantine::Role::Guard));
    mail::JudgePool judges(
        [&](const std::string& bytes, const mail::Envelope& envelope) {
            return house->judge(bytes, envelope);
        },
        static_cast<unsigned>(context.values.number("--threads")));
    const std::unique_ptr<mail::Desk> desk =
        open_mail_desk(context, *house, judges, *quarantine, *spool);
    auto authenticator = TRY(mail_authenticator(context));
    mail::Gate gate({context.clock, context.random, judges, *quarantine,
                     [&](const event::Event& event) { return spool->keep(event); },
                     [&](const mail::Opened& opened, const mail::Envelope& envelope,
                         mail::Way way) { house->remember(opened, envelope, way); },
                     std::move(authenticator),
                     [&](const mail::Incoming& incoming) {
                         return desk ? desk->take(incoming) : std::optional<mail::Decision>();
                     },
                     house->release_lesson()},
                    policy_of(context));
    const auto milter = TRY(mail::Milter::start(gate, context.values.text("--socket")));
    context.expect_stop();
    announce(context);
    std::optional<Micros> keep;
    if (context.values.has("--keep")) keep = context.values.duration("--keep");
    SteadyTime next_expiry = context.clock.steady();
    const std::jthread watch([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            std::this_thread::sleep_for(kLookInterval);
            if (const Status told = gate.tell_releases(); !told)
                log::error("mail.release-not-traced", told.error());
            if (keep && context.clock.steady() >= next_expiry) {
                next_expiry = context.clock.steady() + kExpiryInterval;
                if (const Status done = gate.expire(*keep); !done)
                    log::error("mail.not-expired", done.error());
            }
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
    return {
        {.name = "--suspicious",
         .placeholder = "WHAT",
         .help = {"un message suspect : remis tel quel, sous bandeau, rendu inoffensif (ni lien "
                  "ni fichier actif, l'original scellé), retenu, ou refusé à l'expéditeur",
                  "a suspicious message: delivered as it is, under a banner, made harmless (no "
                  "link, no active file, the original sealed), held, or refused to its sender"},
         .choices = {"deliver", "banner", "neutralise", "hold", "reject"},
         .by_default = "banner"},
        {.name = "--malicious",
         .placeholder = "WHAT",
         .help = {"un message malveillant : retenu, ou refusé ; une copie est scellée",
                  "a malicious message: held, or refused; a copy is sealed"},
         .choices = {"hold", "reject"},
         .by_default = "hold"},
        {.name = "--active-files",
         .placeholder = "WHAT",
         .help = {"une pièce jointe qui s'exécute à l'ouverture, dans un message remis : "
                  "laissée, ôtée (l'original scellé), ou le message retenu",
                  "an attachment that runs when opened, in a message that is delivered: left, "
                  "taken out (the original sealed), or the message held"},
         .choices = {"deliver", "strip", "hold"},
         .by_default = "deliver"},
        {.name = "--dkim-signed",
         .placeholder = "WHAT",
         .help = {"un message signé par DKIM : changé comme les autres, ou gardé intact, sans "
                  "bandeau, et retenu s'il ne peut passer intact",
                  "a message signed by DKIM: changed like any other, or kept whole, without a "
                  "banner, and held when it may not pass whole"},
         .choices = {"change", "keep"},
         .by_default = "change"},
        {.name = "--keep",
         .placeholder = "DURATION",
         .kind = Kind::Duration,
         .help = {"combien de temps la quarantaine garde un message ; sans elle, toujours",
                  "how long the quarantine keeps a message; without it, for ever"}},
        {.name = "--inside",
         .placeholder = "ADDRESS",
         .help = {"une machine qui remet du courrier de la maison sans s'identifier : adresse, "
                  "ou préfixe comme 192.168.1.",
                  "a machine that hands in mail of the house without signing in: an address, "
                  "or a prefix like 192.168.1."},
         .many = true},
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
        mail_threads_option(),
        mail_trust_results_option(),
        mail_dns_option(),
        mail_rules_option(),
        mail_clamd_option()};
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
    for (Parameter& option : mail_desk_options()) all.push_back(std::move(option));
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
