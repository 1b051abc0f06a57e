#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/circles/circle_load.h"
#include "access/circles/review_opened.h"
#include "access/circles/worklist.h"
#include "app/house/access_world.h"
#include "app/house/core_circles.h"
#include "app/ledger/ledger_desk.h"
#include "app/line/commands.h"
#include "host/wall_time.h"

/// What the security officer does on a core's directory, whether or not the service runs: the work
/// list, its reviews, the rules in force; and who opened a record.
namespace hygie::app {
namespace {

using access::Duty;

// ---- work list and review

Result<std::vector<Duty>> duties_in(Context& context, AccessState& state) {
    const auto events =
        TRY(events_of(context, state, {.since = context.clock.now() - access::kWorkListReach}));
    return access::duties_of(events);
}

void print(Context& context, const Duty& duty, WallTime now) {
    context.out << fmt::format("{}  {}  {}  {}", duty.event, to_person(duty.time, Fineness::Minute),
                               duty.actor.id.str(), context.say(title_of(duty.kind)));
    if (!duty.patient.empty()) context.out << fmt::format("  Patient/{}", duty.patient.str());
    if (!duty.words.empty()) context.out << fmt::format("  « {} »", duty.words);
    for (const Text& sign : duty.signs) context.out << "  ! " << context.say(sign);
    if (duty.is_late(now)) context.out << context.say({"  EN RETARD", "  LATE"});
    if (duty.review)
        context.out << fmt::format("  → {} ({})", name_of(duty.review->conclusion),
                                   duty.review->by.str());
    context.out << "\n";
}

Result<int> work_list(Context& context) {
    AccessState state = TRY(open_access_state(context));
    auto duties = TRY(duties_in(context, state));
    TRY_STATUS(state.close());
    if (!context.values.flag("--all"))
        std::erase_if(duties, [](const Duty& duty) { return duty.review.has_value(); });
    const WallTime now = context.clock.now();
    if (context.json) {
        context.out << access::duties_json(duties, now) << "\n";
        return kExitOk;
    }
    for (const Duty& duty : duties) print(context, duty, now);
    if (duties.empty()) context.out << context.say({"Rien à relire.\n", "Nothing to review.\n"});
    return kExitOk;
}

Result<int> review(Context& context) {
    AccessState state = TRY(open_access_state(context));
    const auto duties = TRY(duties_in(context, state));
    const auto duty = std::ranges::find(duties, context.values.text("EVENT"),
                                        [](const Duty& one) { return one.event; });
    if (duty == duties.end())
        return fail(Code::NotFound,
                    {"aucun accès à relire n'a ce nom", "no access to review has this name"},
                    {"voyez « hygie access worklist »", "see 'hygie access worklist'"});
    const auto conclusion = access::conclusion_named(context.values.text("--finding"));
    event::Event event = TRY(access::review_of(*duty, reader_of(context),
                                               conclusion.value_or(access::Conclusion::Unjustified),
                                               context.values.text("--words")));
    TRY_STATUS(append_event(context, state, std::move(event)));
    TRY_STATUS(state.close());
    context.out << context.say({"Relu, et tracé.\n", "Reviewed, and traced.\n"});
    return kExitOk;
}

// ---- rules in force

Result<std::optional<crypto::PublicKey>> trusted_key(Context& context) {
    if (!context.values.has("--trust")) return std::nullopt;
    const auto key = from_base64(context.values.text("--trust"));
    crypto::PublicKey trusted{};
    if (!key || key->size() != trusted.size())
        return fail(Code::BadInput, {"la clé publique fait 32 octets", "a public key is 32 bytes"},
                    {"donnez ce que « hygie access policy key » a écrit",
                     "give what 'hygie access policy key' wrote"});
    std::ranges::copy(*key, trusted.begin());
    return trusted;
}

/// First the ledger, then the change: rules in force without an entry would be rules of nobody.
Result<int> activate(Context& context) {
    const std::string& path = context.values.text("PACK");
    const std::string text = TRY(read_pack_text(context, path));
    std::string signature;
    if (context.disk.exists(path + ".sig"))
        signature = as_text(TRY(context.disk.read_file(path + ".sig", access::kPolicyBytesMax)));
    const auto key = TRY(trusted_key(context));
    AccessState state = TRY(open_access_state(context));
    TRY_STATUS(state.policy->check(text, signature, key));
    const access::Policy before = *state.policy->current();
    const access::Policy after = TRY(access::parse_policy(text));
    event::Event event;
    event.type = event::Type::PolicyChanged;
    event.action = event::Action::Update;
    event.retention = event::Retention::Control3Years;
    event.detail = {{"what", "access"},
                    {"name", after.name},
                    {"version", fmt::format("{}", after.version)},
                    {"before", to_hex(before.hash)},
                    {"after", to_hex(after.hash)}};
    if (key) event.detail["key"] = to_base64(*key);
    TRY_STATUS(append_event(context, state, std::move(event)));
    TRY_STATUS(state.policy->put(text, std::move(signature), key));
    TRY_STATUS(state.close());
    context.out << fmt::format("{} {} ({})\n", after.name, after.version, to_hex(after.hash));
    return kExitOk;
}

Result<int> active(Context& context) {
    AccessState state = TRY(open_access_state(context));
    const auto pack = TRY(state.policy->pack());
    const access::Policy policy = TRY(access::parse_policy(pack.text));
    TRY_STATUS(state.close());
    if (context.values.flag("--text")) {
        context.out << pack.text;
        return kExitOk;
    }
    if (context.json)
        context.out << nlohmann::json{{"name", policy.name},
                                      {"version", policy.version},
                                      {"hash", to_hex(policy.hash)},
                                      {"signed", !pack.signature.empty()}}
                           .dump()
                    << "\n";
    else
        context.out << fmt::format("{} {} ({})\n", policy.name, policy.version,
                                   to_hex(policy.hash));
    return kExitOk;
}

// ---- who opened a record

event::Event event_of(const access::PastAccess& past) {
    event::Event event;
    event.id = past.id;
    event.type = past.writing ? event::Type::RecordUpdated : event::Type::RecordRead;
    event.time = past.time;
    event.actor.id = ActorId(past.actor);
    event.break_glass = past.break_glass;
    return event;
}

struct Told {
    std::vector<access::Opening> openings;
    std::string patient;
};

Result<Told> told_by_files(Context& context) {
    LoadedWorld loaded = TRY(open_world(context, Desk::NeedsReason, Reach::All));
    const access::CircleWorld& world = *loaded.world;
    const auto patient = TRY(patient_named(world, context.values.text("PATIENT")));
    const auto journal =
        TRY(access::load_accesses(context.disk, context.values.text("--accesses")));
    std::vector<event::Event> events;
    for (const access::PastAccess& past : journal.accesses) {
        const access::Access access = resolve(world, past);
        if (access.patient != patient) continue;
        event::Event event = event_of(past);
        if (access.actor != access::kNobody) {
            event.actor.id = ActorId(world.actor_name(access.actor));
            event.detail["why"] =
                world.explain(access.actor, patient, access::query_of(access)).reasons.front().id;
        }
        events.push_back(std::move(event));
    }
    TRY_STATUS(loaded.close());
    return Told{
        access::openings_of(
            events, [&](const event::Actor& actor) { return world.words_of(actor.id.str()); }),
        world.patient_name(patient)};
}

Result<Told> told_by_ledger(Context& context) {
    AccessState state = TRY(open_access_state(context));
    const std::string& name = context.values.text("PATIENT");
    const std::string patient = name.substr(name.find('/') + 1);
    const auto events = TRY(events_of(context, state, {.patient = PatientId(patient)}));
    if (events.empty())
        return fail(Code::NotFound,
                    {"le journal ne garde aucune trace lisible de ce dossier",
                     "the ledger keeps no readable trace of this record"},
                    {"vérifiez l'identifiant : Patient/…", "check the id: Patient/…"});
    vault::Vault* const vault = state.core.store ? &state.core.store->vault() : nullptr;
    Told told{access::openings_of(events, who_is(*state.accounts, *state.policy, vault)),
              "Patient/" + patient};
    TRY_STATUS(state.close());
    return told;
}

Result<int> opened(Context& context) {
    const bool from_ledger = context.values.has("--state") && !context.values.has("--accesses");
    if (!from_ledger && !context.values.has("--accesses"))
        return fail(Code::BadInput, {"il manque les accès", "the accesses are missing"},
                    {"donnez --state, ou --world et --accesses",
                     "give --state, or --world and --accesses"});
    const Told told = TRY(from_ledger ? told_by_ledger(context) : told_by_files(context));
    if (context.json) {
        context.out << access::openings_json(told.openings) << "\n";
    } else if (context.values.flag("--html")) {
        context.out << access::openings_sheet(told.openings, told.patient, context.clock.now(),
                                              context.lang);
    } else {
        for (const access::Opening& one : told.openings)
            context.out << access::minute_here(one.last).substr(0, 10) << "  "
                        << context.say(one.sentence) << "\n";
    }
    return kExitOk;
}

// ---- descriptions

std::vector<Parameter> with(std::vector<Parameter> options, std::vector<Parameter> more) {
    for (Parameter& one : more) options.push_back(std::move(one));
    return options;
}

Command work_list_command() {
    return {
        .path = {"access", "worklist"},
        .summary = {"liste les accès à relire sous 72 heures",
                    "lists the accesses to review within 72 hours"},
        .description = {"Bris de glace, motifs donnés pour bien plus de dossiers que d'habitude, "
                        "sessions coupées, accès que rien n'explique (cherchés chaque jour par le "
                        "service) : tirés du journal, service en marche ou non.",
                        "Break-glass, motives given for many more records than usual, sessions "
                        "cut, accesses that nothing explains (looked for each day by the "
                        "service): read from the ledger, whether or not the service runs."},
        .options = with(access_state_options(),
                        {{.name = "--all",
                          .kind = Kind::Flag,
                          .help = {"ceux qui sont déjà relus aussi", "those reviewed too"}}}),
        .examples = {{"hygie access worklist --state /var/lib/hygie",
                      {"Ce qui reste à relire :", "What is left to review:"}}},
        .run = work_list};
}

Command review_command() {
    return {
        .path = {"access", "review"},
        .summary = {"clôt la relecture d'un accès", "closes the review of an access"},
        .description = {"La conclusion est tracée au journal ; le patient la voit.",
                        "The conclusion is an entry of the ledger; the patient sees it."},
        .options = with(access_state_options(), {{.name = "--finding",
                                                  .placeholder = "WHAT",
                                                  .help = {"la conclusion", "the conclusion"},
                                                  .required = true,
                                                  .choices = {"justified", "unjustified"}},
                                                 {.name = "--words",
                                                  .placeholder = "TEXT",
                                                  .help = {"ce qui a été vérifié, en une phrase",
                                                           "what was verified, in one sentence"},
                                                  .required = true}}),
        .arguments = {{.name = "EVENT",
                       .help = {"comme la liste le nomme", "as the list names it"},
                       .required = true}},
        .examples = {{"hygie access review 0199f1d2-… --state /var/lib/hygie --finding justified "
                      "--words 'Urgence confirmée avec le service'",
                      {"Après vérification :", "Once verified:"}}},
        .run = review};
}

Command activate_command() {
    return {
        .path = {"access", "policy", "activate"},
        .summary = {"met des règles en vigueur", "puts rules in force"},
        .description =
            {"Vérifie PACK et PACK.sig, l'écrit au journal, puis le service l'applique à la "
             "question "
             "suivante. La première fois, --trust dit qui signe ici. « default » revient aux "
             "règles "
             "du programme. Comparez avant : hygie access diff.",
             "Checks PACK and PACK.sig, writes it to the ledger, then the service applies it from "
             "the next question on. The first time, --trust says who signs here. 'default' goes "
             "back to the program's own rules. Compare first: hygie access diff."},
        .options =
            with(access_state_options(),
                 {{.name = "--trust",
                   .placeholder = "KEY",
                   .help = {"clé publique de qui signe les règles, désormais de confiance ici",
                            "public key of who signs the rules, trusted here from now on"}}}),
        .arguments = {{.name = "PACK",
                       .kind = Kind::File,
                       .help = {"un paquet de règles, ou « default »",
                                "a policy pack, or 'default'"},
                       .required = true}},
        .examples = {{"hygie access policy activate new-pack.json --state /var/lib/hygie",
                      {"Après la comparaison :", "After the comparison:"}}},
        .run = activate};
}

Command active_command() {
    return {.path = {"access", "policy", "active"},
            .summary = {"dit quelles règles sont en vigueur", "says which rules are in force"},
            .description = {"Nom, version et empreinte : ce que nomment les décisions.",
                            "Name, version and hash: what decisions name."},
            .options =
                with(access_state_options(), {{.name = "--text",
                                               .kind = Kind::Flag,
                                               .help = {"le paquet lui-même", "the pack itself"}}}),
            .examples = {{"hygie access policy active --state /var/lib/hygie",
                          {"Dans ce service :", "In this service:"}}},
            .run = active};
}

Command opened_command() {
    return {
        .path = {"access", "opened"},
        .summary = {"répond à « qui a ouvert mon dossier ? »", "answers \"who opened my record?\""},
        .description = {"En phrases, pour la personne concernée : depuis le journal d'un service "
                        "(--state), ou des fichiers (--world et --accesses).",
                        "In sentences, for the person concerned: from the ledger of a service "
                        "(--state), or from files (--world and --accesses)."},
        .options =
            with(world_options(), {{.name = "--accesses",
                                    .placeholder = "FILE",
                                    .kind = Kind::File,
                                    .help = {"les accès passés", "the past accesses"}},
                                   {.name = "--html",
                                    .kind = Kind::Flag,
                                    .help = {"une feuille à imprimer", "a sheet to print"}}}),
        .arguments = {{.name = "PATIENT", .help = {"Patient/…", "Patient/…"}, .required = true}},
        .examples = {{"hygie access opened Patient/7 --state /var/lib/hygie --html",
                      {"La feuille du patient :", "The patient's sheet:"}},
                     {"hygie access opened Patient/7 --world hospital/ --accesses journal.ndjson",
                      {"Depuis les exports d'un autre logiciel :",
                       "From another program's exports:"}}},
        .run = opened};
}

}  // namespace

std::vector<Command> access_state_commands() {
    return {opened_command(), work_list_command(), review_command(), activate_command(),
            active_command()};
}

}  // namespace hygie::app
