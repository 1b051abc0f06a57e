#include "app/line/command.h"

#include <algorithm>

namespace hygie::app {

const std::vector<Parameter>& global_options() {
    static const std::vector<Parameter> options = {
        {.name = "--lang",
         .placeholder = "LANG",
         .help = {"langue des textes ; sinon LC_ALL, LC_MESSAGES ou LANG, et le français à défaut",
                  "language of the texts; otherwise LC_ALL, LC_MESSAGES or LANG, and French by "
                  "default"},
         .choices = {"fr", "en"}},
        {.name = "--json",
         .kind = Kind::Flag,
         .help = {"écrit le résultat et les erreurs en JSON", "writes results and errors as JSON"}},
        {.name = "-h,--help", .kind = Kind::Flag, .help = {"montre cette aide", "shows this help"}},
        {.name = "--version",
         .kind = Kind::Flag,
         .help = {"montre la version", "shows the version"}},
    };
    return options;
}

std::string full_name(std::span<const std::string> path) {
    std::string name = "hygie";
    for (const std::string& word : path) name += " " + word;
    return name;
}

const Command* find(Catalog catalog, std::span<const std::string> path) {
    const auto found = std::ranges::find_if(
        catalog, [&](const Command& command) { return std::ranges::equal(command.path, path); });
    return found == catalog.end() ? nullptr : &*found;
}

std::vector<const Command*> children(Catalog catalog, std::span<const std::string> path) {
    std::vector<const Command*> found;
    for (const Command& command : catalog) {
        const std::span<const std::string> words = command.path;
        if (words.size() == path.size() + 1 && std::ranges::equal(words.first(path.size()), path))
            found.push_back(&command);
    }
    return found;
}

}  // namespace hygie::app
