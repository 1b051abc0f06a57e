#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/circles/lifecycle.h"
#include "app/house/user_desk.h"
#include "app/line/commands.h"
#include "host/wall_time.h"

/// What an incident holds of the house: units, whole. And leave to look at records beside care.
namespace hygie::app {
namespace {

using access::UnitHold;

void print(Context& context, const std::vector<UnitHold>& holds) {
    const WallTime now = context.clock.now();
    if (std::ranges::none_of(holds, [&](const auto& one) { return one.holds_at(now); }) &&
        !context.json)
        context.out << context.say({"aucun service n'est tenu\n", "no unit is held\n"});
    for (const UnitHold& hold : holds) {
        if (!hold.holds_at(now)) continue;
        const std::string until = hold.until == WallTime{} ? "" : to_rfc3339(hold.until);
        if (context.json) {
            context.out << nlohmann::json{{"unit", hold.unit}, {"since", to_rfc3339(hold.since)},
                                          {"until", until},    {"by", hold.by.str()},
                                          {"why", hold.why},   {"evidence", hold.evidence}}
                               .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                        << "\n";
            continue;
        }
        context.out << hold.unit << context.say({"  depuis ", "  since "}) << to_person(hold.since);
        if (!until.empty())
            context.out << context.say({"  jusqu'à ", "  until "}) << to_person(hold.until);
        context.out << "  " << hold.by.str() << ": " << hold.why << "  [" << hold.evidence << "]\n";
    }
}

/// A hold never waits for the records: what a mistyped name holds is told once it holds.
void warn_of_unknown(Context& context, UserDesk& desk, const std::string& unit) {
    const Result<bool> known = desk.knows_unit(unit);
    if (known && *known) return;
    if (known)
        context.err << context.say(
            {"attention : les dossiers ne connaissent pas ce service ; vérifiez son nom : mal "
             "écrit, il ne tient personne (« hygie access release » défait)\n",
             "warning: the records know no such unit; check its name: mistyped, it holds nobody "
             "('hygie access release' undoes it)\n"});
    else
        context.err << context.say({"attention : ce service n'a pas pu être cherché dans les "
                                    "dossiers : ",
                                    "warning: this unit could not be looked for among the "
                                    "records: "})
                    << context.say(known.error().what) << "\n";
}

Result<int> contain(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    const std::string& unit = context.values.text("UNIT");
    TRY_STATUS(access::contain(desk.accounts(), context.clock, unit, time_given(context),
                               context.values.text("--why"), desk.by()));
    desk.trace();
    print(context, *desk.accounts().holds());
    warn_of_unknown(context, desk, unit);
    return kExitOk;
}

Result<int> release(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    TRY_STATUS(access::release(desk.accounts(), context.clock, context.values.text("UNIT"),
                               context.values.text("--why"), desk.by()));
    desk.trace();
    print(context, *desk.accounts().holds());
    return kExitOk;
}

Result<int> held(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    print(context, *desk.accounts().holds());
    return kExitOk;
}

Result<access::Purpose> purpose_in(Context& context) {
    const access::Purpose purpose = access::purpose_named(context.values.text("PURPOSE"));
    if (purpose != access::Purpose::None) return purpose;
    return fail(Code::BadInput, {"cette finalité n'existe pas", "there is no such purpose"},
                {"coding, quality ou research", "coding, quality or research"});
}

Result<int> grant(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    TRY_STATUS(access::grant(desk.accounts(), context.clock, context.values.text("LOGIN"),
                             TRY(purpose_in(context)), context.values.duration("--for"),
                             context.values.text("--why"), desk.by()));
    return desk.trace_and_show();
}

Result<int> revoke(Context& context) {
    UserDesk desk = TRY(UserDesk::open(context));
    TRY_STATUS(access::revoke(desk.accounts(), context.clock, context.values.text("LOGIN"),
                              TRY(purpose_in(context)), context.values.text("--why"), desk.by()));
    return desk.trace_and_show();
}

Parameter unit_argument() {
    return {.name = "UNIT",
            .help = {"sa référence FHIR : Location/…, Organization/…, HealthcareService/…",
                     "its FHIR reference: Location/…, Organization/…, HealthcareService/…"},
            .required = true};
}

Parameter purpose_argument() {
    return {.name = "PURPOSE",
            .help = {"coding (codage), quality (évaluation) ou research (recherche)",
                     "coding, quality or research"},
            .required = true};
}

Parameter why_option(Text help) {
    return {.name = "--why", .placeholder = "TEXT", .help = std::move(help), .required = true};
}

std::vector<Command> leave_commands() {
    return {
        {.path = {"access", "grant"},
         .summary = {"autorise une finalité hors du soin, identité masquée",
                     "gives leave for a purpose beside care, identity masked"},
         .description =
             {"La personne déclare la finalité à chaque question (en-tête X-Purpose-Of-Use) : elle "
              "lit et cherche alors dans tous les dossiers, sauf opposition ou masquage, sans nom, "
              "numéro, adresse, texte ni date de naissance entière. Deux facteurs ; un an au plus "
              "; "
              "personne ne s'autorise soi-même. Tracé ; « hygie access revoke » défait.",
              "The person declares the purpose with each question (header X-Purpose-Of-Use), and "
              "then reads and searches all records but those with an opposition or a label, "
              "without names, numbers, addresses, texts or whole dates of birth. Two factors; a "
              "year at most; nobody gives leave to oneself. Traced; 'hygie access revoke' undoes "
              "it."},
         .options = user_options({why_option({"l'étude ou la mission, et qui l'a approuvée",
                                              "the study or the task, and who approved it"}),
                                  {.name = "--for",
                                   .placeholder = "DURATION",
                                   .kind = Kind::Duration,
                                   .help = {"finit seule après ce temps, un an au plus",
                                            "ends by itself after that time, a year at most"},
                                   .by_default = "90d"}}),
         .arguments = {login_argument(), purpose_argument()},
         .examples = {{"hygie access grant paul.petit coding --for 365d --as dim.chef --state "
                       "/var/lib/hygie --why 'Codage des séjours de 2026'",
                       {"Un technicien d'information médicale :", "A coding clerk:"}}},
         .run = grant},
        {.path = {"access", "revoke"},
         .summary = {"retire cette autorisation", "takes that leave back"},
         .description = {"Dès la question suivante, partout. Tracé avec son motif.",
                         "From the next question on, everywhere. Traced with its motive."},
         .options = user_options({why_option({"pourquoi", "why"})}),
         .arguments = {login_argument(), purpose_argument()},
         .examples = {{"hygie access revoke paul.petit coding --state /var/lib/hygie --why 'La "
                       "mission est finie'",
                       {"Une mission finit :", "A task ends:"}}},
         .run = revoke}};
}

std::vector<Command> hold_commands() {
    return {
        {.path = {"access", "contain"},
         .summary = {"tient un service le temps d'un incident",
                     "holds a unit while an incident lasts"},
         .description =
             {"Qui soigne ou accueille dans ce service, ou dans une de ses parties, ne "
              "voit plus aucun dossier dès la question suivante, sur tous les "
              "processus, et lit pourquoi. En urgence, le bris de glace reste ouvert, "
              "patient par patient, s'il est déclaré depuis. Les patients, la sécurité, "
              "l'exploitation et les logiciels ne sont pas tenus. Tracé avec son motif ; "
              "« hygie access release » défait.",
              "Whoever treats or receives in the unit, or in a part of it, sees no "
              "record from the next question on, in every process, and reads why. In an "
              "emergency break-glass stays open, patient by patient, if it was declared "
              "since. Patients, security, operations and programs are not held. Traced "
              "with its motive; 'hygie access release' undoes it."},
         .options = user_options(
             {why_option({"ce qui s'est passé, sans nom de patient",
                          "what happened, without a patient's name"}),
              {.name = "--for",
               .placeholder = "DURATION",
               .kind = Kind::Duration,
               .help = {"se lève seul après ce temps ; sinon, quand quelqu'un le rend",
                        "ends by itself after that time; otherwise when somebody releases it"}}}),
         .arguments = {unit_argument()},
         .examples = {{"hygie access contain Location/cardiologie --state /var/lib/hygie --why "
                       "'Postes du service chiffrés par un rançongiciel'",
                       {"Un service est touché :", "A unit is hit:"}}},
         .run = contain},
        {.path = {"access", "release"},
         .summary = {"rend un service tenu", "gives a held unit back"},
         .description = {"Chacun y retrouve ses dossiers dès la question suivante. Tracé avec son "
                         "motif.",
                         "Everybody there sees their records again from the next question on. "
                         "Traced with its motive."},
         .options =
             user_options({why_option({"pourquoi le doute est levé", "why the doubt is gone"})}),
         .arguments = {unit_argument()},
         .examples = {{"hygie access release Location/cardiologie --state /var/lib/hygie --why "
                       "'Postes réinstallés et vérifiés'",
                       {"Une fois vérifié :", "Once verified:"}}},
         .run = release},
        {.path = {"access", "held"},
         .summary = {"dit quels services un incident tient", "says which units an incident holds"},
         .description = {"Depuis quand, jusqu'à quand, par qui et pourquoi.",
                         "Since when, until when, by whom and why."},
         .options = user_options(),
         .examples = {{"hygie access held --state /var/lib/hygie", {"Maintenant :", "Now:"}}},
         .run = held}};
}

}  // namespace

std::vector<Command> access_hold_commands() {
    std::vector<Command> commands = hold_commands();
    for (Command& command : leave_commands()) commands.push_back(std::move(command));
    return commands;
}

}  // namespace hygie::app
