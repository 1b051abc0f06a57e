#include "fhir/search/search_match.h"

#include <algorithm>

#include "fhir/path/fhirpath_unit.h"

namespace hygie::fhir {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// "|code" is for values without system; "code" for any.
bool system_matches(const Token& value, const Operand& operand) {
    if (!operand.system) return true;
    switch (value.scope) {
        case Token::Scope::None:
            return operand.system->empty();
        case Token::Scope::Given:
            return value.system == *operand.system;
        case Token::Scope::Implied:
            return operand.may_be_bare && (operand.is_every_bare || !operand.text.empty());
    }
    return false;
}

bool token_matches(const Token& value, const Operand& operand) {
    if (!system_matches(value, operand)) return false;
    if (!operand.folded.empty() && phone_number(value.code) == operand.folded) return true;
    return operand.text.empty() || same_code(value.code, operand.text);
}

/// Whether `whole` goes on where `start` ends, at the end of a step of the path.
bool is_below(std::string_view whole, std::string_view start) {
    if (!whole.starts_with(start)) return false;
    return whole.size() == start.size() || start.ends_with('/') || whole[start.size()] == '/';
}

/// A canonical is meant with any version when none is asked for.
bool same_address(std::string_view value, std::string_view asked) {
    return value == asked ||
           (value.size() > asked.size() && value.starts_with(asked) && value[asked.size()] == '|');
}

bool is_address(std::string_view text) {
    return text.find_first_of(":/") != std::string_view::npos;
}

}  // namespace

bool same_code(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, {}, lower, lower);
}

bool matches_typed(const Token& type, const Token& value, const Operand& operand) {
    return type.system == operand.system.value_or("") && same_code(type.code, operand.type) &&
           same_code(value.code, operand.text);
}

bool matches(const Token& value, const Operand& operand, Modifier modifier) {
    if (modifier == Modifier::Text) {
        return !operand.folded.empty() && fold(value.text).starts_with(operand.folded);
    }
    return token_matches(value, operand);
}

bool matches(const DateRange& value, const Operand& operand, Modifier /*modifier*/) {
    const DateRange& asked = operand.date;
    const bool within = asked.first <= value.first && value.last <= asked.last;
    switch (operand.prefix) {
        case Prefix::Eq:
            return within;
        case Prefix::Ne:
            return !within;
        case Prefix::Gt:
            return value.last > asked.last;
        case Prefix::Lt:
            return value.first < asked.first;
        // R4 has "ge" leave out what begins before and ends within what was asked for, which "gt"
        // of the day before finds: a night's stay would be missed. It is found, as by other
        // servers.
        case Prefix::Ge:
            return value.last >= asked.first;
        case Prefix::Le:
            return value.first <= asked.last;
        case Prefix::Sa:
            return value.first > asked.last;
        case Prefix::Eb:
            return value.last < asked.first;
        case Prefix::Ap:
            return value.first <= asked.last && value.last >= asked.first;
    }
    return false;
}

namespace {

constexpr std::string_view kUcum = "http://unitsofmeasure.org";

bool has_unit(const Amount& value, const Operand& operand) {
    return operand.unit.empty() || value.code == operand.unit ||
           (!operand.system && value.unit == operand.unit);
}

/// What another unit of UCUM says of the same kind of thing, in the unit asked for
/// (https://hl7.org/fhir/R4/search.html#quantity, canonical units).
std::optional<Amount> in_unit_of(const Amount& value, const Operand& operand) {
    if (value.system != kUcum || operand.system.value_or(std::string(kUcum)) != kUcum)
        return std::nullopt;
    const auto low = convert_scaled(value.low, value.code, operand.unit);
    const auto high =
        low && value.low == value.high ? low : convert_scaled(value.high, value.code, operand.unit);
    if (!low || !high) return std::nullopt;
    return Amount{*low, *high, value.system, operand.unit, {}};
}

}  // namespace

bool matches(const Amount& value, const Operand& operand, Modifier modifier) {
    if (operand.system && value.system != *operand.system) return false;
    if (!has_unit(value, operand)) {
        const auto converted = in_unit_of(value, operand);
        return converted && matches(*converted, operand, modifier);
    }
    const bool within = operand.low <= value.low && value.high < operand.high;
    switch (operand.prefix) {
        case Prefix::Eq:
            return within;
        case Prefix::Ne:
            return !within;
        case Prefix::Gt:
            return value.high > operand.number;
        case Prefix::Lt:
            return value.low < operand.number;
        case Prefix::Ge:
            return value.high >= operand.number;
        case Prefix::Le:
            return value.low <= operand.number;
        case Prefix::Sa:
            return value.low > operand.number;
        case Prefix::Eb:
            return value.high < operand.number;
        case Prefix::Ap:
            return value.low <= operand.high && value.high >= operand.low;
    }
    return false;
}

bool matches(const Words& value, const Operand& operand, Modifier modifier) {
    if (modifier == Modifier::Exact) return value.text == operand.text;
    if (operand.folded.empty()) return false;
    if (modifier == Modifier::Contains) return value.folded.contains(operand.folded);
    return value.folded.starts_with(operand.folded);
}

bool matches(const Uri& value, const Operand& operand, Modifier modifier) {
    if (modifier == Modifier::Below) return is_below(value.text, operand.text);
    if (modifier == Modifier::Above) return is_below(operand.text, value.text);
    return same_address(value.text, operand.text);
}

bool matches(const Reference& value, const Operand& operand, Modifier modifier) {
    if (modifier == Modifier::Identifier) {
        const auto scope =
            value.identifier_system.empty() ? Token::Scope::None : Token::Scope::Given;
        return !value.identifier_value.empty() &&
               token_matches({value.identifier_value, value.identifier_system, scope, {}}, operand);
    }
    if (is_address(operand.text)) {
        return value.type.empty() && same_address(value.id, operand.text);
    }
    return !value.type.empty() && value.id == operand.text &&
           (operand.type.empty() || value.type == operand.type);
}

}  // namespace hygie::fhir
