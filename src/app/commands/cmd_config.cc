#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/line/commands.h"
#include "app/line/config.h"
#include "app/line/context.h"

namespace hygie::app {
namespace {

Result<int> print_default(Context& context) {
    context.out << default_config(context.lang);
    return kExitOk;
}

Result<int> check(Context& context) {
    const std::string& path = context.values.text("FILE");
    const Bytes bytes = TRY(context.disk.read_file(path, kConfigBytesMax));
    const CheckedConfig checked = check_config(as_text(bytes), context.disk);
    const int code = checked.issues.empty() ? kExitOk : kExitFailed;
    for (const std::string& key : checked.idle) context.err << context.say(idle_warning(path, key));
    if (context.json) {
        nlohmann::json issues = nlohmann::json::array();
        for (const ConfigIssue& issue : checked.issues)
            issues.push_back({{"line", issue.line},
                              {"column", issue.column},
                              {"what", context.say(issue.what)},
                              {"remedy", context.say(issue.remedy)}});
        const nlohmann::json report = {{"file", path}, {"ok", code == kExitOk}, {"issues", issues}};
        context.out << report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                    << "\n";
        return code;
    }
    for (const ConfigIssue& issue : checked.issues)
        context.out << fmt::format("{}:{}:{}: {}\n  → {}\n", path, issue.line, issue.column,
                                   context.say(issue.what), context.say(issue.remedy));
    if (code == kExitOk)
        context.out << path << context.say({" : rien à redire\n", ": nothing wrong\n"});
    return code;
}

}  // namespace

std::vector<Command> config_commands() {
    return {
        {.path = {"config"},
         .summary = {"le fichier de configuration de « hygie serve »",
                     "the configuration file of 'hygie serve'"},
         .description = {"Un fichier TOML règle « hygie serve » ; les autres commandes se règlent "
                         "par leurs options. Tout a une valeur par défaut : un fichier vide "
                         "convient.",
                         "A TOML file sets 'hygie serve'; the other commands are set by their "
                         "options. Everything has a default: an empty file will do."}},
        {.path = {"config", "default"},
         .summary = {"écrit un fichier de configuration commenté",
                     "writes a commented configuration file"},
         .description =
             {"Chaque réglage y est expliqué, avec son type, ses bornes et sa valeur par défaut.",
              "It explains each setting, with its type, bounds and default."},
         .examples = {{"hygie config default > hygie.toml",
                       {"Partir d'un fichier complet :", "Start from a complete file:"}}},
         .run = print_default},
        {.path = {"config", "check"},
         .summary = {"vérifie un fichier de configuration", "checks a configuration file"},
         .description =
             {"Dit tout ce qui ne va pas, avec la ligne et la colonne : réglages inconnus, types, "
              "bornes, "
              "fichiers absents, valeurs qui se contredisent. Termine par 1 s'il y a une erreur.",
              "Says all that is wrong, with line and column: unknown settings, types, bounds, "
              "missing "
              "files, values that contradict each other. Ends with 1 if anything is."},
         .arguments = {{.name = "FILE",
                        .kind = Kind::File,
                        .help = {"le fichier à vérifier", "the file to check"},
                        .required = true}},
         .examples = {{"hygie config check /etc/hygie/hygie.toml",
                       {"Vérifier avant de redémarrer le service :",
                        "Check before restarting the service:"}},
                      {"hygie --json config check hygie.toml",
                       {"La même chose pour un programme :", "The same for a program:"}}},
         .run = check},
    };
}

}  // namespace hygie::app
