#include "fhir/search/search_operand.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hygie::fhir {
namespace {

using Kind = SearchParam::Type;

std::unexpected<Error> wrong(Text what, Text remedy) {
    return fail(Code::BadInput, std::move(what), std::move(remedy));
}

std::unexpected<Error> bad_escape() {
    return wrong({"Une valeur contient une barre oblique inverse qui n'échappe rien.",
                  "A value has a backslash that escapes nothing."},
                 {"Écrire \\\\ pour la barre elle-même, \\, \\| \\$ pour ces signes.",
                  "Write \\\\ for the backslash itself, and \\, \\| \\$ for these signs."});
}

struct NamedModifier {
    Modifier modifier;
    std::string_view name;
    std::vector<Kind> types;
};

const std::vector<NamedModifier>& modifiers() {
    static const std::vector<NamedModifier> all = {
        {Modifier::Missing,
         "missing",
         {Kind::Number, Kind::Date, Kind::String, Kind::Token, Kind::Reference, Kind::Quantity,
          Kind::Uri}},
        {Modifier::Exact, "exact", {Kind::String}},
        {Modifier::Contains, "contains", {Kind::String}},
        {Modifier::Not, "not", {Kind::Token}},
        {Modifier::Text, "text", {Kind::Token}},
        {Modifier::Identifier, "identifier", {Kind::Reference}},
        {Modifier::Above, "above", {Kind::Uri}},
        {Modifier::Below, "below", {Kind::Uri}},
        {Modifier::OfType, "of-type", {Kind::Token}},
    };
    return all;
}

std::optional<Prefix> prefix_named(std::string_view name) {
    constexpr std::string_view kNames[] = {"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"};
    const auto found = std::ranges::find(kNames, name);
    if (found == std::end(kNames)) return std::nullopt;
    return static_cast<Prefix>(found - std::begin(kNames));
}

/// Takes the two letters of a prefix off; false when there are letters that are none.
bool take_prefix(std::string_view& text, Prefix& prefix) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (text.empty() || !letter(text.front())) return true;
    const auto named = prefix_named(text.substr(0, 2));
    if (!named) return false;
    prefix = *named;
    text.remove_prefix(2);
    return true;
}

Result<Operand> parse_token(std::string_view text) {
    const auto parts = split_escaped(text, '|');
    if (parts.size() > 2) {
        return wrong({"Une valeur de code a plus d'un signe | non échappé.",
                      "A value for a code has more than one | that is not escaped."},
                     {"Écrire système|code, |code, système| ou code.",
                      "Write system|code, |code, system| or code."});
    }
    Operand operand;
    const auto code = unescape(parts.back());
    const auto system = unescape(parts.front());
    if (!code || !system) return bad_escape();
    operand.text = *code;
    if (parts.size() == 2) operand.system = *system;
    if (operand.text.empty() && operand.system.value_or("").empty()) {
        return wrong({"Une valeur de code est vide.", "A value for a code is empty."},
                     {"Donner un code, un système ou les deux.", "Give a code, a system or both."});
    }
    return operand;
}

/// "The format of this when used with :of-type is [system]|[code]|[value]": all three.
Result<Operand> parse_typed(std::string_view text) {
    const auto parts = split_escaped(text, '|');
    if (parts.size() != 3 || std::ranges::any_of(parts, &std::string_view::empty))
        return wrong({"Une valeur de :of-type n'a pas trois parties.",
                      "A value of :of-type does not have three parts."},
                     {"Écrire système|type|valeur.", "Write system|type|value."});
    const auto system = unescape(parts[0]);
    const auto type = unescape(parts[1]);
    const auto value = unescape(parts[2]);
    if (!system || !type || !value) return bad_escape();
    Operand operand;
    operand.text = *value;
    operand.system = *system;
    operand.type = *type;
    return operand;
}

Result<Operand> parse_string(std::string_view text) {
    Operand operand;
    const auto plain = unescape(text);
    if (!plain) return bad_escape();
    operand.text = *plain;
    operand.folded = fold(*plain);
    return operand;
}

Result<Operand> parse_reference_operand(std::string_view text, const QueryOptions& options) {
    auto plain = unescape(text);
    if (!plain) return bad_escape();
    std::string_view target = *plain;
    if (!options.base.empty() && target.starts_with(options.base)) {
        target.remove_prefix(options.base.size());
    }
    const Reference reference = parse_reference(target);
    Operand operand;
    operand.type = reference.type;
    operand.text = reference.id;
    return operand;
}

/// Ten percent of the time between now and the date, on both sides.
DateRange around(DateRange date, WallTime now) {
    const auto here = date_range(now).first;
    const auto gap = here > date.last    ? here - date.last
                     : here < date.first ? date.first - here
                                         : 0;
    return {date.first - gap / 10, date.last + gap / 10};
}

Result<Operand> parse_date_operand(std::string_view text, const QueryOptions& options) {
    Operand operand;
    const bool prefixed = take_prefix(text, operand.prefix);
    const auto range = prefixed ? parse_date(text) : std::nullopt;
    if (!range) {
        return wrong({"Une valeur n'est pas une date.", "A value is not a date."},
                     {"Écrire AAAA, AAAA-MM, AAAA-MM-JJ ou AAAA-MM-JJThh:mm:ssZ, au besoin après "
                      "eq ne gt lt ge le sa eb ap. Dans une adresse, + s'écrit %2B.",
                      "Write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ, after eq ne gt lt "
                      "ge le sa eb ap if need be. In a URL, + is written %2B."});
    }
    operand.date = operand.prefix == Prefix::Ap ? around(*range, options.now) : *range;
    return operand;
}

/// Half of what the last digit counts: 0.5 for "100", 0.005 for "100.00". R4 reads 1e2 with one
/// digit more than is written: 95 to 105.
std::optional<Decimal> half_unit(std::string_view text) {
    const auto e = text.find_first_of("eE");
    const auto mantissa = text.substr(0, e);
    const auto point = mantissa.find('.');
    const auto decimals =
        point == std::string_view::npos ? 0 : static_cast<int>(mantissa.size() - point - 1);
    int exponent = 0;
    if (e != std::string_view::npos) {
        const auto value = Decimal::parse(text.substr(e + 1));
        const auto whole = value ? value->integer() : std::nullopt;
        constexpr std::int64_t kExponentMax = 100;
        if (!whole || *whole > kExponentMax || *whole < -kExponentMax) return std::nullopt;
        exponent = static_cast<int>(*whole);
    }
    const int unit = exponent - decimals - (exponent > 0 && decimals == 0 ? 1 : 0);
    return Decimal::parse(fmt::format("5e{}", unit - 1));
}

bool read_number(std::string_view text, Operand& operand) {
    const auto number = Decimal::parse(text);
    if (!number) return false;
    static const Decimal kTenth = *Decimal::parse("0.1");
    auto half = operand.prefix == Prefix::Ap ? Decimal::multiply(*number, kTenth) : half_unit(text);
    if (!half) return false;
    if (half->negative()) half = -*half;
    const auto low = Decimal::add(*number, -*half);
    const auto high = Decimal::add(*number, *half);
    if (!low || !high) return false;
    operand.number = *number;
    operand.low = *low;
    operand.high = *high;
    return true;
}

Result<Operand> parse_amount(Kind kind, std::string_view text) {
    auto parts = split_escaped(text, '|');
    Operand operand;
    const std::size_t parts_max = kind == Kind::Number ? 1 : 3;
    if (parts.size() > parts_max || !take_prefix(parts[0], operand.prefix) ||
        !read_number(parts[0], operand)) {
        return wrong({"Une valeur n'est pas un nombre ou une quantité.",
                      "A value is not a number or quantity."},
                     {"Écrire 5.4 ou, pour une quantité, 5.4|système|unité, au besoin après eq ne "
                      "gt lt ge le sa eb ap.",
                      "Write 5.4 or, for a quantity, 5.4|system|unit, after eq ne gt lt ge le sa "
                      "eb ap if need be."});
    }
    const auto system = parts.size() > 1 ? unescape(parts[1]) : std::string();
    const auto unit = parts.size() > 2 ? unescape(parts[2]) : std::string();
    if (!system || !unit) return bad_escape();
    if (!system->empty()) operand.system = *system;
    operand.unit = *unit;
    return operand;
}

Result<Operand> parse_composite(const SearchParam& param, std::string_view text,
                                const QueryOptions& options) {
    const auto parts = split_escaped(text, '$');
    if (parts.size() != param.components.size()) {
        return wrong(
            {fmt::format("Une valeur composée doit avoir {} parties.", param.components.size()),
             fmt::format("A composite value must have {} parts.", param.components.size())},
            {"Séparer les parties par $.", "Separate the parts by $."});
    }
    Operand operand;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        operand.parts.push_back(
            TRY(parse_operand(*param.components[i].param, Modifier::None, parts[i], options)));
    }
    return operand;
}

}  // namespace

std::vector<std::string_view> split_escaped(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    std::size_t start = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == separator) {
            parts.push_back(text.substr(start, i - start));
            start = i + 1;
        }
    }
    parts.push_back(text.substr(start));
    return parts;
}

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (std::string_view(",|$\\").contains(c)) out += '\\';
        out += c;
    }
    return out;
}

std::optional<std::string> unescape(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
            if (i == text.size() || !std::string_view(",|$\\").contains(text[i])) {
                return std::nullopt;
            }
        }
        plain.push_back(text[i]);
    }
    return plain;
}

Result<Operand> parse_operand(const SearchParam& param, Modifier modifier, std::string_view text,
                              const QueryOptions& options) {
    if (text.empty()) {
        return wrong({"Une valeur est vide.", "A value is empty."},
                     {"Donner une valeur, ou retirer le paramètre.",
                      "Give a value, or leave the parameter out."});
    }
    if (modifier == Modifier::Text) return parse_string(text);
    if (modifier == Modifier::Identifier) return parse_token(text);
    if (modifier == Modifier::OfType) return parse_typed(text);
    switch (param.type) {
        case Kind::Token: {
            auto operand = parse_token(text);
            const bool is_called = param.code == "telecom" || param.code == "phone";
            if (operand && is_called) operand->folded = phone_number(operand->text);
            return operand;
        }
        case Kind::String:
        case Kind::Uri:
            return parse_string(text);
        case Kind::Reference:
            return parse_reference_operand(text, options);
        case Kind::Date:
            return parse_date_operand(text, options);
        case Kind::Number:
        case Kind::Quantity:
            return parse_amount(param.type, text);
        case Kind::Composite:
            return parse_composite(param, text, options);
        case Kind::Special:
            break;
    }
    return wrong({"Ce paramètre de recherche n'est pas pris en charge.",
                  "This search parameter is not supported."},
                 {"Chercher autrement.", "Search in another way."});
}

std::optional<Modifier> modifier_named(std::string_view name) {
    const auto found = std::ranges::find(modifiers(), name, &NamedModifier::name);
    if (found == modifiers().end()) return std::nullopt;
    return found->modifier;
}

bool suits(Modifier modifier, SearchParam::Type type) {
    const auto found = std::ranges::find(modifiers(), modifier, &NamedModifier::modifier);
    return found == modifiers().end() ||
           std::ranges::find(found->types, type) != found->types.end();
}

std::string modifiers_of(SearchParam::Type type) {
    std::string names;
    for (const auto& each : modifiers()) {
        if (!suits(each.modifier, type)) continue;
        names += names.empty() ? ":" : ", :";
        names += each.name;
    }
    return names;
}

}  // namespace hygie::fhir
