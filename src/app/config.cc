#include "app/config.h"

#include <fmt/format.h>

// The only file that knows toml++: it costs seconds to compile. Version 3.3 asserts on some
// malformed headers, such as "[=]", instead of reporting them: its assertions throw here, whatever
// NDEBUG says, and Checker makes them issues.
#undef NDEBUG
namespace hygie::app {
struct TomlAssertion {};
[[noreturn]] inline void toml_assertion() {
    throw TomlAssertion();
}
}  // namespace hygie::app
#define TOML_ASSERT(expr) ((expr) ? static_cast<void>(0) : ::hygie::app::toml_assertion())
#include <toml++/toml.h>

#include <algorithm>
#include <map>

#include "app/nearest.h"

namespace hygie::app {
namespace {

template <typename... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};

/// A type as a person reads it, and an example of it.
struct TypeName {
    Text name;
    std::string sample;
};

TypeName type_name(const Field& field) {
    return std::visit(
        Overloaded{
            [](std::string*) { return TypeName{{"texte", "text"}, "\"abc\""}; },
            [](ExistingFile*) {
                return TypeName{{"fichier qui existe", "file that exists"}, "\"/etc/hygie/x.pem\""};
            },
            [](OwnPath*) {
                return TypeName{{"chemin absolu", "absolute path"}, "\"/var/lib/hygie\""};
            },
            [](Address*) {
                return TypeName{{"adresse hôte:port", "address host:port"}, "\"127.0.0.1:8480\""};
            },
            [](Micros*) {
                return TypeName{
                    {"durée (90s, 15m, 24h, 30d, 10y)", "duration (90s, 15m, 24h, 30d, 10y)"},
                    "\"10s\""};
            },
            [](std::uint64_t*) { return TypeName{{"nombre entier", "whole number"}, "1000"}; },
            [](std::vector<std::uint64_t>*) {
                return TypeName{{"liste de nombres", "list of numbers"}, "[0, 1000]"};
            },
        },
        field);
}

bool is_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    const std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
    if (host.contains(':') && !bracketed) return false;
    const bool digits = !port.empty() && port.size() <= 5 &&
                        std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
    const int number = digits ? std::stoi(std::string(port)) : 0;
    return number >= 1 && number <= 65535;
}

/// Reads one file into a Config, collecting what is wrong with it.
class Checker {
  public:
    explicit Checker(Disk& disk) : disk_(disk) {}

    CheckedConfig check(std::string_view text);

  private:
    void table(const toml::table& table, const std::string& prefix);
    void unknown(const toml::key& key, const std::string& full, bool is_table);
    void value(const Setting& setting, const toml::node& node);
    void contradict();
    void not_toml(toml::source_position at, std::string_view why);

    bool read(const Setting& setting, const toml::node& node, std::string& out);
    bool read(const Setting& setting, const toml::node& node, ExistingFile& out);
    bool read(const Setting& setting, const toml::node& node, OwnPath& out);
    bool read(const Setting& setting, const toml::node& node, Address& out);
    bool read(const Setting& setting, const toml::node& node, Micros& out);
    bool read(const Setting& setting, const toml::node& node, std::uint64_t& out);
    bool read(const Setting& setting, const toml::node& node, std::vector<std::uint64_t>& out);

    bool in_range(const Setting& setting, std::uint64_t value) const {
        return setting.max == 0 || (value >= setting.min && value <= setting.max);
    }
    void issue(toml::source_position at, Text what, Text remedy) {
        // Zero means that toml++ does not know: the beginning of the file is then the place to
        // look.
        checked_.issues.push_back(
            {std::max(at.line, 1u), std::max(at.column, 1u), std::move(what), std::move(remedy)});
    }

    Disk& disk_;
    CheckedConfig checked_;
    std::map<std::string, toml::source_position> seen_;
};

void Checker::unknown(const toml::key& key, const std::string& full, bool is_table) {
    std::vector<std::string> known;
    for (const Setting& setting : settings())
        known.emplace_back(is_table ? setting.section() : setting.key);
    const std::string near = nearest(full, known);
    const Text what = is_table ? Text{fmt::format("section inconnue : [{}]", full),
                                      fmt::format("unknown section: [{}]", full)}
                               : Text{fmt::format("réglage inconnu : {}", full),
                                      fmt::format("unknown setting: {}", full)};
    const Text remedy = near.empty() ? Text{"« hygie config default » montre tous les réglages",
                                            "'hygie config default' shows every setting"}
                                     : Text{fmt::format("vouliez-vous dire « {} » ?", near),
                                            fmt::format("did you mean '{}'?", near)};
    issue(key.source().begin, what, remedy);
}

void Checker::table(const toml::table& table, const std::string& prefix) {
    for (auto&& [key, node] : table) {
        const std::string full = prefix + std::string(key.str());
        const auto setting = std::ranges::find(settings(), full, &Setting::key);
        const bool is_section = std::ranges::any_of(
            settings(), [&](const Setting& s) { return s.key.starts_with(full + "."); });
        if (setting != settings().end()) {
            seen_[full] = key.source().begin;
            value(*setting, node);
        } else if (is_section && node.is_table()) {
            this->table(*node.as_table(), full + ".");
        } else {
            unknown(key, full, node.is_table());
        }
    }
}

void Checker::value(const Setting& setting, const toml::node& node) {
    const Field field = setting.field(checked_.config);
    if (std::visit([&](auto* out) { return read(setting, node, *out); }, field)) return;
    const Text type = type_of(setting);
    const std::string sample = !setting.example.empty()   ? setting.example
                               : !setting.choices.empty() ? "\"" + setting.choices.front() + "\""
                                                          : type_name(field).sample;
    issue(node.source().begin,
          {fmt::format("valeur refusée pour {}", setting.key),
           fmt::format("value refused for {}", setting.key)},
          {fmt::format("attendu : {}, par exemple {}", type.fr, sample),
           fmt::format("expected: {}, for example {}", type.en, sample)});
}

bool Checker::read(const Setting& setting, const toml::node& node, std::string& out) {
    const auto text = node.value_exact<std::string>();
    if (!text) return false;
    out = *text;
    return setting.choices.empty() ||
           std::ranges::find(setting.choices, out) != setting.choices.end();
}

bool Checker::read(const Setting& setting, const toml::node& node, ExistingFile& out) {
    if (!read(setting, node, out.path)) return false;
    if (out.path.empty() || disk_.exists(out.path)) return true;
    issue(node.source().begin,
          {fmt::format("{} nomme un fichier absent", setting.key),
           fmt::format("{} names a missing file", setting.key)},
          {"corrigez le chemin, ou créez le fichier", "correct the path, or make the file"});
    return true;
}

bool Checker::read(const Setting& setting, const toml::node& node, OwnPath& out) {
    return read(setting, node, out.path) && (out.path.empty() || out.path.starts_with('/'));
}

bool Checker::read(const Setting& setting, const toml::node& node, Address& out) {
    return read(setting, node, out.text) && (out.text.empty() || is_address(out.text));
}

bool Checker::read(const Setting& setting, const toml::node& node, Micros& out) {
    std::string text;
    if (!read(setting, node, text)) return false;
    const Result<Micros> duration = parse_duration(text);
    if (!duration) return false;
    out = *duration;
    return in_range(setting, static_cast<std::uint64_t>(out.count()));
}

bool Checker::read(const Setting& setting, const toml::node& node, std::uint64_t& out) {
    const auto number = node.value_exact<std::int64_t>();
    if (!number || *number < 0) return false;
    out = static_cast<std::uint64_t>(*number);
    return in_range(setting, out);
}

bool Checker::read(const Setting& setting, const toml::node& node,
                   std::vector<std::uint64_t>& out) {
    const toml::array* const array = node.as_array();
    if (array == nullptr) return false;
    out.clear();
    for (const toml::node& item : *array)
        if (!read(setting, item, out.emplace_back())) return false;
    return true;
}

void Checker::contradict() {
    for (const Contradiction& rule : contradictions()) {
        if (!rule.holds(checked_.config)) continue;
        const auto at = seen_.find(rule.key);
        issue(at == seen_.end() ? toml::source_position{} : at->second, rule.what, rule.remedy);
    }
}

/// Whether toml++ gives up on a text without saying where.
bool asserts(std::string_view text) {
    try {
        static_cast<void>(toml::parse(text));
    } catch (const TomlAssertion&) {
        return true;
    } catch (const toml::parse_error&) {
    }
    return false;
}

/// The line on which toml++ gives up: the last one of the shortest beginning of the text that makes
/// it.
std::uint32_t line_of_assertion(std::string_view text) {
    std::vector<std::size_t> ends;
    for (std::size_t at = 0; at < text.size(); ++at)
        if (text[at] == '\n') ends.push_back(at + 1);
    const auto first = std::ranges::partition_point(
        ends, [&](std::size_t end) { return !asserts(text.substr(0, end)); });
    return static_cast<std::uint32_t>(first - ends.begin() + 1);
}

void Checker::not_toml(toml::source_position at, std::string_view why) {
    issue(at,
          {fmt::format("ce n'est pas du TOML : {}", why), fmt::format("this is not TOML: {}", why)},
          {"corrigez cette ligne ; le reste du fichier n'a pas été lu",
           "correct this line; the rest of the file was not read"});
}

CheckedConfig Checker::check(std::string_view text) {
    try {
        table(toml::parse(text), "");
    } catch (const toml::parse_error& error) {
        not_toml(error.source().begin, error.description());
        return std::move(checked_);
    } catch (const TomlAssertion&) {
        not_toml({line_of_assertion(text), 1}, "[…]");
        return std::move(checked_);
    }
    // Values refused above would only echo here.
    if (checked_.issues.empty()) contradict();
    std::ranges::stable_sort(checked_.issues, {},
                             [](const ConfigIssue& i) { return std::pair(i.line, i.column); });
    return std::move(checked_);
}

/// The default value as TOML writes it; empty when there is none.
std::string literal(const Field& field) {
    const auto text = [](const std::string& value) {
        return value.empty() ? value : "\"" + value + "\"";
    };
    return std::visit(Overloaded{
                          [&](std::string* value) { return text(*value); },
                          [&](ExistingFile* value) { return text(value->path); },
                          [&](OwnPath* value) { return text(value->path); },
                          [&](Address* value) { return text(value->text); },
                          [&](Micros* value) { return text(to_duration(*value)); },
                          [](std::uint64_t* value) { return std::to_string(*value); },
                          [](std::vector<std::uint64_t>* value) {
                              return fmt::format("[{}]", fmt::join(*value, ", "));
                          },
                      },
                      field);
}

}  // namespace

CheckedConfig check_config(std::string_view text, Disk& disk) {
    return Checker(disk).check(text);
}

Result<Config> load_config(Disk& disk, const std::string& path) {
    const Bytes bytes = TRY(disk.read_file(path, kConfigBytesMax));
    CheckedConfig checked = check_config(as_text(bytes), disk);
    if (checked.issues.empty()) return std::move(checked.config);
    const ConfigIssue& first = checked.issues.front();
    const auto where = [&](const std::string& what) {
        return fmt::format("{}:{}:{}: {}", path, first.line, first.column, what);
    };
    return fail(Code::BadInput, {where(first.what.fr), where(first.what.en)}, first.remedy);
}

std::string default_config(Lang lang) {
    std::string file =
        Text{
            "# La configuration de Hygie. Chaque réglage est à sa valeur par défaut ;\n"
            "# une ligne en commentaire montre un réglage facultatif.\n"
            "# Vérifiez vos changements avec : hygie config check FICHIER\n",
            "# The configuration of Hygie. Each setting stands at its default;\n"
            "# a commented line shows an optional setting.\n"
            "# Check your changes with: hygie config check FILE\n"}
            .in(lang);
    Config defaults;
    std::string_view section;
    for (const Setting& setting : settings()) {
        if (setting.section() != section) {
            section = setting.section();
            file += fmt::format("\n[{}]\n", section);
        }
        const std::string value = literal(setting.field(defaults));
        file += fmt::format("\n# {}\n# ({})\n", setting.help.in(lang), type_of(setting).in(lang));
        file += value.empty() ? fmt::format("#{} = {}\n", setting.name(), setting.example)
                              : fmt::format("{} = {}\n", setting.name(), value);
    }
    return file;
}

Text type_of(const Setting& setting) {
    Config scratch;
    const Field field = setting.field(scratch);
    if (!setting.choices.empty()) {
        const std::string all = fmt::format("\"{}\"", fmt::join(setting.choices, "\", \""));
        return {"au choix : " + all, "one of: " + all};
    }
    Text type = type_name(field).name;
    if (!setting.unit.empty())
        type = {type.fr + " de " + setting.unit, type.en + " of " + setting.unit};
    if (setting.max == 0) return type;
    const bool duration = std::holds_alternative<Micros*>(field);
    const auto bound = [&](std::uint64_t value) {
        return duration ? to_duration(Micros(value)) : std::to_string(value);
    };
    return {fmt::format("{}, de {} à {}", type.fr, bound(setting.min), bound(setting.max)),
            fmt::format("{}, {} to {}", type.en, bound(setting.min), bound(setting.max))};
}

std::string to_duration(Micros duration) {
    struct Unit {
        Micros size;
        char letter;
    };
    for (const Unit unit : {Unit{std::chrono::days(365), 'y'}, Unit{std::chrono::days(1), 'd'},
                            Unit{std::chrono::hours(1), 'h'}, Unit{std::chrono::minutes(1), 'm'}})
        if (duration.count() != 0 && duration % unit.size == Micros(0))
            return fmt::format("{}{}", duration / unit.size, unit.letter);
    return fmt::format("{}s", duration / std::chrono::seconds(1));
}

}  // namespace hygie::app
