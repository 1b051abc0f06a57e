#include <fmt/format.h>

#include <algorithm>

#include "app/line/columns.h"
#include "app/line/render.h"

namespace hygie::app {
namespace {

constexpr std::size_t kPageColumns = 80;
constexpr std::size_t kNameColumns = 26;

/// Where the word that begins at `at` ends: French punctuation stands behind a blank, « before one,
/// and neither may be torn from its word.
std::size_t end_of_word(std::string_view row, std::size_t at) {
    constexpr std::string_view kOpening = "«";
    std::size_t end = std::min(row.find(' ', at), row.size());
    while (end < row.size()) {
        const std::string_view behind = row.substr(end + 1);
        const bool is_bound = row.substr(at, end - at).ends_with(kOpening) ||
                              behind.starts_with("»") || behind.find_first_of(":;?!%") == 0;
        if (!is_bound) break;
        end = std::min(row.find(' ', end + 1), row.size());
    }
    return end;
}

/// The text in lines of at most kPageColumns, each indented; an empty line separates paragraphs. A
/// line that starts with a blank is an example and is left as it is.
std::string wrap(std::string_view text, std::size_t indent) {
    std::string page;
    std::string line;
    const auto flush = [&] {
        if (!line.empty()) page += std::string(indent, ' ') + line + "\n";
        line.clear();
    };
    while (!text.empty()) {
        const std::string_view row = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), row.size() + 1));
        if (row.empty() || row.starts_with(' ')) {
            flush();
            page += row.empty() ? "\n" : std::string(indent, ' ') + std::string(row) + "\n";
            continue;
        }
        for (std::size_t at = 0; at < row.size();) {
            const std::size_t end = end_of_word(row, at);
            const std::string_view word = row.substr(at, end - at);
            if (!line.empty() && indent + columns_of(line) + 1 + columns_of(word) > kPageColumns)
                flush();
            line += (line.empty() ? "" : " ") + std::string(word);
            at = end + 1;
        }
    }
    flush();
    return page;
}

/// "  name        meaning", the meaning wrapped in its own column.
std::string entry(std::string_view name, std::string_view meaning) {
    std::string right = wrap(meaning, kNameColumns);
    const std::string left = "  " + std::string(name);
    if (columns_of(left) + 2 > kNameColumns) return left + "\n" + right;
    return left + std::string(kNameColumns - columns_of(left), ' ') +
           right.substr(std::min(right.size(), kNameColumns));
}

std::string parameters(const Text& title, const std::vector<Parameter>& list, Lang lang) {
    if (list.empty()) return "";
    std::string page = "\n" + title.in(lang) + "\n";
    for (const Parameter& parameter : list)
        page += entry(spelling(parameter), explained(parameter, lang));
    return page;
}

std::string examples(const Command& command, Lang lang) {
    if (command.examples.empty()) return "";
    std::string page = "\n" + Text{"Exemples :", "Examples:"}.in(lang) + "\n";
    bool first = true;
    for (const Example& example : command.examples) {
        page +=
            (first ? "" : "\n") + wrap(example.what.in(lang), 2) + "    $ " + example.line + "\n";
        first = false;
    }
    return page;
}

std::string subcommands(Catalog catalog, std::span<const std::string> path, Lang lang) {
    std::string page = "\n" + Text{"Commandes :", "Commands:"}.in(lang) + "\n";
    for (const Command* child : children(catalog, path))
        page += entry(child->path.back(), child->summary.in(lang));
    return page;
}

std::string overview(Catalog catalog, Lang lang) {
    std::string page =
        Text{"hygie — garde une organisation de soins : des preuves que chacun peut vérifier",
             "hygie — guards a care organisation: evidence anyone can check"}
            .in(lang) +
        "\n\n" + Text{"Usage : ", "Usage: "}.in(lang) +
        Text{"hygie COMMANDE [OPTIONS]", "hygie COMMAND [OPTIONS]"}.in(lang) + "\n";
    page += subcommands(catalog, {}, lang);
    page += parameters({"Options de toute commande :", "Options of every command:"},
                       global_options(), lang);
    page += "\n" + Text{"Codes de sortie :", "Exit codes:"}.in(lang) + "\n";
    for (const auto& [code, meaning] : exit_codes())
        page += entry(std::to_string(code), meaning.in(lang));
    page += "\n" +
            Text{"« hygie COMMANDE --help » explique une commande et donne des exemples.",
                 "'hygie COMMAND --help' explains a command and gives examples."}
                .in(lang) +
            "\n";
    return page;
}

}  // namespace

std::string usage_line(const Command& command) {
    std::string line = full_name(command.path);
    for (const Parameter& option : command.options)
        if (option.required) line += fmt::format(" {} {}", option.key(), option.placeholder);
    if (std::ranges::any_of(command.options, [](const Parameter& o) { return !o.required; }))
        line += " [OPTIONS]";
    for (const Parameter& argument : command.arguments) {
        const std::string name = argument.name + (argument.many ? "…" : "");
        line += argument.required ? " " + name : " [" + name + "]";
    }
    return line;
}

std::string spelling(const Parameter& parameter) {
    std::string text;
    for (char c : parameter.name) text += c == ',' ? std::string(", ") : std::string(1, c);
    if (!parameter.is_argument() && parameter.kind != Kind::Flag)
        text += " " + parameter.placeholder;
    return text;
}

std::string explained(const Parameter& parameter, Lang lang) {
    std::string text = parameter.help.in(lang);
    const bool french = lang == Lang::Fr;
    if (!parameter.choices.empty())
        text += fmt::format(
            "{}{}", french ? " ; au choix : " : "; one of: ", fmt::join(parameter.choices, ", "));
    if (!parameter.by_default.empty())
        text +=
            fmt::format("{}{})", french ? " (par défaut : " : " (default: ", parameter.by_default);
    if (parameter.required && !parameter.is_argument())
        text += french ? " (obligatoire)" : " (required)";
    return text;
}

const std::vector<std::pair<int, Text>>& exit_codes() {
    static const std::vector<std::pair<int, Text>> codes = {
        {kExitOk, {"tout s'est bien passé", "all went well"}},
        {kExitFailed,
         {"une vérification a échoué ou une donnée a été refusée",
          "a check failed or an input was refused"}},
        {kExitUsage, {"la ligne de commande est incorrecte", "the command line is wrong"}},
        {kExitEnvironment,
         {"disque, réseau ou verrou : la même commande peut réussir plus tard",
          "disk, network or lock: the same command may succeed later"}},
    };
    return codes;
}

std::string help_page(Catalog catalog, std::span<const std::string> path, Lang lang) {
    const Command* const command = find(catalog, path);
    if (command == nullptr) return overview(catalog, lang);
    std::string page = wrap(full_name(path) + " — " + command->summary.in(lang), 0) + "\n";
    page += Text{"Usage : ", "Usage: "}.in(lang) +
            (command->is_group() ? full_name(path) + Text{" COMMANDE", " COMMAND"}.in(lang)
                                 : usage_line(*command)) +
            "\n";
    if (!command->description.in(lang).empty())
        page += "\n" + wrap(command->description.in(lang), 0);
    if (command->is_group())
        return page + subcommands(catalog, path, lang) + examples(*command, lang);
    page += parameters({"Arguments :", "Arguments:"}, command->arguments, lang);
    page += parameters({"Options :", "Options:"}, command->options, lang);
    page += parameters({"Options de toute commande :", "Options of every command:"},
                       global_options(), lang);
    return page + examples(*command, lang);
}

}  // namespace hygie::app
