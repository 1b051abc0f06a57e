#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "app/commands/cmd_files.h"
#include "app/line/commands.h"
#include "guards/files/enforce/fence.h"
#include "guards/files/keep/store.h"
#include "host/os_error.h"

namespace hygie::app {
namespace {

/// The state, and what the guard keeps of it on other disks.
Result<std::vector<std::string>> folders_of(Context& context) {
    const std::string& state = context.values.text("--state");
    std::vector<std::string> folders{state};
    for (const files::VolumeLine& line : TRY(files::read_volumes(context.disk, state)))
        if (!line.stage.empty()) folders.push_back(parent(line.stage));
    return folders;
}

Result<int> fence(Context& context) {
    const std::vector<std::string>& words = context.values.list("COMMAND");
    TRY_STATUS(files::fence_off(TRY(folders_of(context))));
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv.front(), argv.data());
    return os_failure(errno, words.front());
}

}  // namespace

std::vector<Command> files_fence_commands() {
    return {
        {.path = {"files", "fence"},
         .summary = {"lance un programme, root compris, hors de portée des versions gardées",
                     "runs a program, root included, out of reach of the kept versions"},
         .description =
             {"Par Landlock : ni le programme ni ce qu'il lance ne peuvent ouvrir, changer ou "
              "supprimer quoi que ce soit du dossier d'état, écrire un disque directement, "
              "monter, ni (Linux 6.12) envoyer un signal au garde. Pour smbd, nfsd ou une "
              "tâche de nuit : qui s'empare d'eux, même root, n'atteint pas les versions "
              "gardées. Ce qui est créé plus tard juste à côté du dossier d'état, ou à la "
              "racine, leur est fermé aussi.",
              "By Landlock: neither the program nor what it starts can open, change or delete "
              "anything of the state folder, write a disk directly, mount, or (Linux 6.12) "
              "send the guard a signal. For smbd, nfsd or a nightly job: who takes them over, "
              "even as root, does not reach the kept versions. What is made later right "
              "beside the state folder, or at the root, is closed to them too."},
         .options = {files_state_option()},
         .arguments = {{.name = "COMMAND",
                        .help = {"le programme et ses arguments, après --",
                                 "the program and its arguments, after --"},
                        .required = true,
                        .many = true}},
         .examples = {{"hygie files fence --state /srv/hygie -- smbd --foreground",
                       {"Dans l'unité de Samba (ExecStart=) :", "In Samba's unit (ExecStart=):"}}},
         .run = fence}};
}

}  // namespace hygie::app
