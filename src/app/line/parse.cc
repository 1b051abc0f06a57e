#include "app/line/parse.h"

#include <fmt/format.h>

// The only file that knows CLI11: it costs seconds to compile.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "app/line/nearest.h"

namespace hygie::app {
namespace {

using Given = std::map<std::string, std::vector<std::string>, std::less<>>;

std::unexpected<Error> usage(Text what, Text remedy) {
    return fail(Code::BadInput, std::move(what), std::move(remedy));
}

/// "did you mean X?", or where to look when nothing is near.
Text suggest(const std::string& near, std::span<const std::string> path) {
    const std::string help = full_name(path) + " --help";
    if (near.empty()) return {fmt::format("voyez « {} »", help), fmt::format("see '{}'", help)};
    return {fmt::format("vouliez-vous dire « {} » ? sinon voyez « {} »", near, help),
            fmt::format("did you mean '{}'? otherwise see '{}'", near, help)};
}

/// Walks from the root to the command that the leading words name. Global options may stand between
/// the words. The words walked over are removed from `args`.
Result<std::vector<std::string>> take_path(Catalog catalog, std::vector<std::string>& args) {
    std::vector<std::string> path;
    std::size_t at = 0;
    while (at < args.size()) {
        const std::string& word = args[at];
        if (word == "--lang") {
            at += 2;
        } else if (word.starts_with("-")) {
            ++at;
        } else {
            const std::vector<const Command*> below = children(catalog, path);
            if (below.empty()) break;
            std::vector<std::string> names;
            names.reserve(below.size());
            for (const Command* child : below) names.push_back(child->path.back());
            if (std::ranges::find(names, word) == names.end())
                return usage({fmt::format("commande inconnue : « {} »", word),
                              fmt::format("unknown command: '{}'", word)},
                             suggest(nearest(word, names), path));
            path.push_back(word);
            args.erase(args.begin() + static_cast<std::ptrdiff_t>(at));
        }
    }
    return path;
}

Text bad_value(const Parameter& parameter, const std::string& value) {
    return {fmt::format("valeur refusée pour {} : « {} »", parameter.key(), value),
            fmt::format("value refused for {}: '{}'", parameter.key(), value)};
}

Status check_number(const Parameter& parameter, const std::string& value) {
    const Result<std::uint64_t> number = parse_number(value);
    if (!number) return usage(bad_value(parameter, value), number.error().remedy);
    if (*number >= parameter.min && *number <= parameter.max) return {};
    return usage(bad_value(parameter, value),
                 {fmt::format("donnez un nombre entre {} et {}", parameter.min, parameter.max),
                  fmt::format("give a number between {} and {}", parameter.min, parameter.max)});
}

Status check_value(const Parameter& parameter, const std::string& value) {
    if (parameter.required && value.find_first_not_of(" \t\r\n") == value.npos)
        return usage({fmt::format("{} est vide", parameter.key()),
                      fmt::format("{} is empty", parameter.key())},
                     {"donnez-lui une valeur", "give it a value"});
    if (!parameter.choices.empty() &&
        std::ranges::find(parameter.choices, value) == parameter.choices.end()) {
        const std::string all = fmt::format("{}", fmt::join(parameter.choices, ", "));
        return usage(bad_value(parameter, value),
                     {"choisissez parmi : " + all, "choose among: " + all});
    }
    if (parameter.kind == Kind::Number) return check_number(parameter, value);
    if (parameter.kind == Kind::Duration) {
        const Result<Micros> duration = parse_duration(value);
        if (!duration) return usage(bad_value(parameter, value), duration.error().remedy);
    }
    return {};
}

Status check_values(const Command& command, const Given& given) {
    for (const std::vector<Parameter>* list :
         {&command.options, &command.arguments, &global_options()}) {
        for (const Parameter& parameter : *list) {
            const auto found = given.find(parameter.key());
            const bool absent = found == given.end() || found->second.empty();
            if (absent && parameter.required)
                return usage({fmt::format("il manque {}", parameter.key()),
                              fmt::format("{} is missing", parameter.key())},
                             suggest("", command.path));
            if (absent || parameter.kind == Kind::Flag) continue;
            for (const std::string& value : found->second)
                TRY_STATUS(check_value(parameter, value));
        }
    }
    return {};
}

/// `words` is the length of the command line: an argument that takes all that is left takes at most
/// that many.
CLI::Option* declare(CLI::App& cli, const Parameter& parameter, int words) {
    if (parameter.kind == Kind::Flag)
        return cli.add_flag(parameter.name)
            ->disable_flag_override()
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    CLI::Option* option = cli.add_option(parameter.name);
    if (parameter.many) option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    // "Extra" values, CLI11's own way to take many, would read "[a,b]" as a list.
    return option->expected(parameter.many && parameter.is_argument() ? words : 1)
        ->allow_extra_args(false);
}

/// An error of CLI11 as one of ours.
std::unexpected<Error> explain(const Command& command, const CLI::App& cli,
                               const CLI::ParseError& error) {
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
        const std::vector<std::string> extras = cli.remaining();
        const std::string extra = extras.empty() ? "" : extras.front();
        if (!extra.starts_with("-"))
            return usage({fmt::format("argument en trop : « {} »", extra),
                          fmt::format("unexpected argument: '{}'", extra)},
                         suggest("", command.path));
        std::vector<std::string> known;
        for (const std::vector<Parameter>* list : {&command.options, &global_options()})
            for (const Parameter& option : *list) known.emplace_back(option.key());
        return usage({fmt::format("option inconnue : « {} »", extra),
                      fmt::format("unknown option: '{}'", extra)},
                     suggest(nearest(extra.substr(0, extra.find('=')), known), command.path));
    }
    // Left: a value missing, given twice, or given to a flag. CLI11 starts its message with the
    // option's name, without dashes for a flag.
    const std::string message = error.what();
    std::string name = message.substr(0, message.find_first_of(": "));
    if (!name.starts_with("-")) name.insert(0, name.size() == 1 ? "-" : "--");
    return usage({fmt::format("mauvais nombre de valeurs pour {}", name),
                  fmt::format("wrong number of values for {}", name)},
                 suggest("", command.path));
}

Result<Given> read_values(const Command& command, const std::vector<std::string>& args) {
    CLI::App cli;
    cli.set_help_flag();
    std::vector<std::pair<const Parameter*, CLI::Option*>> declared;
    for (const std::vector<Parameter>* list :
         {&global_options(), &command.options, &command.arguments})
        for (const Parameter& parameter : *list)
            declared.emplace_back(&parameter,
                                  declare(cli, parameter, static_cast<int>(args.size()) + 1));
    try {
        cli.parse(std::vector<std::string>(args.rbegin(), args.rend()));
    } catch (const CLI::ParseError& error) {
        return explain(command, cli, error);
    }
    Given given;
    for (const auto& [parameter, option] : declared)
        given[std::string(parameter->key())] = option->results();
    return given;
}

bool wants_only_help(const std::vector<std::string>& args) {
    for (const std::string& word : args) {
        if (word == "--") return false;
        if (word == "-h" || word == "--help") return true;
    }
    return false;
}

/// The value of --lang, the last one; what follows "--" belongs to another program.
std::string lang_given(const std::vector<std::string>& args) {
    std::string name;
    for (std::size_t i = 0; i < args.size() && args[i] != "--"; ++i) {
        if (args[i] == "--lang" && i + 1 < args.size()) name = args[i + 1];
        if (args[i].starts_with("--lang=")) name = args[i].substr(7);
    }
    return name;
}

const Parameter& lang_option() {
    return *std::ranges::find(global_options(), "--lang", &Parameter::key);
}

/// Help and version are shown whatever else the line says, but not in another language than asked.
Status check_lang(const std::vector<std::string>& args) {
    const std::string name = lang_given(args);
    return name.empty() ? Status() : check_value(lang_option(), name);
}

}  // namespace

Result<Request> parse(Catalog catalog, const std::vector<std::string>& args) {
    Request request;
    std::vector<std::string> rest = args;
    request.path = TRY(take_path(catalog, rest));
    request.command = find(catalog, request.path);
    // Help is given even when the rest of the line is not right yet: that is when it is needed.
    request.help = wants_only_help(rest);
    TRY_STATUS(check_lang(rest));
    if (request.help) return request;

    const Command root;
    const Command& command = request.command != nullptr ? *request.command : root;
    Given given = TRY(read_values(command, rest));
    request.json = !given["--json"].empty();
    request.version = !given["--version"].empty();
    if (request.version) return request;
    TRY_STATUS(check_values(command, given));
    for (const Parameter& global : global_options()) given.erase(std::string(global.key()));
    request.values = Values(command, std::move(given));
    return request;
}

Lang choose_lang(const std::vector<std::string>& args, Process& process) {
    std::string name = check_lang(args) ? lang_given(args) : "";
    for (const char* variable : {"LC_ALL", "LC_MESSAGES", "LANG"})
        if (name.empty()) name = process.environment(variable);
    return name.starts_with("en") ? Lang::En : Lang::Fr;
}

bool wants_json(const std::vector<std::string>& args) {
    return std::ranges::find(args, "--json") != args.end();
}

}  // namespace hygie::app
