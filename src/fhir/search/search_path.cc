#include "fhir/search/search_path.h"

#include <algorithm>

namespace hygie::fhir {
namespace {

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

/// Where `separator` stands outside of parentheses; npos when it does not.
std::size_t find_outside(std::string_view text, std::string_view separator) {
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (depth == 0 && text.substr(i).starts_with(separator)) return i;
        if (text[i] == '(') ++depth;
        if (text[i] == ')') --depth;
    }
    return std::string_view::npos;
}

std::vector<std::string_view> split_outside(std::string_view text, std::string_view separator) {
    std::vector<std::string_view> parts;
    for (auto at = find_outside(text, separator); at != std::string_view::npos;
         at = find_outside(text, separator)) {
        parts.push_back(trimmed(text.substr(0, at)));
        text.remove_prefix(at + separator.size());
    }
    parts.push_back(trimmed(text));
    return parts;
}

/// "as(Quantity)" with the name "as" is "Quantity".
std::optional<std::string_view> argument_of(std::string_view text, std::string_view name) {
    if (!text.starts_with(name) || !text.ends_with(')')) return std::nullopt;
    text.remove_prefix(name.size());
    if (!text.starts_with('(')) return std::nullopt;
    return trimmed(text.substr(1, text.size() - 2));
}

bool same_type(std::string_view left, std::string_view right) {
    // The definitions write as(DateTime) for dateTime.
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    };
    return left.size() == right.size() && lower(left[0]) == lower(right[0]) &&
           left.substr(1) == right.substr(1);
}

std::string json_name(const ElementDef& element, const TypeDef& type) {
    std::string name(element.name);
    if (!element.is_choice) return name;
    name += type.name;
    char& first = name[element.name.size()];
    if (first >= 'a' && first <= 'z') first = static_cast<char>(first - ('a' - 'A'));
    return name;
}

class Compiler {
  public:
    explicit Compiler(const TypeDef& from) : from_(from), types_{&from} {}

    std::optional<SearchPath> compile(std::string_view text) {
        if (!walk(text)) return std::nullopt;
        return std::move(path_);
    }

  private:
    bool walk(std::string_view text) {
        if (const auto at = find_outside(text, " as "); at != std::string_view::npos) {
            return walk(trimmed(text.substr(0, at))) && as(trimmed(text.substr(at + 4)));
        }
        bool first = true;
        for (const auto part : split_outside(text, ".")) {
            if (!(first ? start(part) : step(part))) return false;
            first = false;
        }
        return true;
    }

    bool start(std::string_view part) {
        if (part.starts_with('(') && part.ends_with(')')) {
            return walk(trimmed(part.substr(1, part.size() - 2)));
        }
        if (part == "%resource") {
            path_.of_resource = true;
            return true;
        }
        if (!part.empty() && part[0] >= 'A' && part[0] <= 'Z') return from_.is_a(part);
        return step(part);
    }

    bool step(std::string_view part) {
        if (const auto type = argument_of(part, "as")) return as(*type);
        if (const auto type = argument_of(part, "ofType")) return as(*type);
        if (const auto rule = argument_of(part, "where")) return where(*rule);
        const bool first_only = part.ends_with("[0]");
        if (first_only) part.remove_suffix(3);
        if (part.empty() || part.find_first_of("()[] =!'") != std::string_view::npos) return false;
        return element(part, first_only);
    }

    bool element(std::string_view name, bool first_only) {
        SearchPath::Step step;
        step.first_only = first_only;
        std::vector<const TypeDef*> next;
        for (const TypeDef* type : types_) {
            const ElementDef* element = type->element(name);
            if (element == nullptr) continue;
            if (element->is_array() && !first_only) path_.repeats = true;
            for (const auto& alternative : element->types) {
                auto property = json_name(*element, *alternative.type);
                const auto same =
                    std::ranges::find(step.properties, property, &SearchPath::Property::name);
                if (same != step.properties.end()) continue;
                const bool is_bound = element->binding == BindingStrength::Required;
                step.properties.push_back({std::move(property), alternative.type,
                                           is_bound ? element->value_set : std::string_view()});
                next.push_back(alternative.type);
            }
        }
        types_ = std::move(next);
        path_.spelling += '.';
        path_.spelling += name;
        path_.steps.push_back(std::move(step));
        return !types_.empty();
    }

    bool as(std::string_view type) {
        if (path_.steps.empty()) return false;
        auto& properties = path_.steps.back().properties;
        std::erase_if(properties, [&](const auto& p) { return !same_type(p.type->name, type); });
        if (properties.empty()) return false;
        types_ = {properties.front().type};
        path_.spelling += ':';
        path_.spelling += properties.front().type->name;
        return true;
    }

    bool where(std::string_view rule) {
        constexpr std::string_view kResolves = "resolve() is ";
        if (rule.starts_with(kResolves)) {
            path_.target = trimmed(rule.substr(kResolves.size()));
            return true;
        }
        const auto equals = rule.find('=');
        if (equals == std::string_view::npos || path_.steps.empty()) return false;
        const auto value = trimmed(rule.substr(equals + 1));
        if (value.size() < 2 || !value.starts_with('\'') || !value.ends_with('\'')) return false;
        path_.steps.back().where_name = trimmed(rule.substr(0, equals));
        path_.steps.back().where_value = value.substr(1, value.size() - 2);
        path_.spelling += '[';
        path_.spelling += rule;
        path_.spelling += ']';
        return true;
    }

    const TypeDef& from_;
    std::vector<const TypeDef*> types_;  ///< what the way leads to so far
    SearchPath path_;
};

}  // namespace

std::vector<std::string_view> split_union(std::string_view expression) {
    return split_outside(trimmed(expression), "|");
}

std::optional<SearchPath> compile_path(const TypeDef& from, std::string_view part) {
    return Compiler(from).compile(part);
}

}  // namespace hygie::fhir
