#include <algorithm>
#include <functional>
#include <unordered_map>

#include "fhir/path/fhirpath_machine.h"
#include "fhir/path/fhirpath_unit.h"

namespace hygie::fhir {
namespace {

using Logical = std::optional<bool>;
using Item = std::optional<PathItem>;

/// Below this many items, comparing each with each is faster than hashing.
constexpr std::size_t kHashedFrom = 16;

Logical implied(Logical left, Logical right) {
    if (left == false || right == true) return true;
    if (!left || !right) return {};
    return right;
}

/// "and", "or" and "implies" do not look at the right side when the left decides.
Status run_logic(PathMachine& machine, const PathNode& node, const PathScope& scope) {
    const auto mark = machine.size();
    const auto left = TRY(machine.logical(*node.args[0], scope));
    if (node.op == PathOp::Or && left == true) return machine.replace(mark, true);
    if (node.op == PathOp::And && left == false) return machine.replace(mark, false);
    if (node.op == PathOp::Implies && left == false) return machine.replace(mark, true);
    const auto right = TRY(machine.logical(*node.args[1], scope));
    Logical result;
    if (node.op == PathOp::Implies) {
        result = implied(left, right);
    } else if (node.op == PathOp::Xor) {
        if (left && right) result = *left != *right;
    } else {
        const bool deciding = node.op == PathOp::Or;
        if (left == deciding || right == deciding) {
            result = deciding;
        } else if (left && right) {
            result = !deciding;
        }
    }
    return result ? machine.replace(mark, *result) : Status{};
}

Logical all_equal(std::span<const PathItem> left, std::span<const PathItem> right) {
    if (left.empty() || right.empty()) return {};
    if (left.size() != right.size()) return false;
    bool known = true;
    for (std::size_t i = 0; i < left.size(); ++i) {
        const auto same = equal(left[i], right[i]);
        if (same == false) return false;
        known = known && same.has_value();
    }
    return known ? Logical{true} : Logical{};
}

bool all_equivalent(std::span<const PathItem> left, std::span<const PathItem> right) {
    return left.size() == right.size() && std::ranges::is_permutation(left, right, equivalent);
}

Status run_order(PathMachine& machine, PathOp op, std::size_t mark, std::size_t middle) {
    const auto right = TRY(machine.take_single(middle));
    const auto left = TRY(machine.take_single(mark));
    if (!left || !right) return {};
    const auto order = TRY(compare(*left, *right));
    if (!order) return {};
    const bool result = op == PathOp::Less        ? *order < 0
                        : op == PathOp::LessEqual ? *order <= 0
                        : op == PathOp::Greater   ? *order > 0
                                                  : *order >= 0;
    return machine.replace(mark, result);
}

Status run_membership(PathMachine& machine, PathOp op, std::size_t mark, std::size_t middle) {
    const auto end = machine.size();
    const bool in = op == PathOp::In;
    const auto needle_begin = in ? mark : middle;
    const auto needle_end = in ? middle : end;
    if (needle_end - needle_begin > 1) {
        return run_error("un seul élément attendu", "a single item expected");
    }
    if (needle_begin == needle_end) return machine.replace(mark, std::nullopt);
    const auto needle = machine.at(needle_begin);
    const bool found = TRY(is_among(machine, needle, in ? middle : mark, in ? end : middle));
    return machine.replace(mark, found);
}

/// "&": an absent text counts as an empty one.
Status run_concat(PathMachine& machine, std::size_t mark, std::size_t middle, bool strict) {
    const auto right = TRY(machine.take_single(middle));
    const auto left = TRY(machine.take_single(mark));
    std::string text;
    for (const auto& item : {left, right}) {
        if (strict && !item) return {};
        if (!item) continue;
        if (system_of(*item) != System::String) {
            return run_error("seuls des textes se joignent", "only strings are joined");
        }
        text += item->value.text();
    }
    TRY_STATUS(machine.charge_bytes(text.size()));
    return machine.push(make_string(machine.arena(), text));
}

std::unexpected<Error> not_computable() {
    return run_error("ce calcul n'existe pas entre ces valeurs",
                     "there is no such operation between these values");
}

Item move_moment(PathMachine& machine, const Temporal& moment, const PathQuantity& by,
                 std::string_view unit, bool back) {
    const auto result = moved(moment, back ? -by.value : by.value, unit);
    return result ? Item{make_temporal(machine.arena(), *result)} : Item{};
}

Result<Item> add_quantities(PathMachine& machine, const PathQuantity& left,
                            const PathQuantity& right, bool subtract) {
    const auto converted = convert(right.value, right.unit, left.unit);
    if (!converted) return not_computable();
    const auto sum = Decimal::add(left.value, subtract ? -*converted : *converted);
    return sum ? Item{make_quantity(machine.arena(), *sum, left.unit)} : Item{};
}

Result<Item> multiply_quantities(PathMachine& machine, const PathQuantity& left,
                                 const PathQuantity& right, bool divide) {
    const auto a = Unit::parse(left.unit);
    const auto b = Unit::parse(right.unit);
    const auto unit = a && b ? Unit::combine(*a, *b, divide ? -1 : 1) : std::nullopt;
    if (!unit) return not_computable();
    const auto value = divide ? Decimal::divide(left.value, right.value)
                              : Decimal::multiply(left.value, right.value);
    const auto scaled = value ? Decimal::multiply(*value, unit->factor) : std::nullopt;
    if (!scaled) return Item{};
    return Item{make_quantity(machine.arena(), scaled->normalized(), unit->base_text())};
}

Item number_result(PathMachine& machine, std::optional<Decimal> value, bool whole) {
    if (!value) return {};
    if (!whole) return make_decimal(machine.arena(), *value);
    const auto integer = value->integer();
    const bool fits = integer && *integer <= INT32_MAX && *integer >= INT32_MIN;
    return fits ? Item{make_integer(machine.arena(), *integer)} : Item{};
}

Item compute(PathMachine& machine, PathOp op, const Decimal& left, const Decimal& right,
             bool integers) {
    switch (op) {
        case PathOp::Add:
            return number_result(machine, Decimal::add(left, right), integers);
        case PathOp::Subtract:
            return number_result(machine, Decimal::add(left, -right), integers);
        case PathOp::Multiply:
            return number_result(machine, Decimal::multiply(left, right), integers);
        case PathOp::Divide:
            return number_result(machine, Decimal::divide(left, right), false);
        case PathOp::Div:
            return number_result(machine, Decimal::whole_quotient(left, right), true);
        default:
            return number_result(machine, Decimal::remainder(left, right), integers);
    }
}

Result<Item> arithmetic(PathMachine& machine, PathOp op, const PathItem& left,
                        const PathItem& right) {
    const auto a = system_of(left);
    const auto b = system_of(right);
    const bool sum = op == PathOp::Add || op == PathOp::Subtract;
    const auto moment = sum && b == System::Quantity ? temporal_of(left) : std::nullopt;
    if (moment) {
        const auto by = quantity_of(right);
        const auto unit = by ? calendar_unit(by->unit) : std::string_view{};
        if (unit.empty()) return not_computable();
        return move_moment(machine, *moment, *by, unit, op == PathOp::Subtract);
    }
    const auto x = number_of(left);
    const auto y = number_of(right);
    if (x && y) {
        const bool integers = a == System::Integer && b == System::Integer;
        return compute(machine, op, *x, *y, integers);
    }
    const auto p = quantity_of(left);
    const auto q = quantity_of(right);
    if (!p || !q || op == PathOp::Div || op == PathOp::Mod) return not_computable();
    return sum ? add_quantities(machine, *p, *q, op == PathOp::Subtract)
               : multiply_quantities(machine, *p, *q, op == PathOp::Divide);
}

Status run_arithmetic(PathMachine& machine, PathOp op, std::size_t mark, std::size_t middle) {
    const bool text =
        op == PathOp::Add && middle > mark && system_of(machine.at(mark)) == System::String;
    if (text) return run_concat(machine, mark, middle, true);
    const auto right = TRY(machine.take_single(middle));
    const auto left = TRY(machine.take_single(mark));
    if (!left || !right) return {};
    return machine.replace(mark, TRY(arithmetic(machine, op, *left, *right)));
}

Status keep_distinct_hashed(PathMachine& machine, std::size_t mark) {
    std::unordered_multimap<std::size_t, std::size_t> seen;
    auto kept = mark;
    for (auto i = mark; i < machine.size(); ++i) {
        const auto hash = hash_of(machine.at(i));
        const auto [first, last] = seen.equal_range(hash);
        const auto known = std::ranges::find_if(first, last, [&](const auto& entry) {
            return equal(machine.at(entry.second), machine.at(i)) == true;
        });
        TRY_STATUS(machine.charge(1 + static_cast<std::size_t>(std::distance(first, known))));
        if (known != last) continue;
        seen.emplace(hash, kept);
        machine.at(kept++) = machine.at(i);
    }
    machine.drop(kept);
    return {};
}

}  // namespace

Result<bool> is_among(PathMachine& machine, const PathItem& item, std::size_t first,
                      std::size_t last) {
    TRY_STATUS(machine.charge((last - first) / 4));
    for (auto i = first; i < last; ++i) {
        if (equal(machine.at(i), item) == true) return true;
    }
    return false;
}

Status keep_distinct(PathMachine& machine, std::size_t mark) {
    if (machine.size() - mark >= kHashedFrom) return keep_distinct_hashed(machine, mark);
    auto kept = mark;
    for (auto i = mark; i < machine.size(); ++i) {
        const PathItem item = machine.at(i);
        if (!TRY(is_among(machine, item, mark, kept))) machine.at(kept++) = item;
    }
    machine.drop(kept);
    return {};
}

Status run_binary(PathMachine& machine, const PathNode& node, const PathScope& scope) {
    const auto mark = machine.size();
    switch (node.op) {
        case PathOp::Implies:
        case PathOp::Or:
        case PathOp::Xor:
        case PathOp::And:
            return run_logic(machine, node, scope);
        default:
            break;
    }
    TRY_STATUS(machine.run(*node.args[0], scope));
    const auto middle = machine.size();
    TRY_STATUS(machine.run(*node.args[1], scope));
    const auto left = machine.from(mark).first(middle - mark);
    const auto right = machine.from(middle);
    TRY_STATUS(machine.charge((left.size() + right.size()) / 4));
    switch (node.op) {
        case PathOp::Equal:
        case PathOp::NotEqual: {
            const auto same = all_equal(left, right);
            if (!same) return machine.replace(mark, std::nullopt);
            return machine.replace(mark, *same == (node.op == PathOp::Equal));
        }
        case PathOp::Equivalent:
        case PathOp::NotEquivalent: {
            TRY_STATUS(machine.charge(left.size() * right.size() / 4));
            const bool same = all_equivalent(left, right);
            return machine.replace(mark, same == (node.op == PathOp::Equivalent));
        }
        case PathOp::Less:
        case PathOp::LessEqual:
        case PathOp::Greater:
        case PathOp::GreaterEqual:
            return run_order(machine, node.op, mark, middle);
        case PathOp::In:
        case PathOp::Contains:
            return run_membership(machine, node.op, mark, middle);
        case PathOp::Union:
            return keep_distinct(machine, mark);
        case PathOp::Concat:
            return run_concat(machine, mark, middle, false);
        default:
            return run_arithmetic(machine, node.op, mark, middle);
    }
}

}  // namespace hygie::fhir
