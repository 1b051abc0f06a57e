#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "app/commands/cmd_files.h"
#include "app/line/columns.h"
#include "app/line/commands.h"
#include "base/counted.h"
#include "event/uuid.h"
#include "guards/files/enforce/stops.h"
#include "guards/files/live.h"
#include "guards/files/restore/report.h"
#include "guards/files/whereabouts.h"
#include "host/wall_time.h"

namespace hygie::app {
namespace {

using nlohmann::json;

constexpr std::size_t kShownMax = 50;
constexpr std::size_t kStepColumns = 10;

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

WallTime time_of(files::VersionId version) {
    return WallTime(Micros(static_cast<std::int64_t>(version)));
}

Text words_of(files::Step step) {
    switch (step) {
        case files::Step::Recreate:
            return {"recrée", "recreate"};
        case files::Step::Replace:
            return {"remplace", "replace"};
        case files::Step::Attributes:
            return {"attributs", "attributes"};
        case files::Step::SetAside:
            return {"écarte", "set aside"};
    }
    return {};
}

Parameter since_option() {
    return {.name = "--since",
            .placeholder = "TIME",
            .help = {"reprend ce qui a changé depuis cet instant (ISO 8601 : "
                     "2026-11-25T08:30:00+01:00 ; sans fuseau, à l'heure de cette machine)",
                     "takes back what changed since this instant (ISO 8601: "
                     "2026-11-25T08:30:00+01:00; without a zone, in this machine's time)"}};
}

Parameter at_option() {
    return {.name = "--at",
            .placeholder = "TIME",
            .help = {"comme --since : l'état de cet instant",
                     "like --since: the state at this instant"}};
}

Parameter actor_option() {
    return {.name = "--actor",
            .placeholder = "WHO",
            .help = {"ses changements seulement : tel que « hygie files plan » le nomme",
                     "its changes alone: as 'hygie files plan' names it"}};
}

Parameter path_option() {
    return {.name = "--path",
            .placeholder = "PATH",
            .kind = Kind::File,
            .help = {"ce fichier, ou ce qui est sous ce dossier, seulement",
                     "this file, or what lies below this folder, alone"}};
}

Result<files::Question> question_of(Context& context) {
    files::Question question;
    const std::string_view option = context.values.has("--at") ? "--at" : "--since";
    if (!context.values.has(option))
        return fail(Code::BadInput, {"il manque --since", "--since is missing"},
                    {"donnez l'instant d'avant l'attaque, par exemple "
                     "--since 2026-11-25T08:30:00+01:00",
                     "give the instant before the attack, for example "
                     "--since 2026-11-25T08:30:00+01:00"});
    const std::string& text = context.values.text(option);
    const WallTime since = TRY(from_person(text));
    if (!from_rfc3339(text) || !text.contains(':'))
        context.err << context.say(
            {fmt::format("compris, à l'heure de cette machine : {}\n", to_person(since)),
             fmt::format("understood, in this machine's time: {}\n", to_person(since))});
    if (since > context.clock.now())
        return fail(Code::BadInput,
                    {"cet instant est dans l'avenir", "this instant is in the future"},
                    {"donnez un instant passé, avec son fuseau : 2026-11-25T08:30:00+01:00",
                     "give a past instant with its time zone: 2026-11-25T08:30:00+01:00"});
    question.since =
        static_cast<files::VersionId>(std::max<std::int64_t>(since.time_since_epoch().count(), 0));
    if (context.values.has("--actor")) question.actor = context.values.text("--actor");
    if (context.values.has("--path")) question.path = spelled(context.values.text("--path"));
    return question;
}

json plan_json(const files::Plan& plan) {
    json items = json::array();
    for (const files::PlanItem& item : plan.items) {
        json line = {
            {"step", files::name_of(item.step)}, {"path", item.path}, {"changed_by", item.actors}};
        if (item.wanted) line["version_time"] = to_rfc3339(time_of(item.wanted->version));
        if (item.wanted) line["bytes"] = item.wanted->size;
        items.push_back(std::move(line));
    }
    return {{"items", items},
            {"bytes", plan.bytes},
            {"actors", plan.actors},
            {"changes", files::changes_of(plan)},
            {"spared", plan.spared}};
}

void show_plan(Context& context, const files::Plan& plan) {
    if (context.json) {
        context.out << dump(plan_json(plan));
        return;
    }
    std::size_t shown = 0;
    for (const files::PlanItem& item : plan.items) {
        if (++shown > kShownMax) {
            context.out << context.say(
                counted({"… et {} [autre (--json le donne)|autres (--json les donne tous)]\n",
                         "… and {} more (--json gives [it|them all])\n"},
                        {plan.items.size() - kShownMax}));
            break;
        }
        context.out << fmt::format(
            "{}  {}\n", padded(context.say(words_of(item.step)), kStepColumns), item.path);
    }
    for (const auto& [actor, changed] : files::changes_of(plan)) {
        const std::string name = actor.empty() ? "(?)" : actor;
        context.out << context.say({fmt::format("acteur : {} ({})\n", name, changed),
                                    fmt::format("actor: {} ({})\n", name, changed)});
    }
    context.out << context.say(
        counted({"{} [élément|éléments] à remettre, {} [octet|octets] ; {} [nouveau fichier "
                 "d'autres acteurs laissé|nouveaux fichiers d'autres acteurs laissés] en place\n",
                 "{} [item|items] to bring back, {} [byte|bytes]; {} new [file|files] of others "
                 "left in place\n"},
                {plan.items.size(), plan.bytes, plan.spared}));
}

/// A name that is misspelt must not look like an attack that left nothing to bring back.
void warn_of_nobody(Context& context, const files::Question& question, const files::Plan& plan) {
    if (!question.actor || !plan.items.empty()) return;
    context.err << context.say(
        {"attention : rien de ce qui est à remettre n'est de cet acteur ; « hygie files plan » "
         "sans --actor nomme chacun\n",
         "warning: nothing that is to be brought back is this actor's; 'hygie files plan' without "
         "--actor names each\n"});
}

Result<int> plan(Context& context) {
    const files::Question question = TRY(question_of(context));
    const files::History history =
        TRY(files::History::read(files_doors(context), context.values.text("--state")));
    const files::Plan plan = TRY(
        files::plan_of(files_doors(context), context.values.text("--state"), history, question));
    show_plan(context, plan);
    warn_of_nobody(context, question, plan);
    return kExitOk;
}

void show_problems(Context& context, const files::RestoreResult& result) {
    std::size_t lifted = 0;
    for (const files::Outcome& outcome : result.outcomes) {
        lifted += outcome.lifted.size();
        if (outcome.problem)
            context.err << fmt::format("{}: {}\n", outcome.item.path,
                                       context.say(outcome.problem->what));
    }
    if (lifted > 0)
        context.err << context.say(
            counted({"attribut « immuable » ou « ajout seul » (chattr +i, +a) levé de {} [fichier "
                     "ou dossier : le rapport le nomme|fichiers ou dossiers : le rapport les "
                     "nomme]\n",
                     "immutable or append-only flag (chattr +i, +a) lifted from {} [file or "
                     "folder: the report names it|files or folders: the report names them]\n"},
                    {lifted}));
    const auto said = std::ranges::find_if(
        result.outcomes, [](const auto& outcome) { return outcome.problem.has_value(); });
    if (said != result.outcomes.end()) context.err << context.say(said->problem->remedy) << "\n";
    if (result.unreported)
        context.err << context.say({"le rapport signé n'a pas pu être écrit : ",
                                    "the signed report could not be written: "})
                    << context.say(result.unreported->what) << "\n";
}

/// By what the files that came back are proven, and how many by each.
std::map<std::string_view, std::uint64_t> proofs_of(const files::RestoreResult& result) {
    std::map<std::string_view, std::uint64_t> proofs;
    for (const files::Outcome& outcome : result.outcomes)
        if (outcome.is_done && outcome.proof != files::Proof::None)
            ++proofs[files::name_of(outcome.proof)];
    return proofs;
}

void show_proofs(Context& context, const files::RestoreResult& result) {
    auto proofs = proofs_of(result);
    const std::uint64_t by_mark = proofs[files::name_of(files::Proof::Mark)];
    const std::uint64_t by_seals = proofs[files::name_of(files::Proof::Seals)];
    const std::uint64_t by_hash = proofs[files::name_of(files::Proof::Hash)];
    if (by_mark + by_seals + by_hash == 0) return;
    context.out << context.say(
        {fmt::format("chaque octet relu ; prouvés par leur marque : {}, par leurs sceaux : {}, par "
                     "SHA-256 : {} (--full-hash : tous)\n",
                     by_mark, by_seals, by_hash),
         fmt::format("every byte read again; proved by their mark: {}, by their seals: {}, by "
                     "SHA-256: {} (--full-hash: all)\n",
                     by_mark, by_seals, by_hash)});
}

int show_result(Context& context, const files::RestoreResult& result) {
    const double seconds = std::chrono::duration<double>(result.ended - result.began).count();
    if (context.json) {
        json problems = json::array();
        json lifted = json::array();
        for (const files::Outcome& outcome : result.outcomes) {
            for (const std::string& path : outcome.lifted) lifted.push_back(path);
            if (outcome.problem)
                problems.push_back({{"path", outcome.item.path},
                                    {"step", files::name_of(outcome.item.step)},
                                    {"what", context.say(outcome.problem->what)}});
        }
        context.out << dump({{"restore", result.id},
                             {"problems", problems},
                             {"flags_lifted", lifted},
                             {"done", result.done},
                             {"failed", result.failed},
                             {"bytes", result.bytes},
                             {"proved_by", proofs_of(result)},
                             {"seconds", seconds},
                             {"report", result.report}});
    } else {
        show_problems(context, result);
        const Text counts =
            counted({"{} [élément remis et vérifié|éléments remis et vérifiés], {} en échec, {} "
                     "[octet|octets]",
                     "{} [item|items] brought back and verified, {} failed, {} [byte|bytes]"},
                    {result.done, result.failed, result.bytes});
        context.out << context.say(
            {fmt::format("restauration {} : {}, en {:.1f} s\nrapport signé : {}\n", result.id,
                         counts.fr, seconds, result.report),
             fmt::format("restore {}: {}, {:.1f} s\nsigned report: {}\n", result.id, counts.en,
                         seconds, result.report)});
        show_proofs(context, result);
    }
    return result.failed == 0 && !result.unreported ? kExitOk : kExitFailed;
}

/// Where it is carried out: in the share's place, if the share is there, or where that is said.
Result<files::Plan> placed(Context& context, files::Plan plan) {
    const auto whereabouts =
        TRY(files::Whereabouts::look(context.disk, context.values.text("--state")));
    if (context.values.has("--to"))
        return whereabouts.brought_to(spelled(context.values.text("--to")), std::move(plan));
    TRY_STATUS(whereabouts.check(plan));
    return plan;
}

/// For the ledger: the running guard hands it on, or the next one. The restore stands without.
void leave_trace(Context& context, const files::RestoreResult& result, const char* act,
                 const std::map<std::string, std::string>& asked) {
    event::Event event;
    event.id = event::print_uuid(event::make_uuid(context.clock.now(), context.random));
    event.type = event::Type::FilesRestored;
    event.action = event::usual_action(event.type);
    event.time = context.clock.now();
    event.actor.id = ActorId(context.process.user_name());
    if (result.failed > 0 || result.unreported) event.outcome = event::Outcome::SeriousFailure;
    event.detail = {{"step", act},
                    {"restore", result.id},
                    {"done", std::to_string(result.done)},
                    {"failed", std::to_string(result.failed)},
                    {"bytes", std::to_string(result.bytes)}};
    event.detail.insert(asked.begin(), asked.end());
    const auto left = [&]() -> Status {
        const std::string& state = context.values.text("--state");
        const crypto::Secret32 key =
            TRY(files::state_key(files_doors(context), state, files::Absent::Refuse));
        return files::JudgeState(context.disk, context.random, state, key).leave(event);
    }();
    if (!left)
        context.err << context.say({"cette restauration n'a pas pu être tracée : ",
                                    "this restore could not be traced: "})
                    << context.say(left.error().what) << "\n";
}

std::map<std::string, std::string> asked_of(const files::Question& question) {
    std::map<std::string, std::string> asked{{"since", to_rfc3339(time_of(question.since))}};
    if (question.actor) asked["writer"] = *question.actor;
    if (!question.path.empty()) asked["path"] = question.path;
    return asked;
}

Result<int> undo(Context& context) {
    const std::string& undone = context.values.text("--undo");
    const files::RestoreResult result =
        TRY(files::undo(files_doors(context), context.values.text("--state"), undone));
    leave_trace(context, result, "undo", {{"undone", undone}});
    return show_result(context, result);
}

Result<int> restore(Context& context) {
    const std::string& state = context.values.text("--state");
    if (context.values.has("--undo")) return undo(context);
    const files::Question question = TRY(question_of(context));
    const files::History history = TRY(files::History::read(files_doors(context), state));
    const files::Plan plan =
        TRY(placed(context, TRY(files::plan_of(files_doors(context), state, history, question))));
    warn_of_nobody(context, question, plan);
    if (context.values.flag("--dry-run")) {
        show_plan(context, plan);
        return kExitOk;
    }
    if (!context.values.flag("--yes")) {
        show_plan(context, plan);
        context.err << context.say({"rien n'est fait : recommencez avec --yes pour l'exécuter\n",
                                    "nothing is done: say it again with --yes to carry it out\n"});
        return kExitUsage;
    }
    const auto hashing =
        context.values.flag("--full-hash") ? files::Hashing::Always : files::Hashing::WhereNeeded;
    const files::RestoreResult result =
        TRY(files::restore(files_doors(context), state, history, plan, hashing));
    leave_trace(context, result, "restore", asked_of(question));
    return show_result(context, result);
}

/// A report may have been copied elsewhere, for an insurance or a court.
Result<int> report(Context& context) {
    const std::string& name = context.values.text("REPORT");
    const auto items =
        TRY(files::read_report(files_doors(context), context.values.text("--state"), name));
    const auto back = static_cast<std::size_t>(std::ranges::count_if(
        items, [](const auto& item) { return item.step != files::Step::SetAside; }));
    if (context.json)
        context.out << dump({{"report", name},
                             {"signed_here", true},
                             {"brought_back", back},
                             {"set_aside", items.size() - back}});
    else
        context.out << context.say(
            counted({"signé ici et inchangé : {} [élément remis|éléments remis], {} "
                     "[écarté|écartés]\n",
                     "signed here and unchanged: {} [item|items] brought back, {} set aside\n"},
                    {back, items.size() - back}));
    return kExitOk;
}

Command plan_command() {
    return {.path = {"files", "plan"},
            .summary = {"montre ce qu'une restauration ferait", "shows what a restore would do"},
            .description = {"Ne change rien. Dit aussi quels acteurs ont changé quoi.",
                            "Changes nothing. Also says which actors changed what."},
            .options = {files_state_option(), since_option(), at_option(), actor_option(),
                        path_option()},
            .examples = {{"hygie files plan --state /srv/hygie --since 2026-11-25T08:30:00+01:00",
                          {"Avant de restaurer :", "Before a restore:"}}},
            .run = plan};
}

Command restore_command() {
    return {
        .path = {"files", "restore"},
        .summary = {"remet les fichiers tels qu'ils étaient", "brings files back as they were"},
        .description =
            {"Octets, noms, droits, propriétaires, ACL, attributs et dates reviennent ; chaque "
             "fichier est relu et comparé ; un rapport signé est écrit, qui dit par quoi chacun "
             "est prouvé.\n\nRien n'est détruit : ce qui se trouvait à la place est gardé comme "
             "preuve, et --undo défait tout.",
             "Bytes, names, rights, owners, ACLs, attributes and times come back; each file is "
             "read again and compared; a signed report is written, which says by what each is "
             "proved.\n\nNothing is destroyed: what stood in the place is kept as evidence, and "
             "--undo takes it all back."},
        .options = {files_state_option(),
                    since_option(),
                    at_option(),
                    actor_option(),
                    path_option(),
                    {.name = "--to",
                     .placeholder = "DIR",
                     .kind = Kind::File,
                     .help = {"remet ici ce qui était dans le partage : là où son disque est monté "
                              "désormais, ou ailleurs",
                              "brings what was in the share back here: where its disk is mounted "
                              "by now, or elsewhere"}},
                    {.name = "--dry-run",
                     .kind = Kind::Flag,
                     .help = {"montre seulement", "only shows"}},
                    {.name = "--yes",
                     .kind = Kind::Flag,
                     .help = {"exécute sans demander", "carries it out without asking"}},
                    {.name = "--full-hash",
                     .kind = Kind::Flag,
                     .help = {"recalcule SHA-256 de chaque octet, même là où une marque (code "
                              "d'authentification à clé) ou des sceaux le prouvent plus vite",
                              "takes SHA-256 of every byte, even where a mark (a keyed "
                              "authentication code) or seals prove it faster"}},
                    {.name = "--undo",
                     .placeholder = "ID",
                     .help = {"défait cette restauration", "takes this restore back"}}},
        .examples =
            {{"hygie files restore --state /srv/hygie --since 2026-11-25T08:30:00+01:00 --yes",
              {"Après une attaque :", "After an attack:"}},
             {"hygie files restore --state /srv/hygie --path /srv/partage/lettre.docx --at "
              "2026-11-24T18:00:00+01:00 --yes",
              {"« Je l'ai écrasé hier » :", "'I overwrote it yesterday':"}}},
        .run = restore};
}

Command report_command() {
    return {.path = {"files", "report"},
            .summary = {"vérifie le rapport signé d'une restauration",
                        "checks the signed report of a restore"},
            .description = {"Dit s'il fut signé par ce dossier d'état et n'a pas changé depuis : "
                            "code 1 sinon.",
                            "Says whether this state folder signed it and it is unchanged since: "
                            "code 1 otherwise."},
            .options = {files_state_option()},
            .arguments = {{.name = "REPORT",
                           .help = {"le numéro de la restauration, ou le chemin d'une copie du "
                                    "rapport",
                                    "the restore's number, or the path of a copy of the report"},
                           .required = true}},
            .examples = {{"hygie files report --state /srv/hygie 1795873244877774",
                          {"Le rapport est-il intact ?", "Is the report intact?"}}},
            .run = report};
}

}  // namespace

std::vector<Command> files_restore_commands() {
    return {plan_command(), restore_command(), report_command()};
}

}  // namespace hygie::app
