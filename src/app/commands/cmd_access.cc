#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/circles/circle_load.h"
#include "access/circles/worklist.h"
#include "access/decide/circle_words.h"
#include "app/house/access_world.h"
#include "app/house/core_circles.h"
#include "app/line/commands.h"
#include "host/wall_time.h"

namespace hygie::app {
namespace {

using access::ActorNumber;
using access::CircleWorld;
using access::Decision;
using access::PatientNumber;
using nlohmann::json;

constexpr auto kReplace = json::error_handler_t::replace;

bool is_bound(WallTime time) {
    return time != WallTime::min() && time != WallTime::max();
}

std::string day_of(WallTime time) {
    return is_bound(time) ? to_rfc3339(time).substr(0, 16) + 'Z' : "";
}

/// The same for people.
std::string minute_of(WallTime time) {
    return is_bound(time) ? to_person(time, Fineness::Minute) : "";
}

json json_of(const Decision& decision) {
    json reasons = json::array();
    for (const event::Reason& reason : decision.reasons)
        reasons.push_back({{"id", reason.id},
                           {"fr", reason.text.fr},
                           {"en", reason.text.en},
                           {"evidence", reason.evidence}});
    json proof = json::array();
    for (const access::ProofStep& step : decision.proof)
        proof.push_back({{"subject", step.subject},
                         {"relation", step.relation},
                         {"object", step.object},
                         {"evidence", step.evidence},
                         {"from", day_of(step.start)},
                         {"to", day_of(step.end)}});
    return {{"permitted", decision.permitted},
            {"rule", decision.rule},
            {"obligations", decision.obligations},
            {"reasons", reasons},
            {"proof", proof}};
}

void print(Context& context, const Decision& decision) {
    for (const event::Reason& reason : decision.reasons)
        context.out << context.say(reason.text) << "\n";
    for (const access::ProofStep& step : decision.proof) {
        context.out << fmt::format("  {} —{}→ {}", step.subject, step.relation, step.object);
        if (!step.evidence.empty()) context.out << fmt::format("  [{}]", step.evidence);
        const std::string from = minute_of(step.start);
        const std::string to = minute_of(step.end);
        if (!from.empty()) context.out << context.say({"  depuis ", "  since "}) << from;
        if (!to.empty()) context.out << context.say({"  jusqu'à ", "  until "}) << to;
        context.out << "\n";
    }
}

Result<access::Query> query_of(Context& context) {
    const Values& values = context.values;
    WallTime at = context.clock.now();
    if (values.has("--at")) at = TRY(from_rfc3339(values.text("--at")));
    std::uint8_t labels = 0;
    for (const std::string& code : values.list("--label")) labels |= access::label_of(code);
    return access::Query{.now = access::second_of(at),
                         .data = access::class_of(values.text("--type")),
                         .writing = values.flag("--write"),
                         .strong = true,
                         .labels = labels};
}

Result<int> explain(Context& context) {
    LoadedWorld loaded = TRY(open_world(context, Desk::SeesAll, Reach::OnePatient));
    const CircleWorld& world = *loaded.world;
    const ActorNumber actor =
        TRY(actor_named(world, person_named(loaded, context.values.text("ACTOR"))));
    const PatientNumber patient = TRY(patient_named(world, context.values.text("PATIENT")));
    const Decision decision = world.explain(actor, patient, TRY(query_of(context)));
    if (context.json) {
        json line = json_of(decision);
        line["actor"] = world.actor_name(actor);
        line["patient"] = world.patient_name(patient);
        line["policy"] = loaded.policy->name;
        line["policy_hash"] = to_hex(loaded.policy->hash);
        context.out << line.dump(-1, ' ', false, kReplace) << "\n";
    } else {
        print(context, decision);
    }
    TRY_STATUS(loaded.close());
    return kExitOk;
}

Result<int> who_can(Context& context) {
    LoadedWorld loaded = TRY(open_world(context, Desk::NeedsReason, Reach::OnePatient));
    const CircleWorld& world = *loaded.world;
    const PatientNumber patient = TRY(patient_named(world, context.values.text("PATIENT")));
    const access::Query query = TRY(query_of(context));
    std::size_t count = 0;
    for (ActorNumber actor = 0; actor < world.index().actors(); ++actor) {
        if (!world.index().allows(actor, patient, query)) continue;
        const Decision decision = world.explain(actor, patient, query);
        ++count;
        if (context.json) {
            json line = json_of(decision);
            line["actor"] = world.actor_name(actor);
            context.out << line.dump(-1, ' ', false, kReplace) << "\n";
        } else {
            context.out << fmt::format("{}  ", world.actor_name(actor))
                        << context.say(decision.reasons.front().text) << "  "
                        << decision.reasons.front().evidence << "\n";
        }
    }
    if (!context.json)
        context.out << fmt::format("{} ", count)
                    << context.say({"personnes parmi ", "persons among "}) << world.index().actors()
                    << "\n";
    TRY_STATUS(loaded.close());
    return kExitOk;
}

json json_of(const CircleWorld& world, const access::PastAccess& past, const access::Access& access,
             access::Finding finding) {
    json line = {{"id", past.id},
                 {"actor", past.actor},
                 {"patient", past.patient},
                 {"time", to_rfc3339(past.time)},
                 {"finding", access::name_of(finding)},
                 {"explained", finding <= access::Finding::ToReview}};
    if (!past.cause.empty()) line["cause"] = past.cause;
    if (access.actor != access::kNobody && access.patient != access::kNobody)
        line.update(json_of(world.explain(access.actor, access.patient, access::query_of(access))));
    return line;
}

void print(Context& context, const access::PastAccess& past, access::Finding finding) {
    context.out << fmt::format("{}  {}  {}  {}  ", past.id, to_person(past.time), past.actor,
                               past.patient)
                << context.say(sentence_of(finding)) << "\n";
}

void print_summary(Context& context, const std::array<std::uint64_t, access::kFindings>& counts,
                   std::size_t skipped) {
    std::uint64_t all = 0;
    for (const std::uint64_t count : counts) all += count;
    const std::uint64_t explained = counts[0] + counts[1];
    const double share = all == 0 ? 0 : static_cast<double>(explained) / static_cast<double>(all);
    if (context.json) {
        json findings;
        for (std::size_t i = 0; i < counts.size(); ++i)
            findings[std::string(name_of(access::Finding(i)))] = counts[i];
        context.out << json{{"summary",
                             {{"accesses", all},
                              {"explained", explained},
                              {"share", share},
                              {"skipped", skipped},
                              {"findings", findings}}}}
                           .dump()
                    << "\n";
        return;
    }
    context.out << fmt::format("{} ", all)
                << context.say({"accès, expliqués : ", "accesses, explained: "})
                << fmt::format("{} ({:.2f} %)", explained, 100 * share);
    for (std::size_t i = 1; i < counts.size(); ++i)
        if (counts[i] > 0)
            context.out << fmt::format("; {} : {}", context.say(sentence_of(access::Finding(i))),
                                       counts[i]);
    if (skipped > 0)
        context.out << context.say({"; lignes illisibles : ", "; unreadable lines: "}) << skipped;
    context.out << "\n";
}

/// Of --accesses, else of the ledger of --state.
Result<access::LoadedAccesses> journal_of(Context& context, LoadedWorld& loaded) {
    if (context.values.has("--accesses"))
        return access::load_accesses(context.disk, context.values.text("--accesses"));
    if (!loaded.state)
        return fail(Code::BadInput, {"il manque les accès", "the accesses are missing"},
                    {"donnez --accesses FILE", "give --accesses FILE"});
    const auto events = TRY(
        events_of(context, *loaded.state, {.since = context.clock.now() - access::kWorkListReach}));
    return access::LoadedAccesses{accesses_of(events, *loaded.state->accounts), 0};
}

/// Puts on the work list what it does not know yet.
Result<int> note_unexplained(Context& context, LoadedWorld& loaded) {
    if (!loaded.state || context.values.has("--accesses"))
        return fail(Code::BadInput,
                    {"la liste de travail est celle d'un service", "the work list is a service's"},
                    {"donnez --state seul", "give --state alone"});
    const auto events = TRY(
        events_of(context, *loaded.state, {.since = context.clock.now() - access::kWorkListReach}));
    const auto found = to_look_at(*loaded.world, events, *loaded.state->accounts);
    for (const access::Unexplained& one : found)
        TRY_STATUS(append_event(context, *loaded.state, access::finding_of(one)));
    TRY_STATUS(loaded.close());
    if (context.json)
        context.out << json{{"noted", found.size()}}.dump() << "\n";
    else
        context.out << context.say({fmt::format("{} de plus à relire\n", found.size()),
                                    fmt::format("{} more to review\n", found.size())});
    return kExitOk;
}

Result<int> unexplained(Context& context) {
    LoadedWorld loaded = TRY(open_world(context, Desk::NeedsReason, Reach::All));
    if (context.values.flag("--to-worklist")) return note_unexplained(context, loaded);
    const access::LoadedAccesses journal = TRY(journal_of(context, loaded));
    std::array<std::uint64_t, access::kFindings> counts{};
    const bool all = context.values.flag("--all");
    for (const access::PastAccess& past : journal.accesses) {
        const access::Access access = resolve(*loaded.world, past);
        const access::Finding finding = judge(loaded.world->index(), access);
        ++counts[static_cast<std::size_t>(finding)];
        if (!all && finding == access::Finding::Explained) continue;
        if (context.json)
            context.out
                << json_of(*loaded.world, past, access, finding).dump(-1, ' ', false, kReplace)
                << "\n";
        else
            print(context, past, finding);
    }
    print_summary(context, counts, journal.skipped);
    TRY_STATUS(loaded.close());
    return kExitOk;
}

std::vector<Parameter> with_question(std::vector<Parameter> options) {
    options.push_back({.name = "--at",
                       .placeholder = "TIME",
                       .help = {"à cet instant (RFC 3339 ou date) ; maintenant par défaut",
                                "at this instant (RFC 3339 or a date); now by default"}});
    options.push_back({.name = "--type",
                       .placeholder = "TYPE",
                       .help = {"type de ressource FHIR demandé", "FHIR resource type asked for"},
                       .by_default = "Observation"});
    options.push_back({.name = "--label",
                       .placeholder = "CODE",
                       .help = {"code de meta.security de la ressource : R, V, MASQUE_PS…",
                                "meta.security code of the resource: R, V, MASQUE_PS…"},
                       .many = true});
    options.push_back({.name = "--write",
                       .kind = Kind::Flag,
                       .help = {"pour écrire, non pour lire", "to write, not to read"}});
    return options;
}

Command explain_command() {
    return {
        .path = {"access", "explain"},
        .summary = {"dit pourquoi une personne voit un dossier, ou ne le voit pas",
                    "says why a person sees a record, or does not"},
        .description = {"Donne la décision, sa phrase et son chemin de preuve : chaque pas "
                        "avec la ressource FHIR qui le dit et son temps.",
                        "Gives the decision, its sentence and its proof path: each step with "
                        "the FHIR resource that says so and its time."},
        .options = with_question(world_options()),
        .arguments = {{.name = "ACTOR",
                       .help = {"Practitioner/…, PractitionerRole/…, RelatedPerson/…, Patient/…",
                                "Practitioner/…, PractitionerRole/…, RelatedPerson/…, Patient/…"},
                       .required = true},
                      {.name = "PATIENT",
                       .help = {"Patient/… ou un identifiant", "Patient/… or an identifier"},
                       .required = true}},
        .examples = {{"hygie access explain anne.martin Patient/7 --state /var/lib/hygie",
                      {"Dans le service en marche, par son compte :",
                       "In the running service, by account:"}},
                     {"hygie access explain Practitioner/12 Patient/7 --world hospital/",
                      {"Cette personne peut-elle voir ce dossier maintenant ?",
                       "May this person see this record now?"}}},
        .run = explain};
}

Command who_can_command() {
    return {.path = {"access", "who-can"},
            .summary = {"liste qui peut voir un dossier, et pourquoi",
                        "lists who may see a record, and why"},
            .description = {"Toutes les personnes du monde donné, avec la raison de chacune.",
                            "Everybody of the given world, each with the reason."},
            .options = with_question(world_options()),
            .arguments = {{.name = "PATIENT",
                           .help = {"Patient/… ou un identifiant", "Patient/… or an identifier"},
                           .required = true}},
            .examples = {{"hygie access who-can Patient/7 --world hospital/ --type Patient",
                          {"Qui voit son identité ?", "Who sees the identity?"}}},
            .run = who_can};
}

Command unexplained_command() {
    auto options = world_options();
    options.push_back(
        {.name = "--accesses",
         .placeholder = "FILE",
         .kind = Kind::File,
         .help = {"les accès passés : AuditEvent FHIR ou NDJSON ; sans elle, le journal "
                  "de --state",
                  "the past accesses: FHIR AuditEvents or NDJSON; without it, the "
                  "ledger of --state"}});
    options.push_back({.name = "--all",
                       .kind = Kind::Flag,
                       .help = {"montre aussi les accès expliqués, avec leur preuve",
                                "shows explained accesses too, with their proof"}});
    options.push_back({.name = "--to-worklist",
                       .kind = Kind::Flag,
                       .help = {"les met dans la liste à relire, comme le service chaque jour",
                                "puts them on the work list, as the service does each day"}});
    return {
        .path = {"access", "unexplained"},
        .summary = {"trouve les accès passés que rien n'explique",
                    "finds past accesses that nothing explains"},
        .description =
            {"Rejoue chaque accès à son heure : une preuve, ou aucune. Le personnel "
             "administratif doit avoir eu affaire à ce patient.\n\n"
             "Les accès (--accesses) : NDJSON, un objet par ligne ; ou un tableau, un Bundle, "
             "des AuditEvent FHIR. Champs : actor (référence FHIR, identifiant RPPS ou compte), "
             "patient (Patient/… ou identifiant), time (RFC 3339) ; si possible action (read, "
             "create, update, delete), resource (Observation/3 ou un type), break_glass, id. "
             "cause est recopié et ne décide de rien. Autres noms admis et ressources lues : "
             "docs/concepts/circles.md.",
             "Replays each access at its time: a proof, or none. Administrative staff must "
             "have had to do with that patient.\n\n"
             "The accesses (--accesses): NDJSON, one object a line; or an array, a Bundle, FHIR "
             "AuditEvents. Fields: actor (FHIR reference, identifier or account), patient "
             "(Patient/… or an identifier), time (RFC 3339); if known action (read, create, "
             "update, delete), resource (Observation/3 or a type), break_glass, id. cause is "
             "copied and decides nothing. Other names and the resources that are read: "
             "docs/concepts/circles.md."},
        .options = options,
        .examples = {{"hygie access unexplained --world hospital/ --accesses journal.ndjson",
                      {"La liste de travail du responsable de la sécurité :",
                       "The security officer's work list:"}},
                     {"hygie access unexplained --state /var/lib/hygie",
                      {"Les accès que ce service a tracés ou repris :",
                       "The accesses that this service traced or took over:"}}},
        .run = unexplained};
}

}  // namespace

std::vector<Command> access_commands() {
    return {{.path = {"access"},
             .summary = {"cercles de soins : qui voit quoi, et pourquoi",
                         "circles of care: who sees what, and why"},
             .description = {"Les relations viennent du dossier lui-même, chacune avec son temps ; "
                             "l'opposition du patient l'emporte ; tout le reste est fermé.",
                             "Relations come from the record itself, each with its time; the "
                             "patient's opposition prevails; all else is closed."}},
            explain_command(),
            who_can_command(),
            unexplained_command()};
}

}  // namespace hygie::app
