#include "fhir/path/fhirpath_unit.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace hygie::fhir {
namespace {

constexpr int kNestingMax = 8;
constexpr int kExponentMax = 20;
constexpr std::size_t kTextMax = 256;

enum Base : std::uint8_t {
    kMetre,
    kSecond,
    kGram,
    kKelvin,
    kCoulomb,
    kCandela,
    kMole,
    kInternational,
    kCelsius,
    kFahrenheit,
    kCalendarMonth,
    kArbitrary,
};
constexpr std::array<std::string_view, Unit::kDimensions> kBaseNames = {
    "m", "s", "g", "K", "C", "cd", "mol", "[iU]", "Cel", "[degF]", "month", "[arb'U]"};

struct Power {
    Base base;
    std::int8_t exponent = 1;
};

/// A unit that has a name: so many base units.
struct Atom {
    std::string_view name;
    bool metric;  ///< takes prefixes
    std::string_view factor;
    std::array<Power, 3> powers;
    std::size_t count;
};

const Atom kAtoms[] = {
    {"m", true, "1", {{{kMetre}}}, 1},
    {"s", true, "1", {{{kSecond}}}, 1},
    {"g", true, "1", {{{kGram}}}, 1},
    {"K", true, "1", {{{kKelvin}}}, 1},
    {"C", true, "1", {{{kCoulomb}}}, 1},
    {"cd", true, "1", {{{kCandela}}}, 1},
    {"mol", true, "1", {{{kMole}}}, 1},
    {"eq", true, "1", {{{kMole}}}, 1},
    {"osm", true, "1", {{{kMole}}}, 1},
    {"[iU]", true, "1", {{{kInternational}}}, 1},
    {"[IU]", true, "1", {{{kInternational}}}, 1},
    {"[arb'U]", false, "1", {{{kArbitrary}}}, 1},
    {"Cel", true, "1", {{{kCelsius}}}, 1},
    {"[degF]", false, "1", {{{kFahrenheit}}}, 1},
    {"10*", false, "10", {}, 0},
    {"10^", false, "10", {}, 0},
    {"%", false, "0.01", {}, 0},
    {"[ppth]", false, "0.001", {}, 0},
    {"[ppm]", false, "0.000001", {}, 0},
    {"rad", true, "1", {}, 0},
    {"deg", false, "0.017453292519943295", {}, 0},
    {"[pH]", false, "1", {}, 0},
    {"l", true, "0.001", {{{kMetre, 3}}}, 1},
    {"L", true, "0.001", {{{kMetre, 3}}}, 1},
    {"min", false, "60", {{{kSecond}}}, 1},
    {"h", false, "3600", {{{kSecond}}}, 1},
    {"d", false, "86400", {{{kSecond}}}, 1},
    {"wk", false, "604800", {{{kSecond}}}, 1},
    {"mo", false, "2629800", {{{kSecond}}}, 1},
    {"a", false, "31557600", {{{kSecond}}}, 1},
    {"Hz", true, "1", {{{kSecond, -1}}}, 1},
    {"N", true, "1000", {{{kGram}, {kMetre}, {kSecond, -2}}}, 3},
    {"Pa", true, "1000", {{{kGram}, {kMetre, -1}, {kSecond, -2}}}, 3},
    {"J", true, "1000", {{{kGram}, {kMetre, 2}, {kSecond, -2}}}, 3},
    {"W", true, "1000", {{{kGram}, {kMetre, 2}, {kSecond, -3}}}, 3},
    {"A", true, "1", {{{kCoulomb}, {kSecond, -1}}}, 2},
    {"bar", true, "100000000", {{{kGram}, {kMetre, -1}, {kSecond, -2}}}, 3},
    {"atm", false, "101325000", {{{kGram}, {kMetre, -1}, {kSecond, -2}}}, 3},
    {"m[Hg]", true, "133322000", {{{kGram}, {kMetre, -1}, {kSecond, -2}}}, 3},
    {"m[H2O]", true, "9806650", {{{kGram}, {kMetre, -1}, {kSecond, -2}}}, 3},
    {"cal", true, "4184", {{{kGram}, {kMetre, 2}, {kSecond, -2}}}, 3},
    {"[Cal]", false, "4184000", {{{kGram}, {kMetre, 2}, {kSecond, -2}}}, 3},
    {"kat", true, "1", {{{kMole}, {kSecond, -1}}}, 2},
    {"U", true, "0.000000016666666666666667", {{{kMole}, {kSecond, -1}}}, 2},
    {"Bq", true, "1", {{{kSecond, -1}}}, 1},
    {"Gy", true, "1", {{{kMetre, 2}, {kSecond, -2}}}, 2},
    {"Sv", true, "1", {{{kMetre, 2}, {kSecond, -2}}}, 2},
    {"t", true, "1000000", {{{kGram}}}, 1},
    {"[in_i]", false, "0.0254", {{{kMetre}}}, 1},
    {"[ft_i]", false, "0.3048", {{{kMetre}}}, 1},
    {"[yd_i]", false, "0.9144", {{{kMetre}}}, 1},
    {"[mi_i]", false, "1609.344", {{{kMetre}}}, 1},
    {"[lb_av]", false, "453.59237", {{{kGram}}}, 1},
    {"[oz_av]", false, "28.349523125", {{{kGram}}}, 1},
    {"[st_av]", false, "6350.29318", {{{kGram}}}, 1},
    {"[gr]", false, "0.06479891", {{{kGram}}}, 1},
    {"[foz_us]", false, "0.0000295735295625", {{{kMetre, 3}}}, 1},
    {"[tbs_us]", false, "0.00001478676478125", {{{kMetre, 3}}}, 1},
    {"[tsp_us]", false, "0.00000492892159375", {{{kMetre, 3}}}, 1},
    {"[drp]", false, "0.00000005", {{{kMetre, 3}}}, 1},
    {"[diop]", false, "1", {{{kMetre, -1}}}, 1},
    {"year", false, "12", {{{kCalendarMonth}}}, 1},
    {"month", false, "1", {{{kCalendarMonth}}}, 1},
    {"week", false, "604800", {{{kSecond}}}, 1},
    {"day", false, "86400", {{{kSecond}}}, 1},
    {"hour", false, "3600", {{{kSecond}}}, 1},
    {"minute", false, "60", {{{kSecond}}}, 1},
    {"second", false, "1", {{{kSecond}}}, 1},
    {"millisecond", false, "0.001", {{{kSecond}}}, 1},
};

struct Prefix {
    std::string_view name;
    std::string_view factor;
};
const Prefix kPrefixes[] = {
    {"da", "10"},
    {"d", "0.1"},
    {"c", "0.01"},
    {"m", "0.001"},
    {"u", "0.000001"},
    {"n", "0.000000001"},
    {"p", "0.000000000001"},
    {"f", "0.000000000000001"},
    {"h", "100"},
    {"k", "1000"},
    {"M", "1000000"},
    {"G", "1000000000"},
    {"T", "1000000000000"},
};

Unit unit_of(const Atom& atom, std::string_view prefix_factor) {
    Unit unit;
    unit.factor = *Decimal::multiply(*Decimal::parse(atom.factor), *Decimal::parse(prefix_factor));
    for (const auto& [base, exponent] : std::span(atom.powers).first(atom.count)) {
        unit.powers[base] = exponent;
    }
    return unit;
}

const Atom* find_atom(std::string_view name) {
    const auto* found = std::ranges::find(kAtoms, name, &Atom::name);
    return found == std::end(kAtoms) ? nullptr : found;
}

std::optional<Unit> named(std::string_view name) {
    if (const auto* atom = find_atom(name)) return unit_of(*atom, "1");
    for (const auto& prefix : kPrefixes) {
        if (!name.starts_with(prefix.name)) continue;
        const auto* atom = find_atom(name.substr(prefix.name.size()));
        if (atom != nullptr && atom->metric) return unit_of(*atom, prefix.factor);
    }
    return std::nullopt;
}

/// The grammar of UCUM §7: terms of components joined by "." and "/".
class UnitParser {
  public:
    explicit UnitParser(std::string_view text) : rest_(text) {}

    std::optional<Unit> whole() {
        auto unit = term(0);
        if (!rest_.empty()) return std::nullopt;
        return unit;
    }

  private:
    std::optional<Unit> term(int depth) {
        Unit total;
        int sign = take('/') ? -1 : 1;
        for (;;) {
            const auto part = component(depth);
            if (!part) return std::nullopt;
            const auto joined = Unit::combine(total, *part, sign);
            if (!joined) return std::nullopt;
            total = *joined;
            if (take('.')) {
                sign = 1;
            } else if (take('/')) {
                sign = -1;
            } else {
                return total;
            }
        }
    }

    std::optional<Unit> component(int depth) {
        if (depth > kNestingMax) return std::nullopt;
        if (take('(')) {
            auto inner = term(depth + 1);
            if (!take(')')) return std::nullopt;
            return inner;
        }
        const auto name = symbol();
        std::optional<Unit> unit;
        if (name.empty()) {
            const auto number = digits();
            unit = number.empty() ? std::nullopt : std::optional<Unit>{Unit{}};
            if (!unit) return annotation() ? std::optional<Unit>{Unit{}} : std::nullopt;
            const auto factor = Decimal::parse(number);
            if (!factor || factor->zero()) return std::nullopt;
            unit->factor = *factor;
        } else {
            unit = named(name);
            if (unit) unit = raised(*unit);
        }
        annotation();
        return unit;
    }

    /// A name: letters and bracketed parts, "10*" and "10^", "%".
    std::string_view symbol() {
        if (rest_.starts_with("10*") || rest_.starts_with("10^")) return cut(3);
        std::size_t end = 0;
        bool bracket = false;
        while (end < rest_.size()) {
            const char c = rest_[end];
            const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%';
            if (c == '[') bracket = true;
            if (!bracket && !letter) break;
            if (c == ']') bracket = false;
            ++end;
        }
        return cut(end);
    }

    std::string_view digits() {
        return cut(std::min(rest_.find_first_not_of("0123456789"), rest_.size()));
    }

    bool annotation() {
        if (!rest_.starts_with('{')) return false;
        const auto end = rest_.find('}');
        if (end == std::string_view::npos) return false;
        cut(end + 1);
        return true;
    }

    std::optional<Unit> raised(const Unit& unit) {
        const bool negative = take('-');
        if (!negative) take('+');
        const auto number = digits();
        if (number.empty()) return negative ? std::nullopt : std::optional<Unit>{unit};
        const auto exponent = Decimal::parse(number)->integer();
        if (!exponent || *exponent > kExponentMax) return std::nullopt;
        std::optional<Unit> result = Unit{};
        for (int i = 0; result && i < *exponent; ++i) {
            result = Unit::combine(*result, unit, negative ? -1 : 1);
        }
        return result;
    }

    bool take(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string_view cut(std::size_t count) {
        const auto part = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return part;
    }

    std::string_view rest_;
};

}  // namespace

std::optional<Unit> Unit::parse(std::string_view text) {
    if (text.empty() || text.size() > kTextMax) return std::nullopt;
    return UnitParser(text).whole();
}

std::optional<Unit> Unit::combine(const Unit& left, const Unit& right, int sign) {
    const auto factor = sign > 0 ? Decimal::multiply(left.factor, right.factor)
                                 : Decimal::divide(left.factor, right.factor);
    if (!factor || factor->zero()) return std::nullopt;
    Unit result;
    result.factor = factor->normalized();
    for (std::size_t i = 0; i < kDimensions; ++i) {
        const int power = left.powers[i] + sign * right.powers[i];
        if (std::abs(power) > 3 * kExponentMax) return std::nullopt;
        result.powers[i] = static_cast<std::int8_t>(power);
    }
    return result;
}

std::string Unit::base_text() const {
    std::string out;
    for (std::size_t i = 0; i < kDimensions; ++i) {
        if (powers[i] == 0) continue;
        if (!out.empty()) out += '.';
        out += kBaseNames[i];
        if (powers[i] != 1) out += fmt::format("{}", powers[i]);
    }
    return out.empty() ? "1" : out;
}

std::optional<Decimal> convert(const Decimal& value, std::string_view from, std::string_view to) {
    if (from == to) return value;
    const auto source = Unit::parse(from);
    const auto target = Unit::parse(to);
    if (!source || !target || !source->same_dimension(*target)) return std::nullopt;
    const auto base = Decimal::multiply(value, source->factor);
    return base ? Decimal::divide(*base, target->factor) : std::nullopt;
}

namespace {

/// Degrees Celsius of a temperature, and back.
struct Scale {
    std::string_view unit;
    std::string_view per_degree;  ///< of this scale, to one of Celsius
    std::string_view at_zero;     ///< what this scale shows at 0 Cel
};
constexpr Scale kScales[] = {{"Cel", "1", "0"}, {"[degF]", "1.8", "32"}, {"K", "1", "273.15"}};

const Scale* scale_of(std::string_view unit) {
    const auto* const found = std::ranges::find(kScales, unit, &Scale::unit);
    return found == std::end(kScales) ? nullptr : found;
}

std::optional<Decimal> rescaled(const Decimal& value, const Scale& from, const Scale& to) {
    const auto above = Decimal::add(value, -*Decimal::parse(from.at_zero));
    const auto celsius = above ? Decimal::divide(*above, *Decimal::parse(from.per_degree)) : above;
    const auto degrees =
        celsius ? Decimal::multiply(*celsius, *Decimal::parse(to.per_degree)) : celsius;
    return degrees ? Decimal::add(*degrees, *Decimal::parse(to.at_zero)) : degrees;
}

/// Equivalents and osmoles are moles of what they count: which, no unit says.
bool counts_alike(std::string_view one, std::string_view other) {
    return one.contains("eq") == other.contains("eq") &&
           one.contains("osm") == other.contains("osm");
}

}  // namespace

std::optional<Decimal> convert_scaled(const Decimal& value, std::string_view from,
                                      std::string_view to) {
    const Scale* source = scale_of(from);
    const Scale* target = scale_of(to);
    if (source != nullptr && target != nullptr) return rescaled(value, *source, *target);
    return counts_alike(from, to) ? convert(value, from, to) : std::nullopt;
}

std::string_view calendar_unit(std::string_view text) {
    struct Word {
        std::string_view singular, plural, code;
    };
    static constexpr Word kWords[] = {
        {"year", "years", ""},      {"month", "months", ""},
        {"week", "weeks", "wk"},    {"day", "days", "d"},
        {"hour", "hours", "h"},     {"minute", "minutes", "min"},
        {"second", "seconds", "s"}, {"millisecond", "milliseconds", "ms"},
    };
    for (const auto& word : kWords) {
        if (text == word.singular || text == word.plural || (!text.empty() && text == word.code)) {
            return word.singular;
        }
    }
    return {};
}

}  // namespace hygie::fhir
