#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/commands/cmd_files.h"
#include "app/house/files_spool.h"
#include "app/line/commands.h"
#include "base/counted.h"
#include "guards/files/enforce/confine.h"
#include "guards/files/enforce/judge_office.h"
#include "guards/files/enforce/programs.h"
#include "guards/files/guard.h"
#include "host/log.h"
#include "host/service.h"

namespace hygie::app {
namespace {

constexpr auto kLookInterval = std::chrono::seconds(1);

void announce(Context& context, const files::Guard& guard) {
    const files::ScanResult& found = guard.scanned();
    if (context.json) {
        nlohmann::json ready = {{"ready", true},
                                {"files", found.files},
                                {"bytes", found.bytes},
                                {"not_kept", found.failures},
                                {"took_over", guard.took_over()},
                                {"protected", nlohmann::json::array()}};
        for (const files::Protection& p : guard.protections())
            ready["protected"].push_back({{"dir", p.dir},
                                          {"type", p.type},
                                          {"pre_content", p.pre_content},
                                          {"clones", p.clones},
                                          {"says", context.say(p.says)}});
        context.out << ready.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n"
                    << std::flush;
        return;
    }
    for (const files::Protection& p : guard.protections())
        context.err << fmt::format("{} ({}): {}\n", p.dir, p.type, context.say(p.says));
    if (found.other_mounts > 0)
        context.err << context.say(
            {"attention : d'autres systèmes de fichiers sont montés dessous, ils ne sont pas "
             "gardés ; nommez-les par --protect\n",
             "warning: other file systems are mounted below, they are not guarded; name them by "
             "--protect\n"});
    context.out << context.say(counted(
                       {"prêt : {} [fichier gardé|fichiers gardés], {} [illisible|illisibles]\n",
                        "ready: {} [file|files] guarded, {} unreadable\n"},
                       {found.files, found.failures}))
                << std::flush;
}

/// The judge, and where its events go. The spool outlives the judge.
struct Judging {
    std::unique_ptr<FilesSpool> spool;
    std::unique_ptr<files::JudgeOffice> office;
};

std::string given(Context& context, std::string_view name) {
    return context.values.has(name) ? context.values.text(name) : std::string();
}

Result<Judging> open_judge(Context& context, const std::string& state) {
    const files::StatePaths paths(state);
    const crypto::Secret32 key =
        TRY(files::state_key(files_doors(context), state, files::Absent::Make));
    Judging judging;
    auto spool = FilesSpool::open(context, paths.spool, key);
    if (!spool && spool.error().code == Code::Busy)
        return fail(
            Code::Busy,
            {"un autre garde tient déjà cet état", "another guard holds this state already"},
            {"arrêtez-le d'abord (systemctl stop hygie-files), ou donnez un autre --state",
             "stop it first (systemctl stop hygie-files), or give another --state"});
    judging.spool = TRY(std::move(spool));
    files::JudgeOffice::Settings settings{.state = state,
                                          .smb_conf = given(context, "--smb-conf"),
                                          .tool_policy = files::ToolPolicy::Report,
                                          .tools = given(context, "--tools"),
                                          .canaries = context.values.list("--canary"),
                                          .sink = judging.spool->sink()};
    const std::string& policy = context.values.text("--remote-tools");
    if (policy == "refuse") settings.tool_policy = files::ToolPolicy::Refuse;
    if (policy == "allow") settings.tool_policy = files::ToolPolicy::Allow;
    judging.office = TRY(files::JudgeOffice::open(
        {context.disk, context.clock, context.random, context.process}, settings, key));
    return judging;
}

/// The core's orders become those that a person here could give.
void connect_core(Context& context, const Judging& judging) {
    if (!context.values.has("--core")) return;
    judging.spool->connect(
        context, context.values.text("--core"),
        [&office = *judging.office](const event::Order& order) { return office.obey(order); });
}

/// Programs of remote control, wherever on this machine; null when they are nobody's business.
/// Without it those in the share are met all the same.
std::unique_ptr<files::Programs> open_programs(Context& context) {
    const std::string& policy = context.values.text("--remote-tools");
    if (policy == "allow" || context.values.text("--judge") == "off") return nullptr;
    const auto how =
        policy == "refuse" ? files::Programs::How::Refuse : files::Programs::How::Report;
    std::vector<std::string> dirs = context.values.list("--protect");
    for (std::string& dir : dirs) dir = spelled(dir);
    auto programs = files::Programs::start(how, std::move(dirs));
    if (programs) return std::move(*programs);
    log::warning("files.programs-unwatched", programs.error());
    return nullptr;
}

void meet_programs(files::Programs* programs, files::JudgeDesk& desk) {
    if (programs == nullptr) return;
    programs->meet_all({.recognise = [&desk](const auto& change) { return desk.tool_of(change); },
                        .is_wanted = [&desk](const auto& change) { return desk.is_wanted(change); },
                        .report = [&desk](const auto& change,
                                          const auto& tool) { desk.report_tool(change, tool); }});
}

Result<int> guard(Context& context) {
    files::GuardSettings settings;
    settings.protected_dirs = context.values.list("--protect");
    const files::Anchor state =
        TRY(files::Anchor::at(context.disk, context.values.text("--state")));
    settings.state = &state;
    if (context.values.text("--events") == "permission")
        settings.want = files::Groups::Want::PermissionOnly;
    // First of all: its thread has descriptors of its own.
    auto programs = open_programs(context);
    const auto judging = TRY(open_judge(context, state.path()));
    settings.held = judging.office->held();
    files::NoJudge nobody;
    const bool is_judged = context.values.text("--judge") == "on";
    if (const Status confined = files::confine_guard(); !confined)
        log::warning("files.not-confined", confined.error());
    // Whoever ends a guard that is starting is heard once it stands: its deadman would hold writes.
    context.expect_stop();
    const auto running = TRY(files::Guard::start(
        files_doors(context), settings,
        is_judged ? judging.office->door() : static_cast<files::JudgeDoor&>(nobody),
        judging.office->sessions()));
    judging.office->start([&gate = running->gate()] { gate.heed_all(); });
    // The judge calls the gate: it ends first.
    const auto end = [](files::JudgeOffice* office) { office->desk().stop(); };
    const std::unique_ptr<files::JudgeOffice, decltype(end)> ends(judging.office.get(), end);
    connect_core(context, judging);
    // It ends before the judge whom it asks.
    const auto met = std::move(programs);
    meet_programs(met.get(), judging.office->desk());
    announce(context, *running);
    notify_service("READY=1");
    Status ended;
    const std::jthread watch([&](const std::stop_token& stop) {
        while (!stop.stop_requested() && ended) {
            std::this_thread::sleep_for(kLookInterval);
            ended = running->look_after();
            notify_service("WATCHDOG=1");
            // Ends the wait below.
            if (!ended) (void)std::raise(SIGTERM);
        }
    });
    context.wait_for_stop();
    notify_service("STOPPING=1");
    if (!ended) return std::unexpected(ended.error());
    return kExitOk;
}

Command guard_command() {
    return {.path = {"guard", "files"},
            .summary = {"garde les fichiers d'un partage : rien n'est perdu, tout se restaure",
                        "guards the files of a share: nothing is lost, everything comes back"},
            .description = {"Avant qu'un octet d'un fichier protégé ne change, sa version est "
                            "mise à l'abri.",
                            "Before a byte of a protected file changes, its version is made safe."},
            .options = {{.name = "--protect",
                         .placeholder = "DIR",
                         .kind = Kind::Dir,
                         .help = {"un dossier à protéger, avec tout ce qu'il contient",
                                  "a folder to protect, with all it holds"},
                         .required = true,
                         .many = true},
                        files_state_option(),
                        {.name = "--judge",
                         .placeholder = "HOW",
                         .help = {"off : garder et restaurer seulement, n'arrêter personne",
                                  "off: keep and restore alone, stop nobody"},
                         .choices = {"on", "off"},
                         .by_default = "on"},
                        {.name = "--events",
                         .placeholder = "KIND",
                         .help = {"best : avant contenu si le noyau sait (Linux 6.14) ; "
                                  "permission : seulement à l'ouverture",
                                  "best: before content where the kernel can (Linux 6.14); "
                                  "permission: at opening alone"},
                         .choices = {"best", "permission"},
                         .by_default = "best"},
                        {.name = "--canary",
                         .placeholder = "FILE",
                         .kind = Kind::File,
                         .help = {"un fichier témoin, que personne n'a de raison de modifier",
                                  "a canary file, which nobody has a reason to change"},
                         .many = true},
                        {.name = "--remote-tools",
                         .placeholder = "POLICY",
                         .help = {"un outil de prise en main à distance inconnu, où qu'il soit sur "
                                  "cette machine : allow, report (signaler), refuse (ne s'exécute "
                                  "pas)",
                                  "an unknown tool of remote control, wherever it is on this "
                                  "machine: allow, report, refuse (it does not run)"},
                         .choices = {"allow", "report", "refuse"},
                         .by_default = "report"},
                        {.name = "--tools",
                         .placeholder = "FILE",
                         .kind = Kind::File,
                         .help = {"d'autres outils à reconnaître : « nom | programmes | marques »",
                                  "more tools to recognise: 'name | programs | markers'"}},
                        {.name = "--smb-conf",
                         .placeholder = "FILE",
                         .kind = Kind::File,
                         .help = {"le smb.conf du serveur Samba, quand ce n'est pas le sien",
                                  "the smb.conf of the Samba server, when it is not its own"}},
                        {.name = "--core",
                         .placeholder = "SOCKET",
                         .kind = Kind::File,
                         .help = {"le cœur à qui remettre les événements ; ils attendent dans "
                                  "DIR/spool",
                                  "the core that takes the events; they wait in DIR/spool"}}},
            .examples = {{"hygie guard files --protect /srv/partage --state /srv/hygie",
                          {"Un partage, l'état sur le même disque :",
                           "A share, the state on the same disk:"}}},
            .run = guard};
}

}  // namespace

Parameter files_state_option() {
    return {.name = "--state",
            .placeholder = "DIR",
            .kind = Kind::Dir,
            .help = {"le dossier d'état du garde : clé, registre, versions gardées",
                     "the guard's state folder: key, log, kept versions"},
            .required = true};
}

files::StoreDoors files_doors(Context& context) {
    return {context.disk, context.clock, context.random};
}

std::string spelled(const std::string& path) {
    std::error_code error;
    const std::filesystem::path whole = std::filesystem::absolute(path, error);
    std::string text =
        (std::filesystem::weakly_canonical(whole.parent_path(), error) / whole.filename()).string();
    while (text.size() > 1 && text.ends_with('/')) text.pop_back();
    return text;
}

std::vector<Command> files_commands() {
    return {{.path = {"guard"},
             .summary = {"les gardes, chacun à sa porte", "the guards, each at its door"},
             .description = {"Un garde observe, juge, agit, et laisse une trace de tout.",
                             "A guard observes, judges, acts, and leaves a trace of everything."}},
            guard_command()};
}

}  // namespace hygie::app
