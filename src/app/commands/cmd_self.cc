#include "app/line/commands.h"
#include "app/line/context.h"
#include "app/line/render.h"

namespace hygie::app {
namespace {

Result<int> man(Context& context) {
    context.out << man_page(context.catalog, context.lang);
    return kExitOk;
}

Result<int> completion(Context& context) {
    context.out << completion_script(context.catalog, context.values.text("SHELL"), context.lang);
    return kExitOk;
}

}  // namespace

std::vector<Command> self_commands() {
    return {
        {.path = {"man"},
         .summary = {"écrit la page de manuel hygie(1)", "writes the manual page hygie(1)"},
         .description = {"La page décrit toutes les commandes, dans la langue demandée.",
                         "The page describes every command, in the language asked for."},
         .examples = {{"hygie man | man -l -", {"Lire le manuel :", "Read the manual:"}},
                      {"hygie --lang en man > hygie.1",
                       {"Garder la page anglaise dans un fichier :",
                        "Keep the English page in a file:"}}},
         .run = man},
        {.path = {"completion"},
         .summary = {"écrit la complétion d'un interpréteur de commandes",
                     "writes the completion of a shell"},
         .description =
             {"Chargez ce script dans votre interpréteur : la touche de tabulation propose ensuite "
              "les "
              "commandes, les options et leurs valeurs.",
              "Load this script in your shell: the tab key then offers commands, options and their "
              "values."},
         .arguments = {{.name = "SHELL",
                        .help = {"votre interpréteur", "your shell"},
                        .required = true,
                        .choices = shells()}},
         .examples = {{"source <(hygie completion bash)",
                       {"Essayer dans la session bash en cours :",
                        "Try it in the current bash session:"}},
                      {"hygie completion fish > ~/.config/fish/completions/hygie.fish",
                       {"Installer pour fish :", "Install for fish:"}},
                      {"hygie completion zsh > /usr/local/share/zsh/site-functions/_hygie",
                       {"Installer pour tous les utilisateurs de zsh :",
                        "Install for every user of zsh:"}}},
         .run = completion},
    };
}

}  // namespace hygie::app
