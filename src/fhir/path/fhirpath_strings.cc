#include <re2/re2.h>

#include <algorithm>
#include <string>

#include "fhir/path/fhirpath_machine.h"

/// Functions on strings. Positions and lengths count characters, not bytes.
namespace hygie::fhir {
namespace {

using Scope = PathScope;
using Text = std::optional<std::string_view>;

re2::StringPiece piece(std::string_view text) {
    return {text.data(), text.size()};
}

bool starts_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

std::size_t length_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, starts_character));
}

/// Where the character of that number begins, in bytes; the end when there are fewer.
std::size_t offset_of(std::string_view text, std::size_t index) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (starts_character(text[at]) && index-- == 0) return at;
    }
    return text.size();
}

Status push_text(PathMachine& machine, std::string_view text) {
    TRY_STATUS(machine.charge_bytes(text.size()));
    return machine.push(make_string(machine.arena(), text));
}

/// The input and the only argument of a function of two texts; absent when either is.
struct TwoTexts {
    Text input, argument;
    bool both() const { return input && argument; }
};
Result<TwoTexts> two_texts(PathMachine& machine, const PathNode& call, const Scope& scope,
                           std::size_t mark) {
    TwoTexts texts;
    texts.input = TRY(take_text(machine, mark));
    texts.argument = TRY(text_argument(machine, call, 0, scope));
    if (texts.input) TRY_STATUS(machine.charge_bytes(texts.input->size()));
    return texts;
}

Status run_index_of(PathMachine& machine, const PathNode& call, const Scope& scope,
                    std::size_t mark) {
    const auto texts = TRY(two_texts(machine, call, scope, mark));
    if (!texts.both()) return {};
    const auto at = texts.input->find(*texts.argument);
    const auto index = at == std::string_view::npos
                           ? -1
                           : static_cast<std::int64_t>(length_of(texts.input->substr(0, at)));
    return machine.push(make_integer(machine.arena(), index));
}

enum class Match { Starts, Ends, Contains };
template <Match match>
Status run_match(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark) {
    const auto texts = TRY(two_texts(machine, call, scope, mark));
    if (!texts.both()) return {};
    const bool result = match == Match::Starts ? texts.input->starts_with(*texts.argument)
                        : match == Match::Ends ? texts.input->ends_with(*texts.argument)
                                               : texts.input->contains(*texts.argument);
    return machine.push(make_boolean(machine.arena(), result));
}

Status run_substring(PathMachine& machine, const PathNode& call, const Scope& scope,
                     std::size_t mark) {
    const auto input = TRY(take_text(machine, mark));
    const auto start = TRY(integer_argument(machine, call, 0, scope));
    std::optional<std::int64_t> length;
    if (call.args.size() > 1) length = TRY(integer_argument(machine, call, 1, scope));
    if (!input || !start || *start < 0) return {};
    TRY_STATUS(machine.charge_bytes(input->size()));
    auto text = input->substr(offset_of(*input, static_cast<std::size_t>(*start)));
    if (text.empty()) return {};
    const auto count = std::max<std::int64_t>(length.value_or(INT64_MAX), 0);
    text = text.substr(0, offset_of(text, static_cast<std::size_t>(count)));
    return push_text(machine, text);
}

template <char from, char to, int shift>
Status run_case(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto input = TRY(take_text(machine, mark));
    if (!input) return {};
    std::string text(*input);
    for (char& c : text) c = c >= from && c <= to ? static_cast<char>(c + shift) : c;
    return push_text(machine, text);
}

Status run_replace(PathMachine& machine, const PathNode& call, const Scope& scope,
                   std::size_t mark) {
    const auto texts = TRY(two_texts(machine, call, scope, mark));
    const auto by = TRY(text_argument(machine, call, 1, scope));
    if (!texts.both() || !by) return {};
    const auto pattern = *texts.argument;
    std::string out;
    auto rest = *texts.input;
    if (pattern.empty()) {
        // The empty text stands between all characters, and at both ends.
        TRY_STATUS(machine.charge_bytes((rest.size() + 1) * (by->size() + 1)));
        out = *by;
        for (std::size_t i = 0; i < rest.size(); ++i) {
            out += rest[i];
            if (i + 1 == rest.size() || starts_character(rest[i + 1])) out += *by;
        }
        return push_text(machine, out);
    }
    TRY_STATUS(machine.charge_bytes(rest.size() / pattern.size() * by->size()));
    for (auto at = rest.find(pattern); at != std::string_view::npos; at = rest.find(pattern)) {
        out += rest.substr(0, at);
        out += *by;
        rest.remove_prefix(at + pattern.size());
    }
    out += rest;
    return push_text(machine, out);
}

/// The pattern of a call, compiled before when it is a literal; absent when there is none.
Result<std::shared_ptr<const RE2>> pattern_of(PathMachine& machine, const PathNode& call,
                                              const Scope& scope) {
    if (call.pattern) return call.pattern;
    const auto text = TRY(text_argument(machine, call, 0, scope));
    if (!text) return std::shared_ptr<const RE2>{};
    constexpr std::size_t kCompileSteps = 1'000;
    TRY_STATUS(machine.charge(kCompileSteps + text->size()));
    auto compiled = compile_pattern(*text);
    if (!compiled) {
        return run_error("expression rationnelle non valide", "an invalid regular expression");
    }
    return compiled;
}

template <bool whole>
Status run_matches(PathMachine& machine, const PathNode& call, const Scope& scope,
                   std::size_t mark) {
    const auto input = TRY(take_text(machine, mark));
    const auto pattern = TRY(pattern_of(machine, call, scope));
    if (!input || !pattern) return {};
    TRY_STATUS(machine.charge_bytes(input->size()));
    const bool result = whole ? RE2::FullMatch(piece(*input), *pattern)
                              : RE2::PartialMatch(piece(*input), *pattern);
    return machine.push(make_boolean(machine.arena(), result));
}

/// "$1" and "${name}" of FHIRPath as RE2 has them: "\1".
std::string rewritten(std::string_view substitution, const RE2& pattern) {
    std::string out;
    while (!substitution.empty()) {
        const char c = substitution.front();
        substitution.remove_prefix(1);
        if (c == '\\' && substitution.starts_with('$')) continue;  // the next turn takes it as such
        if (c == '\\') {
            out += "\\\\";
        } else if (c == '$' && !substitution.empty() && substitution[0] >= '0' &&
                   substitution[0] <= '9') {
            out += '\\';
        } else if (c == '$' && substitution.starts_with('{') && substitution.contains('}')) {
            const std::string name(substitution.substr(1, substitution.find('}') - 1));
            substitution.remove_prefix(name.size() + 2);
            const auto& groups = pattern.NamedCapturingGroups();
            const auto group = groups.find(name);
            constexpr int kGroupsMax = 9;
            if (group != groups.end() && group->second <= kGroupsMax) {
                out += '\\';
                out += static_cast<char>('0' + group->second);
            }
        } else {
            out += c;
        }
    }
    return out;
}

Status run_replace_matches(PathMachine& machine, const PathNode& call, const Scope& scope,
                           std::size_t mark) {
    const auto input = TRY(take_text(machine, mark));
    const auto pattern = TRY(pattern_of(machine, call, scope));
    const auto by = TRY(text_argument(machine, call, 1, scope));
    if (!input || !pattern || !by) return {};
    if (pattern->pattern().empty()) return push_text(machine, *input);
    // The substitution may repeat the input as often as it has groups.
    const auto longest =
        by->size() + static_cast<std::size_t>(std::ranges::count(*by, '$')) * input->size();
    TRY_STATUS(machine.charge_bytes((input->size() + 1) * (longest + 1)));
    std::string out(*input);
    RE2::GlobalReplace(&out, *pattern, rewritten(*by, *pattern));
    return push_text(machine, out);
}

Status run_length(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto input = TRY(take_text(machine, mark));
    if (!input) return {};
    TRY_STATUS(machine.charge_bytes(input->size()));
    return machine.push(
        make_integer(machine.arena(), static_cast<std::int64_t>(length_of(*input))));
}

Status run_to_chars(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    auto rest = TRY(take_text(machine, mark)).value_or(std::string_view{});
    while (!rest.empty()) {
        const auto next = offset_of(rest.substr(1), 0) + 1;
        TRY_STATUS(push_text(machine, rest.substr(0, next)));
        rest.remove_prefix(next);
    }
    return {};
}

Status run_trim(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto input = TRY(take_text(machine, mark));
    if (!input) return {};
    constexpr std::string_view kBlanks = " \t\r\n\f\v";
    const auto first = input->find_first_not_of(kBlanks);
    if (first == std::string_view::npos) return push_text(machine, {});
    return push_text(machine, input->substr(first, input->find_last_not_of(kBlanks) + 1 - first));
}

Status run_split(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark) {
    const auto texts = TRY(two_texts(machine, call, scope, mark));
    if (!texts.both() || texts.argument->empty()) return {};
    auto rest = *texts.input;
    for (auto at = rest.find(*texts.argument); at != std::string_view::npos;
         at = rest.find(*texts.argument)) {
        TRY_STATUS(push_text(machine, rest.substr(0, at)));
        rest.remove_prefix(at + texts.argument->size());
    }
    return push_text(machine, rest);
}

Status run_join(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark) {
    const auto end = machine.size();
    Text separator;
    if (!call.args.empty()) separator = TRY(text_argument(machine, call, 0, scope));
    std::string out;
    for (auto i = mark; i < end; ++i) {
        const auto& item = machine.at(i);
        if (!item.value.is_string())
            return run_error("un texte est attendu", "a string is expected");
        if (i > mark && separator) out += *separator;
        out += item.value.text();
        TRY_STATUS(machine.charge_bytes(item.value.text().size()));
    }
    machine.drop(mark);
    return end > mark ? push_text(machine, out) : Status{};
}

constexpr auto kPattern = PathFunction::Arguments::Pattern;
constexpr PathFunction kFunctions[] = {
    {"indexOf", 1, 1, run_index_of},
    {"substring", 1, 2, run_substring},
    {"startsWith", 1, 1, run_match<Match::Starts>},
    {"endsWith", 1, 1, run_match<Match::Ends>},
    {"contains", 1, 1, run_match<Match::Contains>},
    {"upper", 0, 0, run_case<'a', 'z', 'A' - 'a'>},
    {"lower", 0, 0, run_case<'A', 'Z', 'a' - 'A'>},
    {"replace", 2, 2, run_replace},
    {"matches", 1, 1, run_matches<false>, kPattern},
    {"matchesFull", 1, 1, run_matches<true>, kPattern},
    {"replaceMatches", 2, 2, run_replace_matches, kPattern},
    {"length", 0, 0, run_length},
    {"toChars", 0, 0, run_to_chars},
    {"trim", 0, 0, run_trim},
    {"split", 1, 1, run_split},
    {"join", 0, 1, run_join},
};

}  // namespace

Result<Text> take_text(PathMachine& machine, std::size_t mark) {
    const auto item = TRY(machine.take_single(mark));
    if (!item || item->value.absent()) return Text{};
    if (!item->value.is_string()) return run_error("un texte est attendu", "a string is expected");
    return Text{item->value.text()};
}

Result<Text> text_argument(PathMachine& machine, const PathNode& call, std::size_t index,
                           const Scope& scope) {
    const auto mark = machine.size();
    TRY_STATUS(machine.run(*call.args[index], scope));
    return take_text(machine, mark);
}

Result<std::optional<std::int64_t>> integer_argument(PathMachine& machine, const PathNode& call,
                                                     std::size_t index, const Scope& scope) {
    const auto item = TRY(machine.argument(call, index, scope));
    if (!item) return std::optional<std::int64_t>{};
    const auto number = number_of(*item);
    const auto integer = number ? number->integer() : std::nullopt;
    if (!integer) return run_error("un entier est attendu", "an integer is expected");
    return integer;
}

std::span<const PathFunction> string_functions() {
    return kFunctions;
}

}  // namespace hygie::fhir
