#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "app/commands/cmd_files.h"
#include "app/line/columns.h"
#include "app/line/commands.h"
#include "base/counted.h"
#include "guards/files/enforce/canaries.h"
#include "guards/files/enforce/stops.h"
#include "guards/files/keep/history.h"
#include "guards/files/keep/standing.h"
#include "guards/files/protection.h"
#include "host/wall_time.h"

namespace hygie::app {
namespace {

using nlohmann::json;

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

WallTime time_of(files::VersionId version) {
    return WallTime(Micros(static_cast<std::int64_t>(version)));
}

constexpr std::size_t kCauseColumns = 26;

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
        // A restore is asked for by this time (--at).
        context.out << fmt::format(
            "{}  {} {:>12}  {}  {}\n", to_person(time_of(line.happened), Fineness::Microsecond),
            padded(context.say(words_of(line)), kCauseColumns), line.size, line.path, line.actor);
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

/// How many are stopped.
Result<std::size_t> stops_of(Context& context, const std::string& state) {
    const crypto::Secret32 key =
        TRY(files::state_key(files_doors(context), state, files::Absent::Refuse));
    return TRY(files::JudgeState(context.disk, context.random, state, key).load_stops()).size();
}

Result<int> status(Context& context) {
    const std::string& state = context.values.text("--state");
    const files::Standing now = TRY(files::standing_of(files_doors(context), state));
    const files::CanaryCount canaries = TRY(canaries_of(context, state));
    const std::size_t stopped = TRY(stops_of(context, state));
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
                             {"stopped", stopped},
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
    context.out << context.say(running) << "\n";
    if (stopped > 0)
        context.out << context.say(
            {fmt::format("ARRÊTÉS : {} ; « hygie files stopped » dit qui et pourquoi\n", stopped),
             fmt::format("STOPPED: {}; 'hygie files stopped' says who and why\n", stopped)});
    context.out
        << context.say(counted(
               {"{} [fichier|fichiers], {} [version gardée|versions gardées], dont {} "
                "[marquée (prouvée plus vite)|marquées (prouvées plus vite)] ; {} "
                "[octet|octets] en réserve, {} [octet scellé|octets scellés] : ce qui est supprimé "
                "ou troué ne libère rien avant\n",
                "{} [file|files], {} [version|versions] kept, {} of them marked (proved faster); "
                "{} [byte|bytes] staged, {} [byte|bytes] sealed: what is deleted or made a hole "
                "frees nothing until these go\n"},
               {now.files, now.versions, now.marked, now.staged_bytes, now.packed_bytes}))
        << context.say(counted({"{} [fichier témoin|fichiers témoins] en place, {} [disparu ou "
                                "modifié|disparus ou modifiés]\n",
                                "{} canary [file stands|files stand], {} gone or changed\n"},
                               {canaries.standing, canaries.missing + canaries.changed}));
    for (const files::Protection& p : protections)
        context.out << fmt::format("{} ({}): {}\n", p.dir, p.type, context.say(p.says));
    context.out << fmt::format("Linux {}, {}\n", ground.kernel, context.say(ground.says));
    return kExitOk;
}

}  // namespace

std::vector<Command> files_history_commands() {
    std::vector<Command> commands{
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
         .run = log}};
    std::ranges::move(files_restore_commands(), std::back_inserter(commands));
    return commands;
}

}  // namespace hygie::app
