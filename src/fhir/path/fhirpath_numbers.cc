#include <cmath>

#include "fhir/path/fhirpath_machine.h"

/// Functions on numbers (FHIRPath N1 §Math): exact where decimals can be, in double otherwise.
namespace hygie::fhir {
namespace {

using Scope = PathScope;
using Number = std::optional<Decimal>;

/// The one number above the mark; drops it.
Result<Number> take_number(PathMachine& machine, std::size_t mark) {
    const auto item = TRY(machine.take_single(mark));
    if (!item) return Number{};
    const auto number = number_of(*item);
    if (!number) return run_error("un nombre est attendu", "a number is expected");
    return number;
}

Result<Number> number_argument(PathMachine& machine, const PathNode& call, const Scope& scope) {
    const auto mark = machine.size();
    TRY_STATUS(machine.run(*call.args[0], scope));
    return take_number(machine, mark);
}

Status push_decimal(PathMachine& machine, const Number& value) {
    return value ? machine.push(make_decimal(machine.arena(), *value)) : Status{};
}

Status run_abs(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto item = TRY(machine.take_single(mark));
    if (!item) return {};
    const auto quantity = quantity_of(*item);
    if (!quantity) return run_error("un nombre est attendu", "a number is expected");
    if (!quantity->value.negative()) return machine.push(*item);
    const auto value = -quantity->value;
    const auto system = system_of(*item);
    if (system == System::Quantity)
        return machine.push(make_quantity(machine.arena(), value, quantity->unit));
    return machine.push({machine.arena().number(value.text()), {}, system_type(system)});
}

template <Decimal (Decimal::*to_whole)() const>
Status run_whole(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto number = TRY(take_number(machine, mark));
    const auto whole = number ? ((*number).*to_whole)().integer() : std::nullopt;
    if (!whole || *whole > INT32_MAX || *whole < INT32_MIN) return {};
    return machine.push(make_integer(machine.arena(), *whole));
}

template <double (*function)(double)>
Status run_real(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto number = TRY(take_number(machine, mark));
    if (!number) return {};
    return push_decimal(machine, Decimal::from_double(function(number->to_double())));
}

Status run_log(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark) {
    const auto number = TRY(take_number(machine, mark));
    const auto base = TRY(number_argument(machine, call, scope));
    if (!number || !base) return {};
    const double result = std::log(number->to_double()) / std::log(base->to_double());
    return push_decimal(machine, Decimal::from_double(result));
}

Status run_power(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark) {
    const auto item = TRY(machine.take_single(mark));
    const auto exponent = TRY(machine.argument(call, 0, scope));
    if (!item || !exponent) return {};
    const auto number = number_of(*item);
    const auto by = number_of(*exponent);
    if (!number || !by) return run_error("un nombre est attendu", "a number is expected");
    const auto result = Decimal::from_double(std::pow(number->to_double(), by->to_double()));
    const bool integers =
        system_of(*item) == System::Integer && system_of(*exponent) == System::Integer;
    if (!integers || by->negative()) return push_decimal(machine, result);
    if (!result) return {};
    constexpr std::int64_t kNone = INT64_MAX;
    const std::int64_t whole = result->integer().value_or(kNone);
    if (whole > INT32_MAX || whole < INT32_MIN) return {};
    return machine.push(make_integer(machine.arena(), whole));
}

Status run_round(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark) {
    const auto number = TRY(take_number(machine, mark));
    std::int64_t decimals = 0;
    if (!call.args.empty()) {
        const auto wanted = TRY(integer_argument(machine, call, 0, scope));
        decimals = wanted.value_or(0);
        if (decimals < 0)
            return run_error("une précision n'est pas négative", "a precision is not negative");
    }
    if (!number) return {};
    constexpr std::int64_t kMost = 100;  // more than any number has
    return push_decimal(machine, number->rounded(static_cast<int>(std::min(decimals, kMost))));
}

double square_root(double value) {
    return std::sqrt(value);
}
double natural_logarithm(double value) {
    return std::log(value);
}
double exponential(double value) {
    return std::exp(value);
}

constexpr PathFunction kFunctions[] = {
    {"abs", 0, 0, run_abs},
    {"ceiling", 0, 0, run_whole<&Decimal::ceiling>},
    {"floor", 0, 0, run_whole<&Decimal::floor>},
    {"truncate", 0, 0, run_whole<&Decimal::truncated>},
    {"exp", 0, 0, run_real<exponential>},
    {"ln", 0, 0, run_real<natural_logarithm>},
    {"sqrt", 0, 0, run_real<square_root>},
    {"log", 1, 1, run_log},
    {"power", 1, 1, run_power},
    {"round", 0, 1, run_round},
};

}  // namespace

std::span<const PathFunction> number_functions() {
    return kFunctions;
}

}  // namespace hygie::fhir
