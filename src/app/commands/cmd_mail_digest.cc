#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/commands/cmd_mail.h"
#include "app/commands/mail_desk.h"
#include "app/commands/mail_house.h"
#include "app/ledger/unlock.h"
#include "app/line/commands.h"
#include "fhir/data/zone.h"
#include "guards/mail/door/digest.h"
#include "guards/mail/door/reinject.h"
#include "guards/mail/message/domain.h"
#include "guards/mail/message/fold.h"

namespace hygie::app {
namespace {

using Json = nlohmann::ordered_json;

/// Addresses of --domain, or of the house's own domains in --history.
std::function<bool(std::string_view)> ours(Context& context, const mail::History& history) {
    const std::vector<std::string>& domains = context.values.list("--domain");
    return [&history, domains](std::string_view address) {
        const std::string domain = mail::lower(mail::domain_of(address));
        return history.is_own_domain(domain) || std::ranges::find(domains, domain) != domains.end();
    };
}

Status check_day(const std::string& day) {
    if (day.size() == 10 && from_rfc3339(day + "T00:00:00Z")) return {};
    return fail(Code::BadInput, {"ce jour ne se lit pas", "this day cannot be read"},
                {"écrivez-le comme 2026-11-26", "write it like 2026-11-26"});
}

Result<int> digest(Context& context) {
    const bool sends = context.values.flag("--send");
    if (sends && (!context.values.has("--smtp") || !context.values.has("--from")))
        return fail(Code::BadInput,
                    {"--send demande --smtp et --from", "--send wants --smtp and --from"},
                    {"sans --send, rien ne part", "without --send nothing leaves"});
    const mail::History history = TRY(read_history(context));
    const crypto::RootKey root = TRY(unlock_mail(context));
    const auto quarantine = TRY(mail::Quarantine::open(
        context.disk, context.random, join(context.values.text("--state"), "quarantine"),
        root.domain(mail::kQuarantineKeyDomain), mail::Quarantine::Role::Reader));
    const auto text = [&](const char* option) {
        return context.values.has(option) ? context.values.text(option) : std::string();
    };
    const auto zone = TRY(fhir::Zone::named(context.values.text("--zone")));
    mail::DigestPolicy policy{
        .day = context.values.has("--day")
                   ? context.values.text("--day")
                   : to_rfc3339(zone->on_the_wall(context.clock.now()) - std::chrono::days(1))
                         .substr(0, 10),
        .from = text("--from"),
        .report_address = text("--report-address"),
        .may_release_malicious = context.values.text("--user-release") == "all",
        .is_ours = ours(context, history),
        .on_the_wall = [zone](WallTime utc) { return zone->on_the_wall(utc); }};
    TRY_STATUS(check_day(policy.day));
    int code = kExitOk;
    for (const mail::Digest& one : mail::digests_of(TRY(quarantine->list()).held, policy)) {
        const mail::Envelope envelope{.helo = {},
                                      .client_ip = {},
                                      .mail_from = {},
                                      .null_sender = true,
                                      .rcpt_to = {one.person}};
        const Status sent =
            sends ? mail::reinject(context.values.text("--smtp"), envelope, one.letter) : Status();
        if (!sent) {
            context.err << one.person << ": " << context.say(sent.error().what) << "\n";
            code = kExitEnvironment;
        }
        if (context.json)
            context.out
                << Json{{"person", one.person}, {"count", one.count}, {"sent", sends && sent}}.dump(
                       -1, ' ', false, Json::error_handler_t::replace)
                << "\n";
        else if (sends)
            context.out << fmt::format("{}: {}\n", one.person, one.count);
        else
            context.out << one.letter << "\n";
    }
    return code;
}

std::vector<Parameter> digest_options() {
    return {
        mail_state_option(),
        {.name = "--day",
         .placeholder = "DAY",
         .help = {"le jour, à l'heure de la maison ; hier sans elle",
                  "the day, by the clocks of the house; yesterday without it"}},
        {.name = "--zone",
         .placeholder = "NAME",
         .help = {"le fuseau horaire de la maison, comme Indian/Reunion",
                  "the time zone of the house, like Indian/Reunion"},
         .by_default = std::string(fhir::kZoneDefault)},
        {.name = "--domain",
         .placeholder = "DOMAIN",
         .help = {"un domaine de la maison : personne d'autre ne reçoit rien",
                  "a domain of the house: nobody else gets anything"},
         .many = true},
        mail_history_option(),
        {.name = "--report-address",
         .placeholder = "ADDRESS",
         .help = {"où l'on redemande un message, comme pour la garde",
                  "where a message is asked for, as for the guard"}},
        mail_user_release_option(),
        {.name = "--send",
         .kind = Kind::Flag,
         .help = {"envoie ; sans elle, montre seulement", "sends; without it, only shows"}},
        {.name = "--smtp",
         .placeholder = "HOST:PORT",
         .help = {"par où partent les lettres", "the way of the letters"}},
        {.name = "--from", .placeholder = "ADDRESS", .help = {"qui les écrit", "who writes them"}},
        passphrase_file_option()};
}

}  // namespace

std::vector<Command> mail_digest_commands() {
    return {
        {.path = {"mail", "digest"},
         .summary = {"dit à chacun ce qui fut retenu pour lui",
                     "tells each person what was held for them"},
         .description =
             {"Une lettre par personne et par jour : de qui, quel objet, pourquoi, que faire, et "
              "comment reprendre le message. En français et en anglais. À lancer chaque matin.",
              "One letter per person and day: from whom, what subject, why, what to do, and how "
              "to have the message. In French and English. To be run every morning."},
         .options = digest_options(),
         .examples = {{"hygie mail digest --state /var/lib/hygie/mail --domain "
                       "cabinet.example --send --smtp 127.0.0.1:10026 --from "
                       "hygie@cabinet.example --report-address hygie@cabinet.example",
                       {"Chaque matin, pour la veille :", "Every morning, for the day before:"}}},
         .run = digest}};
}

}  // namespace hygie::app
