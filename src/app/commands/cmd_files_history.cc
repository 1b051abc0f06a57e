#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "app/commands/cmd_files.h"
#include "app/line/columns.h"
#include "app/line/commands.h"
#include "guards/files/enforce/canaries.h"
#include "guards/files/keep/standing.h"
#include "guards/files/live.h"
#include "guards/files/protection.h"
#include "guards/files/restore/report.h"
#include "guards/files/whereabouts.h"

namespace hygie::app {
namespace {

using nlohmann::json;

constexpr std::size_t kShownMax = 50;

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

WallTime time_of(files::VersionId version) {
    return WallTime(Micros(static_cast<std::int64_t>(version)));
}

constexpr std::size_t kStepColumns = 10;
constexpr std::size_t kCauseColumns = 26;

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

/// What became of a file, and why that was kept.
Text words_of(const files::VersionLine& line) {
    using files::Cause;
    using files::RecordKind;
    if (line.kind == RecordKind::Moved) return {"renommé", "renamed"};
    if (line.kind == RecordKind::Attributes) return {"droits ou attributs", "rights or attributes"};
    if (line.kind == RecordKind::Gone)
        return line.cause == Cause::Replaced ? Text{"remplacé par un autre", "replaced by another"}
                                             : Text{"supprimé", "deleted"};
    switch (line.cause) {
        case Cause::Baseline:
            return {"déjà là au démarrage", "there at the start"};
        case Cause::Commit:
            return {"écrit", "written"};
        case Cause::PreImage:
            return {"gardé avant un changement", "kept before a change"};
        case Cause::Adopted:
            return {"trouvé ou apporté", "found or brought in"};
        default:
            return {std::string(files::name_of(line.kind)), std::string(files::name_of(line.kind))};
    }
}

Parameter since_option() {
    return {.name = "--since",
            .placeholder = "TIME",
            .help = {"reprend ce qui a changé depuis cet instant (ISO 8601 : "
                     "2026-11-25T08:30:00+01:00)",
                     "takes back what changed since this instant (ISO 8601: "
                     "2026-11-25T08:30:00+01:00)"}};
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

/// An absolute path without a slash at its end, as records have it. The file itself may be gone,
/// and a symbolic link at the end is meant itself.
std::string spelled(const std::string& path) {
    std::error_code error;
    const std::filesystem::path whole = std::filesystem::absolute(path, error);
    std::string text =
        (std::filesystem::weakly_canonical(whole.parent_path(), error) / whole.filename()).string();
    while (text.size() > 1 && text.ends_with('/')) text.pop_back();
    return text;
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
    const WallTime since = TRY(from_rfc3339(context.values.text(option)));
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
    return {
        {"items", items}, {"bytes", plan.bytes}, {"actors", plan.actors}, {"spared", plan.spared}};
}

void show_plan(Context& context, const files::Plan& plan) {
    if (context.json) {
        context.out << dump(plan_json(plan));
        return;
    }
    std::size_t shown = 0;
    for (const files::PlanItem& item : plan.items) {
        if (++shown > kShownMax) {
            context.out << context.say({fmt::format("… et {} autres (--json les donne tous)\n",
                                                    plan.items.size() - kShownMax),
                                        fmt::format("… and {} more (--json gives them all)\n",
                                                    plan.items.size() - kShownMax)});
            break;
        }
        context.out << fmt::format(
            "{}  {}\n", padded(context.say(words_of(item.step)), kStepColumns), item.path);
    }
    for (const std::string& actor : plan.actors)
        context.out << context.say({"acteur : ", "actor: "}) << (actor.empty() ? "(?)" : actor)
                    << "\n";
    context.out << context.say(
        {fmt::format("éléments à remettre : {}, octets : {} ; nouveaux fichiers d'autres acteurs, "
                     "laissés en place : {}\n",
                     plan.items.size(), plan.bytes, plan.spared),
         fmt::format("{} items to bring back, {} bytes; {} new files of others left in place\n",
                     plan.items.size(), plan.bytes, plan.spared)});
}

Result<int> plan(Context& context) {
    const files::Question question = TRY(question_of(context));
    const files::History history =
        TRY(files::History::read(files_doors(context), context.values.text("--state")));
    const files::Plan plan = TRY(
        files::plan_of(files_doors(context), context.values.text("--state"), history, question));
    show_plan(context, plan);
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
            {fmt::format("attribut « immuable » ou « ajout seul » (chattr +i, +a) levé de {} "
                         "fichiers ou dossiers : le rapport les nomme\n",
                         lifted),
             fmt::format("immutable or append-only flag (chattr +i, +a) lifted from {} files or "
                         "folders: the report names them\n",
                         lifted)});
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
        context.out << context.say(
            {fmt::format(
                 "restauration {} ; éléments remis et vérifiés : {}, en échec : {}, octets : "
                 "{}, en {:.1f} s\nrapport signé : {}\n",
                 result.id, result.done, result.failed, result.bytes, seconds, result.report),
             fmt::format("restore {}: {} items brought back and verified, {} failed, {} bytes, "
                         "{:.1f} s\nsigned report: {}\n",
                         result.id, result.done, result.failed, result.bytes, seconds,
                         result.report)});
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

Result<int> restore(Context& context) {
    const std::string& state = context.values.text("--state");
    if (context.values.has("--undo"))
        return show_result(
            context, TRY(files::undo(files_doors(context), state, context.values.text("--undo"))));
    const files::Question question = TRY(question_of(context));
    const files::History history = TRY(files::History::read(files_doors(context), state));
    const files::Plan plan =
        TRY(placed(context, TRY(files::plan_of(files_doors(context), state, history, question))));
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
    return show_result(context,
                       TRY(files::restore(files_doors(context), state, history, plan, hashing)));
}

Result<int> log(Context& context) {
    const files::History history =
        TRY(files::History::read(files_doors(context), context.values.text("--state")));
    const auto lines = history.log(spelled(context.values.text("PATH")));
    json all = json::array();
    for (const files::VersionLine& line : lines) {
        if (context.json) {
            all.push_back({{"time", to_rfc3339(time_of(line.happened))},
                           {"what", files::name_of(line.kind)},
                           {"why", files::name_of(line.cause)},
                           {"path", line.path},
                           {"from", line.from},
                           {"bytes", line.size},
                           {"actor", line.actor}});
            continue;
        }
        context.out << fmt::format("{}  {} {:>12}  {}  {}\n", to_rfc3339(time_of(line.happened)),
                                   padded(context.say(words_of(line)), kCauseColumns), line.size,
                                   line.path, line.actor);
    }
    if (context.json) context.out << dump(all);
    if (lines.empty())
        return fail(Code::NotFound,
                    {"ce fichier n'est pas connu du garde", "the guard does not know this file"},
                    {"donnez le chemin tel qu'il était dans le partage",
                     "give the path as it was in the share"});
    return kExitOk;
}

Result<files::CanaryCount> canaries_of(Context& context, const std::string& state) {
    const crypto::Secret32 key =
        TRY(files::state_key(files_doors(context), state, files::Absent::Refuse));
    files::JudgeState judge(context.disk, context.random, state, key);
    return files::Canaries(context.disk, context.random, judge).look();
}

json protections_json(Context& context, const std::vector<files::Protection>& all) {
    json list = json::array();
    for (const files::Protection& p : all)
        list.push_back({{"dir", p.dir},
                        {"type", p.type},
                        {"pre_content", p.pre_content},
                        {"clones", p.clones},
                        {"says", context.say(p.says)}});
    return list;
}

Result<int> status(Context& context) {
    const std::string& state = context.values.text("--state");
    const files::Standing now = TRY(files::standing_of(files_doors(context), state));
    const files::CanaryCount canaries = TRY(canaries_of(context, state));
    const auto protections = TRY(files::read_protections(context.disk, state));
    const files::Ground ground = files::ground();
    if (context.json) {
        context.out << dump({{"running", now.is_running},
                             {"kernel", ground.kernel},
                             {"landlock_abi", ground.landlock_abi},
                             {"protected", protections_json(context, protections)},
                             {"standing_in", now.is_standing_in},
                             {"files", now.files},
                             {"versions", now.versions},
                             {"marked", now.marked},
                             {"staged_bytes", now.staged_bytes},
                             {"packed_bytes", now.packed_bytes},
                             {"canaries", canaries.standing},
                             {"canaries_lost", canaries.missing + canaries.changed},
                             {"last", now.last ? to_rfc3339(time_of(now.last)) : ""}});
        return kExitOk;
    }
    const Text running =
        now.is_running      ? Text{"le garde veille", "the guard is awake"}
        : now.is_standing_in ? Text{"le garde est mort : les lectures passent, les écritures "
                                    "attendent",
                                    "the guard is dead: reads go on, writes wait"}
                             : Text{"le garde est arrêté : rien n'est protégé",
                                    "the guard is stopped: nothing is protected"};
    context.out
        << context.say(running) << "\n"
        << context.say({fmt::format("{} fichiers, {} versions gardées, dont {} marquées (prouvées "
                                    "plus vite) ; {} octets en réserve, {} octets scellés : "
                                    "ce qui est supprimé ou troué ne libère rien avant\n",
                                    now.files, now.versions, now.marked, now.staged_bytes,
                                    now.packed_bytes),
                        fmt::format("{} files, {} versions kept, {} of them marked (proved "
                                    "faster); {} bytes staged, {} bytes sealed: what is deleted or "
                                    "made a hole frees nothing until these go\n",
                                    now.files, now.versions, now.marked, now.staged_bytes,
                                    now.packed_bytes)})
        << context.say({fmt::format("{} fichiers témoins en place, {} disparus ou modifiés\n",
                                    canaries.standing, canaries.missing + canaries.changed),
                        fmt::format("{} canary files stand, {} gone or changed\n",
                                    canaries.standing, canaries.missing + canaries.changed)});
    for (const files::Protection& p : protections)
        context.out << fmt::format("{} ({}): {}\n", p.dir, p.type, context.say(p.says));
    context.out << fmt::format("Linux {}, {}\n", ground.kernel, context.say(ground.says));
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

}  // namespace

std::vector<Command> files_history_commands() {
    return {
        {.path = {"files"},
         .summary = {"les fichiers gardés : état, histoire, restauration",
                     "the guarded files: state, history, restore"},
         .description = {"Lit le dossier d'état de « hygie guard files », que le garde tourne ou "
                         "non.",
                         "Reads the state folder of 'hygie guard files', whether the guard runs or "
                         "not."}},
        {.path = {"files", "status"},
         .summary = {"dit si le garde veille et ce qu'il tient",
                     "says whether the guard is awake and what it holds"},
         .description = {"Code de sortie 0 dans tous les cas où l'état se lit.",
                         "Exit code 0 whenever the state can be read."},
         .options = {files_state_option()},
         .examples = {{"hygie files status --state /srv/hygie",
                       {"Le garde veille-t-il ?", "Is the guard awake?"}}},
         .run = status},
        {.path = {"files", "log"},
         .summary = {"l'histoire d'un fichier", "the history of one file"},
         .description = {"Toutes ses versions gardées, ses noms, qui l'a changé et quand.",
                         "All its kept versions, its names, who changed it and when."},
         .options = {files_state_option()},
         .arguments = {{.name = "PATH",
                        .kind = Kind::File,
                        .help = {"le fichier", "the file"},
                        .required = true}},
         .examples = {{"hygie files log --state /srv/hygie /srv/partage/lettre.docx",
                       {"Qui a changé cette lettre ?", "Who changed this letter?"}}},
         .run = log},
        plan_command(),
        restore_command()};
}

}  // namespace hygie::app
