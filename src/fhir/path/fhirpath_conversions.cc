#include <algorithm>
#include <string>

#include "base/ascii.h"
#include "fhir/path/fhirpath_machine.h"
#include "fhir/path/fhirpath_unit.h"

/// toX() and convertsToX() (FHIRPath N1 §Conversion).
namespace hygie::fhir {
namespace {

using Item = std::optional<PathItem>;
/// What a value is as another type; absent when it cannot be.
using Conversion = Item (*)(Arena& arena, const PathItem& item);

bool is_true(const PathItem& item) {
    return item.value.kind() == Json::Kind::True;
}

Item to_boolean(Arena& arena, const PathItem& item) {
    const auto system = system_of(item);
    if (system == System::Boolean) return make_boolean(arena, is_true(item));
    if (system == System::Integer || system == System::Decimal) {
        const auto number = number_of(item);
        if (number && *number == Decimal(1)) return make_boolean(arena, true);
        if (number && number->zero()) return make_boolean(arena, false);
        return {};
    }
    if (system != System::String) return {};
    constexpr std::string_view kTrue[] = {"true", "t", "yes", "y", "1", "1.0"};
    constexpr std::string_view kFalse[] = {"false", "f", "no", "n", "0", "0.0"};
    const auto text = lower(item.value.text());
    if (std::ranges::find(kTrue, text) != std::end(kTrue)) return make_boolean(arena, true);
    if (std::ranges::find(kFalse, text) != std::end(kFalse)) return make_boolean(arena, false);
    return {};
}

/// "(\+|-)?\d+(\.\d+)?", the fraction when it is allowed.
Item number_in(std::string_view text, bool fraction, auto&& make) {
    const bool plain =
        !text.empty() && text.find_first_not_of(fraction ? "+-.0123456789" : "+-0123456789") ==
                             std::string_view::npos;
    const auto number = plain ? Decimal::parse(text) : std::nullopt;
    return number ? make(*number) : Item{};
}

Item to_integer(Arena& arena, const PathItem& item) {
    const auto make = [&](const Decimal& number) -> Item {
        const auto whole = number.integer();
        if (!whole || *whole > INT32_MAX || *whole < INT32_MIN) return {};
        return make_integer(arena, *whole);
    };
    switch (system_of(item)) {
        case System::Integer:
            return number_in(item.value.text(), false, make);
        case System::Boolean:
            return make_integer(arena, is_true(item) ? 1 : 0);
        case System::String:
            return number_in(item.value.text(), false, make);
        default:
            return {};
    }
}

Item to_decimal(Arena& arena, const PathItem& item) {
    const auto make = [&](const Decimal& number) -> Item { return make_decimal(arena, number); };
    switch (system_of(item)) {
        case System::Integer:
        case System::Decimal: {
            const auto number = number_of(item);
            return number ? make(*number) : Item{};
        }
        case System::Boolean:
            return make(*Decimal::parse(is_true(item) ? "1.0" : "0.0"));
        case System::String:
            return number_in(item.value.text(), true, make);
        default:
            return {};
    }
}

bool is_text_or(const PathItem& item, System one, System other) {
    const auto system = system_of(item);
    return system == System::String || system == one || system == other;
}

Item to_date(Arena& arena, const PathItem& item) {
    if (!is_text_or(item, System::Date, System::DateTime)) return {};
    auto value = Temporal::parse_date_time(item.value.text());
    if (!value) return {};
    Temporal date;
    date.year = value->year;
    date.month = value->month;
    date.day = value->day;
    date.precision = std::min(value->precision, Temporal::Precision::Day);
    return make_temporal(arena, date);
}

Item to_date_time(Arena& arena, const PathItem& item) {
    if (!is_text_or(item, System::Date, System::DateTime)) return {};
    auto value = Temporal::parse_date_time(item.value.text());
    if (!value) return {};
    value->kind = Temporal::Kind::DateTime;
    return make_temporal(arena, *value);
}

Item to_time(Arena& arena, const PathItem& item) {
    if (!is_text_or(item, System::Time, System::Time)) return {};
    const auto value = Temporal::parse_time(item.value.text());
    return value ? Item{make_temporal(arena, *value)} : Item{};
}

Item to_string(Arena& arena, const PathItem& item) {
    switch (system_of(item)) {
        case System::None:
            return {};
        case System::Quantity: {
            const auto quantity = quantity_of(item);
            if (!quantity) return {};
            const bool word = calendar_unit(quantity->unit) == quantity->unit;
            const std::string quote = word ? "" : "'";
            return make_string(
                arena, quantity->value.text() + " " + quote + std::string(quantity->unit) + quote);
        }
        default:
            return make_string(arena, item.value.text());
    }
}

/// "4.5", "4.5 'mg'", "4 days".
Item quantity_in(Arena& arena, std::string_view text) {
    const auto end = std::min(text.find_first_not_of("+-.0123456789"), text.size());
    const auto number = Decimal::parse(text.substr(0, end));
    if (!number) return {};
    auto unit = text.substr(end);
    const auto start = unit.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) {
        return unit.empty() ? Item{make_quantity(arena, *number, "1")} : Item{};
    }
    unit.remove_prefix(start);
    const bool quoted = unit.size() > 2 && unit.starts_with('\'') && unit.ends_with('\'');
    if (quoted) {
        unit = unit.substr(1, unit.size() - 2);
        if (unit.contains('\'')) return {};
        return make_quantity(arena, *number, unit);
    }
    const auto word = calendar_unit(unit);
    if (word.empty() || !unit.starts_with(word)) return {};
    return make_quantity(arena, *number, word);
}

Item to_quantity(Arena& arena, const PathItem& item) {
    switch (system_of(item)) {
        case System::Integer:
        case System::Decimal:
        case System::Quantity: {
            const auto quantity = quantity_of(item);
            if (!quantity) return {};
            return make_quantity(arena, quantity->value, quantity->unit);
        }
        case System::Boolean:
            return make_quantity(arena, *Decimal::parse(is_true(item) ? "1.0" : "0.0"), "1");
        case System::String:
            return quantity_in(arena, item.value.text());
        default:
            return {};
    }
}

/// A quantity in the unit that the argument of toQuantity names.
Result<Item> in_unit(PathMachine& machine, const PathNode& call, const PathScope& scope,
                     const Item& item) {
    if (call.args.empty() || !item) return item;
    const auto unit = TRY(text_argument(machine, call, 0, scope));
    const auto quantity = quantity_of(*item);
    if (!unit || !quantity) return Item{};
    const auto value = convert(quantity->value, quantity->unit, *unit);
    return value ? Item{make_quantity(machine.arena(), *value, *unit)} : Item{};
}

template <Conversion conversion>
Status run_to(PathMachine& machine, const PathNode& call, const PathScope& scope,
              std::size_t mark) {
    auto item = TRY(machine.take_single(mark));
    if (!item) return {};
    TRY_STATUS(machine.charge_bytes(item->value.text().size()));
    item = TRY(in_unit(machine, call, scope, conversion(machine.arena(), *item)));
    return item ? machine.push(*item) : Status{};
}

template <Conversion conversion>
Status run_converts(PathMachine& machine, const PathNode& call, const PathScope& scope,
                    std::size_t mark) {
    const auto item = TRY(machine.take_single(mark));
    if (!item) return {};
    TRY_STATUS(machine.charge_bytes(item->value.text().size()));
    const auto converted = TRY(in_unit(machine, call, scope, conversion(machine.arena(), *item)));
    return machine.push(make_boolean(machine.arena(), converted.has_value()));
}

constexpr PathFunction kFunctions[] = {
    {"toBoolean", 0, 0, run_to<to_boolean>},
    {"convertsToBoolean", 0, 0, run_converts<to_boolean>},
    {"toInteger", 0, 0, run_to<to_integer>},
    {"convertsToInteger", 0, 0, run_converts<to_integer>},
    {"toDecimal", 0, 0, run_to<to_decimal>},
    {"convertsToDecimal", 0, 0, run_converts<to_decimal>},
    {"toDate", 0, 0, run_to<to_date>},
    {"convertsToDate", 0, 0, run_converts<to_date>},
    {"toDateTime", 0, 0, run_to<to_date_time>},
    {"convertsToDateTime", 0, 0, run_converts<to_date_time>},
    {"toTime", 0, 0, run_to<to_time>},
    {"convertsToTime", 0, 0, run_converts<to_time>},
    {"toString", 0, 0, run_to<to_string>},
    {"convertsToString", 0, 0, run_converts<to_string>},
    {"toQuantity", 0, 1, run_to<to_quantity>},
    {"convertsToQuantity", 0, 1, run_converts<to_quantity>},
};

}  // namespace

std::span<const PathFunction> conversion_functions() {
    return kFunctions;
}

}  // namespace hygie::fhir
