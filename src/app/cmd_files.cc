#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/cmd_files.h"
#include "app/commands.h"
#include "guards/files/guard.h"
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
    context.out << context.say({fmt::format("prêt : {} fichiers gardés, {} illisibles\n",
                                            found.files, found.failures),
                                fmt::format("ready: {} files guarded, {} unreadable\n", found.files,
                                            found.failures)})
                << std::flush;
}

Result<int> guard(Context& context) {
    files::NoJudge judge;
    files::GuardSettings settings;
    settings.protected_dirs = context.values.list("--protect");
    settings.state = context.values.text("--state");
    if (context.values.text("--events") == "permission")
        settings.want = files::Groups::Want::PermissionOnly;
    const auto running = TRY(files::Guard::start(files_doors(context), settings, judge, nullptr));
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
                        {.name = "--events",
                         .placeholder = "KIND",
                         .help = {"best : avant contenu si le noyau sait (Linux 6.14) ; "
                                  "permission : seulement à l'ouverture",
                                  "best: before content where the kernel can (Linux 6.14); "
                                  "permission: at opening alone"},
                         .choices = {"best", "permission"},
                         .by_default = "best"}},
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

std::vector<Command> files_commands() {
    return {{.path = {"guard"},
             .summary = {"les gardes, chacun à sa porte", "the guards, each at its door"},
             .description = {"Un garde observe, juge, agit, et laisse une trace de tout.",
                             "A guard observes, judges, acts, and leaves a trace of everything."}},
            guard_command()};
}

}  // namespace hygie::app
