#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/commands/cmd_files.h"
#include "app/line/commands.h"
#include "guards/files/enforce/stops.h"
#include "guards/files/keep/store.h"
#include "host/wall_time.h"

namespace hygie::app {
namespace {

using nlohmann::json;

Result<files::JudgeState> state_of(Context& context) {
    const std::string& state = context.values.text("--state");
    const crypto::Secret32 key =
        TRY(files::state_key(files_doors(context), state, files::Absent::Refuse));
    return files::JudgeState(context.disk, context.random, state, key);
}

json spell(Context& context, const files::StoppedActor& stop) {
    json reasons = json::array();
    for (const event::Reason& reason : stop.reasons)
        reasons.push_back({{"id", reason.id}, {"text", context.say(reason.text)}});
    return {{"actor", stop.key},
            {"rung", files::name_of(stop.rung)},
            {"since", to_rfc3339(stop.since)},
            {"processes", stop.processes.size()},
            {"program", stop.program},
            {"reasons", reasons}};
}

Result<int> stopped(Context& context) {
    files::JudgeState state = TRY(state_of(context));
    const std::vector<files::StoppedActor> stops = TRY(state.load_stops());
    if (context.json) {
        json all = json::array();
        for (const files::StoppedActor& stop : stops) all.push_back(spell(context, stop));
        context.out << all.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
        return kExitOk;
    }
    if (stops.empty())
        context.out << context.say({"personne n'est arrêté\n", "nobody is stopped\n"});
    for (const files::StoppedActor& stop : stops) {
        context.out << fmt::format("{}  {}  {}  {}\n", to_person(stop.since),
                                   files::name_of(stop.rung), stop.key, stop.program);
        for (const event::Reason& reason : stop.reasons)
            context.out << "    " << context.say(reason.text) << "\n";
    }
    return kExitOk;
}

Result<int> give(Context& context, files::GuardOrder order) {
    files::JudgeState state = TRY(state_of(context));
    order.by = context.process.user_name();
    order.at = context.clock.now();
    TRY_STATUS(state.give(order));
    if (!context.json)
        context.out << context.say({"transmis ; le garde l'exécute dès qu'il tourne\n",
                                    "passed on; the guard carries it out as soon as it runs\n"});
    return kExitOk;
}

Result<int> thaw(Context& context) {
    const std::string& who = context.values.text("WHO");
    const auto stops = TRY(TRY(state_of(context)).load_stops());
    // Passed on all the same: the guard may hold it by now.
    if (who != "all" && std::ranges::find(stops, who, &files::StoppedActor::key) == stops.end())
        context.err << context.say(
            {"attention : personne de ce nom n'est arrêté ; « hygie files stopped » nomme chacun\n",
             "warning: nobody of this name is stopped; 'hygie files stopped' names each\n"});
    return give(context, {files::GuardOrder::Kind::Thaw, context.values.text("WHO"), {}, {}});
}

Result<int> enrol(Context& context) {
    const std::string& who = context.values.text("WHO");
    if (who.starts_with('/') && !context.values.flag("--dismiss") && !context.disk.exists(who))
        return fail(Code::NotFound,
                    {"aucun programme à ce chemin : " + who, "no program at this path: " + who},
                    {"donnez son chemin entier (command -v NOM le dit)",
                     "give its whole path (command -v NAME tells it)"});
    return give(context, {context.values.flag("--dismiss") ? files::GuardOrder::Kind::Dismiss
                                                           : files::GuardOrder::Kind::Enrol,
                          context.values.text("WHO"),
                          {},
                          {}});
}

Command stopped_command() {
    return {.path = {"files", "stopped"},
            .summary = {"dit qui est arrêté, et pourquoi", "says who is stopped, and why"},
            .description = {"Ceux dont le garde refuse les écritures ou a gelé les processus.",
                            "Those whose writes the guard refuses or whose processes it froze."},
            .options = {files_state_option()},
            .examples = {{"hygie files stopped --state /srv/hygie",
                          {"Après une alerte :", "After an alert:"}}},
            .run = stopped};
}

Command thaw_command() {
    return {.path = {"files", "thaw"},
            .summary = {"rend la liberté à un acteur arrêté", "lets a stopped actor go on"},
            .description = {"Ses processus reprennent, ses écritures sont acceptées de nouveau, ce "
                            "qui lui était reproché est oublié. L'acte est tracé.",
                            "Its processes go on, its writes are taken again, what was held "
                            "against it is forgotten. The act is traced."},
            .options = {files_state_option()},
            .arguments = {{.name = "WHO",
                           .help = {"tel que « hygie files stopped » le nomme, ou all",
                                    "as 'hygie files stopped' names it, or all"},
                           .required = true}},
            .examples = {{"hygie files thaw --state /srv/hygie smb:accueil@192.0.2.7",
                          {"Le poste a été nettoyé :", "The workstation was cleaned:"}}},
            .run = thaw};
}

Command enrol_command() {
    return {.path = {"files", "enrol"},
            .summary = {"laisse en paix un programme ou un acteur connu",
                        "leaves a known program or actor in peace"},
            .description = {"Sauvegarde, antivirus, outil de prise en main voulu : ni jugé, ni "
                            "arrêté. Ses fichiers restent préservés.",
                            "Backup, antivirus, a remote tool that is wanted: neither judged nor "
                            "stopped. Its files are preserved all the same."},
            .options = {files_state_option(),
                        {.name = "--dismiss",
                         .kind = Kind::Flag,
                         .help = {"le retire au contraire", "takes it off the list instead"}}},
            .arguments = {{.name = "WHO",
                           .help = {"le chemin du programme, ou la clé de l'acteur",
                                    "the path of the program, or the key of the actor"},
                           .required = true}},
            .examples = {{"hygie files enrol --state /srv/hygie /usr/bin/restic",
                          {"La sauvegarde de nuit lit tout :", "The nightly backup reads all:"}}},
            .run = enrol};
}

/// Where the scripts of the bench are: beside the sources, or installed.
Result<std::string> scripts_of(Context& context) {
    if (context.values.has("--scripts")) return context.values.text("--scripts");
    for (const char* dir : {"bench/files", "/usr/share/hygie/bench/files"})
        if (context.disk.exists(join(dir, "bench.py"))) return std::string(dir);
    return fail(Code::NotFound,
                {"les scripts du banc ne sont pas là", "the bench's scripts are not here"},
                {"donnez leur dossier par --scripts : bench/files des sources",
                 "give their folder by --scripts: bench/files of the sources"});
}

Result<int> bench(Context& context) {
    constexpr Micros kTimeout = std::chrono::hours(6);
    const std::string scripts = TRY(scripts_of(context));
    // This very program, be it in no search path.
    std::error_code error;
    const std::string own = std::filesystem::read_symlink("/proc/self/exe", error).string();
    std::vector<std::string> argv{"env",     "HYGIE=" + own,
                                  "python3", join(scripts, "bench.py"),
                                  "--files", context.values.text("--files"),
                                  "--runs",  context.values.text("--runs"),
                                  "--fs",    context.values.text("--fs")};
    if (context.json) argv.emplace_back("--json");
    for (const std::string& name : context.values.list("--only"))
        argv.insert(argv.end(), {"--only", name});
    const RunOutcome outcome =
        TRY(context.process.run(argv, {}, {.timeout = kTimeout, .output_bytes_max = 64 << 20}));
    context.out << as_text(outcome.out);
    context.err << as_text(outcome.err);
    return outcome.exit_code == 0 ? kExitOk : kExitFailed;
}

Command bench_command() {
    return {
        .path = {"files", "bench"},
        .summary = {"mesure le garde : attaques et travail honnête, avec et sans lui",
                    "measures the guard: attacks and honest work, with and without it"},
        .description = {"Sur des images montées en boucle, dans un dossier jetable ; il faut "
                        "être root. Imprime la table des mesures.",
                        "On loop-mounted images, in a throw-away folder; root is needed. "
                        "Prints the table of measures."},
        .options = {{.name = "--files",
                     .placeholder = "N",
                     .kind = Kind::Number,
                     .help = {"fichiers par attaque", "files per attack"},
                     .by_default = "40",
                     .min = 1,
                     .max = 10'000},
                    {.name = "--runs",
                     .placeholder = "N",
                     .kind = Kind::Number,
                     .help = {"passages de chaque travail, avec et sans garde",
                              "runs of each piece of work, with and without the guard"},
                     .by_default = "3",
                     .min = 1,
                     .max = 100},
                    {.name = "--fs",
                     .placeholder = "TYPE",
                     .help = {"système de fichiers", "file system"},
                     .choices = {"xfs", "btrfs", "ext4", "all"},
                     .by_default = "xfs"},
                    {.name = "--only",
                     .placeholder = "NAME",
                     .help = {"cette attaque ou ce travail seulement",
                              "this attack or piece of work alone"},
                     .many = true},
                    {.name = "--scripts",
                     .placeholder = "DIR",
                     .kind = Kind::Dir,
                     .help = {"le dossier de bench.py", "the folder of bench.py"}}},
        .examples = {{"hygie files bench --fs all --json > files.json",
                      {"La table entière, pour une machine :", "The whole table, for a machine:"}}},
        .run = bench};
}

}  // namespace

std::vector<Command> files_judge_commands() {
    return {stopped_command(), thaw_command(), enrol_command(), bench_command()};
}

}  // namespace hygie::app
