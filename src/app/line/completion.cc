#include <fmt/format.h>

#include "app/line/render.h"
#include "base/check.h"

namespace hygie::app {
namespace {

/// A word in single quotes; bash and zsh read it back unchanged.
std::string quoted(std::string_view word) {
    std::string out = "'";
    for (char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

/// The same for fish, whose single quotes know two escapes.
std::string fish_quoted(std::string_view word) {
    std::string out = "'";
    for (char c : word) out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return out + "'";
}

/// All spellings of an option: {"-o", "--output"}.
std::vector<std::string> spellings(const Parameter& option) {
    std::vector<std::string> all{""};
    for (char c : option.name) {
        if (c == ',')
            all.emplace_back();
        else
            all.back() += c;
    }
    return all;
}

std::vector<const Parameter*> options_of(const Command& command) {
    std::vector<const Parameter*> all;
    all.reserve(command.options.size() + global_options().size());
    for (const Parameter& option : command.options) all.push_back(&option);
    for (const Parameter& option : global_options()) all.push_back(&option);
    return all;
}

/// What may follow: the choices, or @file, @dir, or nothing.
std::string values_of(const Parameter& parameter) {
    if (!parameter.choices.empty()) return fmt::format("{}", fmt::join(parameter.choices, " "));
    if (parameter.kind == Kind::File) return "@file";
    if (parameter.kind == Kind::Dir) return "@dir";
    return "@none";
}

/// The three tables that bash and zsh complete from, keyed by the words typed so far:
/// words (what may come next), options, and values of an option. `declare_table` is the shell's own
/// keyword.
std::string tables(Catalog catalog, std::string_view declare_table) {
    std::string words;
    std::string options;
    std::string values;
    Command root;
    std::vector<const Command*> all{&root};
    for (const Command& command : catalog) all.push_back(&command);
    for (const Command* command : all) {
        const std::string name = full_name(command->path);
        std::string next;
        for (const Command* child : children(catalog, command->path))
            next += child->path.back() + " ";
        if (next.empty() && !command->arguments.empty())
            next = values_of(command->arguments.front());
        words += fmt::format("  [{}]={}\n", quoted(name), quoted(next));
        std::string known;
        for (const Parameter* option : options_of(*command)) {
            for (const std::string& spelling : spellings(*option)) {
                known.append(spelling).append(" ");
                if (option->kind != Kind::Flag)
                    values += fmt::format("  [{}]={}\n", quoted(name + " " + spelling),
                                          quoted(values_of(*option)));
            }
        }
        options += fmt::format("  [{}]={}\n", quoted(name), quoted(known));
    }
    return fmt::format(
        "{0} _hygie_words=(\n{1})\n{0} _hygie_options=(\n{2})\n{0} _hygie_values=(\n{3})\n",
        declare_table, words, options, values);
}

constexpr std::string_view kBash = R"(
_hygie() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local at=hygie word i next
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    [[ -n ${_hygie_words["$at $word"]+known} ]] && at+=" $word"
  done
  next=${_hygie_values["$at $previous"]-}
  if [[ -z $next ]]; then
    next=${_hygie_words["$at"]}
    if [[ $current == -* ]]; then next=${_hygie_options["$at"]}; fi
  fi
  case $next in
    @file) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    @dir) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    @none) COMPREPLY=() ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$next" -- "$current") ;;
  esac
}
complete -o filenames -F _hygie hygie
)";

constexpr std::string_view kZsh = R"(
_hygie() {
  local at=hygie word next
  for word in ${words[2,CURRENT-1]}; do
    (( ${+_hygie_words[$at $word]} )) && at+=" $word"
  done
  next=${_hygie_values[$at ${words[CURRENT-1]}]-}
  if [[ -z $next ]]; then
    next=${_hygie_words[$at]}
    if [[ ${words[CURRENT]} == -* ]]; then next=${_hygie_options[$at]}; fi
  fi
  case $next in
    @file) _files ;;
    @dir) _files -/ ;;
    @none) ;;
    *) compadd -- ${=next} ;;
  esac
}
compdef _hygie hygie
)";

constexpr std::string_view kFish = R"(
function __hygie_at
  set -l at hygie
  for word in (commandline -opc)[2..-1]
    if contains -- "$at $word" $__hygie_paths
      set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
complete -c hygie -f
)";

std::string fish_option(const std::string& at, const Parameter& option, Lang lang) {
    std::string line =
        fmt::format("complete -c hygie -n {}", fish_quoted("__hygie_at " + fish_quoted(at)));
    for (const std::string& spelling : spellings(option))
        line +=
            spelling.starts_with("--") ? " -l " + spelling.substr(2) : " -s " + spelling.substr(1);
    if (option.kind != Kind::Flag) line += " -r";
    if (!option.choices.empty())
        line += " -a " + fish_quoted(fmt::format("{}", fmt::join(option.choices, " ")));
    if (option.kind == Kind::File || option.kind == Kind::Dir) line += " -F";
    return line + " -d " + fish_quoted(option.help.in(lang)) + "\n";
}

std::string fish_script(Catalog catalog, Lang lang) {
    Command root;
    std::vector<const Command*> all{&root};
    std::string script = "set -g __hygie_paths";
    for (const Command& command : catalog) {
        script += " " + fish_quoted(full_name(command.path));
        all.push_back(&command);
    }
    script += kFish;
    for (const Command* command : all) {
        const std::string at = full_name(command->path);
        const std::string condition = fish_quoted("__hygie_at " + fish_quoted(at));
        for (const Command* child : children(catalog, command->path))
            script += fmt::format("complete -c hygie -n {} -a {} -d {}\n", condition,
                                  child->path.back(), fish_quoted(child->summary.in(lang)));
        for (const Parameter* option : options_of(*command))
            script += fish_option(at, *option, lang);
        if (!command->arguments.empty() && values_of(command->arguments.front()).starts_with("@"))
            script += fmt::format("complete -c hygie -n {} -F\n", condition);
    }
    return script;
}

}  // namespace

const std::vector<std::string>& shells() {
    static const std::vector<std::string> all = {"bash", "zsh", "fish"};
    return all;
}

std::string completion_script(Catalog catalog, std::string_view shell, Lang lang) {
    if (shell == "bash")
        return "# bash completion for hygie\n" + tables(catalog, "declare -gA") +
               std::string(kBash);
    if (shell == "zsh")
        return "#compdef hygie\n" + tables(catalog, "typeset -gA") + std::string(kZsh) +
               "[[ $funcstack[1] == _hygie ]] && _hygie\n";
    HYGIE_CHECK(shell == "fish", "the command line accepts only shells()");
    return "# fish completion for hygie\n" + fish_script(catalog, lang);
}

}  // namespace hygie::app
