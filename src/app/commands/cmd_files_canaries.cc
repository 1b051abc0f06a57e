#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/commands/cmd_files.h"
#include "app/line/commands.h"
#include "base/counted.h"
#include "guards/files/enforce/canaries.h"
#include "guards/files/keep/store.h"

namespace hygie::app {
namespace {

using nlohmann::json;

using Act = Result<files::CanaryCount> (*)(Context&, files::Canaries&);

Result<files::JudgeState> state_of(Context& context, files::Absent absent) {
    const std::string& state = context.values.text("--state");
    const crypto::Secret32 key = TRY(files::state_key(files_doors(context), state, absent));
    return files::JudgeState(context.disk, context.random, state, key);
}

Result<int> carry_out(Context& context, Act act) {
    files::JudgeState state = TRY(state_of(context, files::Absent::Refuse));
    files::Canaries canaries(context.disk, context.random, state);
    const files::CanaryCount count = TRY(act(context, canaries));
    if (context.json)
        context.out << json{{"standing", count.standing},
                            {"planted", count.planted},
                            {"removed", count.removed},
                            {"missing", count.missing},
                            {"changed", count.changed}}
                    << "\n";
    else
        context.out << context.say(counted(
            {"{} en place, {} [planté|plantés], {} [retiré|retirés] ; {} [avait|avaient] disparu, "
             "{} [avait été modifié et n'est plus un témoin|avaient été modifiés et ne sont plus "
             "des témoins]\n",
             "{} [stands|stand], {} planted, {} removed; {} had gone, {} had been changed and "
             "[is a canary|are canaries] no more\n"},
            {count.standing, count.planted, count.removed, count.missing, count.changed}));
    return kExitOk;
}

Result<int> plant(Context& context) {
    return carry_out(context, [](Context& with, files::Canaries& canaries) {
        const auto folders = static_cast<std::size_t>(with.values.number("--folders"));
        return canaries.plant(with.values.list("--protect"), folders);
    });
}

Result<int> remove(Context& context) {
    return carry_out(context,
                     [](Context&, files::Canaries& canaries) { return canaries.remove(); });
}

Result<int> look(Context& context) {
    return carry_out(context, [](Context&, files::Canaries& canaries) { return canaries.look(); });
}

Command plant_command() {
    return {.path = {"files", "canaries", "plant"},
            .summary = {"plante des fichiers témoins, ou renouvelle ceux qui manquent",
                        "plants canary files, or renews those that are missing"},
            .description =
                {"Deux documents par dossier, d'apparence ordinaire, nommés pour être lus le "
                 "premier et le dernier : qui en rend un illisible est arrêté aussitôt. Les "
                 "supprimer, les déplacer ou les convertir n'arrête personne. Prévenez l'équipe : "
                 "personne n'en a besoin.",
                 "Two documents a folder that look ordinary, named to be met first and last: who "
                 "makes one unreadable is stopped at once. Deleting, moving or converting them "
                 "stops nobody. Tell the team: nobody needs them."},
            .options = {files_state_option(),
                        {.name = "--protect",
                         .placeholder = "DIR",
                         .kind = Kind::Dir,
                         .help = {"un dossier gardé", "a guarded folder"},
                         .required = true,
                         .many = true},
                        {.name = "--folders",
                         .placeholder = "N",
                         .kind = Kind::Number,
                         .help = {"dans combien de ses dossiers : le premier, le dernier, d'autres "
                                  "au hasard",
                                  "in how many of its folders: the first, the last, others by "
                                  "chance"},
                         .by_default = "20",
                         .min = 1,
                         .max = files::Canaries::kFoldersMax}},
            .examples = {{"hygie files canaries plant --state /srv/hygie --protect /srv/partage",
                          {"Une fois, puis chaque mois :", "Once, then every month:"}}},
            .run = plant};
}

}  // namespace

std::vector<Command> files_canaries_commands() {
    return {{.path = {"files", "canaries"},
             .summary = {"les fichiers témoins d'un partage", "the canary files of a share"},
             .description = {"Des leurres parmi les fichiers, que personne n'a de raison de "
                             "modifier. Il n'y en a pas tant qu'on n'en plante pas.",
                             "Decoys among the files, which nobody has a reason to change. There "
                             "are none until they are planted."}},
            plant_command(),
            {.path = {"files", "canaries", "remove"},
             .summary = {"retire tous les fichiers témoins", "takes all canary files away"},
             .description = {"Sauf ceux où quelqu'un a écrit : ils sont à lui.",
                             "But those that somebody wrote into: they are theirs."},
             .options = {files_state_option()},
             .examples = {{"hygie files canaries remove --state /srv/hygie",
                           {"On n'en veut plus :", "They are not wanted any more:"}}},
             .run = remove},
            {.path = {"files", "canaries", "status"},
             .summary = {"dit comment se portent les fichiers témoins",
                         "says how the canary files are"},
             .description = {"Ceux qui sont en place, disparus, modifiés.",
                             "Those that stand, have gone, were changed."},
             .options = {files_state_option()},
             .examples = {{"hygie files canaries status --state /srv/hygie",
                           {"Sont-ils tous là ?", "Are they all there?"}}},
             .run = look}};
}

}  // namespace hygie::app
