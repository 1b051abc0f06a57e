#include <algorithm>

#include "fhir/path/fhirpath_machine.h"

/// Functions on collections: existence, filtering, subsets, combination, the tree.
namespace hygie::fhir {
namespace {

using Scope = PathScope;

Status run_empty(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    return machine.replace(mark, machine.size() == mark);
}

Status run_count(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto count = machine.size() - mark;
    return machine.replace(mark, make_integer(machine.arena(), static_cast<std::int64_t>(count)));
}

/// What $this and $index are for the item at that place of the input.
Scope scope_at(PathMachine& machine, const Scope& outer, std::size_t mark, std::size_t i) {
    Scope inner = outer;
    inner.self = machine.at(i);
    inner.index = static_cast<std::int64_t>(i - mark);
    return inner;
}

/// Whether the first argument holds for the item at that place.
Result<bool> holds_at(PathMachine& machine, const PathNode& call, const Scope& scope,
                      std::size_t mark, std::size_t i) {
    const auto result = TRY(machine.logical(*call.args[0], scope_at(machine, scope, mark, i)));
    return result == true;
}

Status run_exists(PathMachine& machine, const PathNode& call, const Scope& scope,
                  std::size_t mark) {
    if (call.args.empty()) return machine.replace(mark, machine.size() > mark);
    for (auto i = mark; i < machine.size(); ++i) {
        if (TRY(holds_at(machine, call, scope, mark, i))) return machine.replace(mark, true);
    }
    return machine.replace(mark, false);
}

Status run_all(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark) {
    for (auto i = mark; i < machine.size(); ++i) {
        if (!TRY(holds_at(machine, call, scope, mark, i))) return machine.replace(mark, false);
    }
    return machine.replace(mark, true);
}

/// allTrue, anyFalse …: looks for one item of that value among booleans.
Result<bool> has_boolean(PathMachine& machine, std::size_t mark, bool wanted) {
    bool found = false;
    for (const auto& item : machine.from(mark)) {
        if (system_of(item) != System::Boolean) {
            return run_error("seuls des booléens sont attendus", "only booleans are expected");
        }
        found = found || (item.value.kind() == Json::Kind::True) == wanted;
    }
    return found;
}

template <bool wanted, bool result>
Status run_boolean(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const bool found = TRY(has_boolean(machine, mark, wanted));
    return machine.replace(mark, found == result);
}

Status run_not(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto value = TRY(machine.take_logical(mark));
    return value ? machine.replace(mark, !*value) : Status{};
}

/// Whether all of [first, last) is found in [other_first, other_last).
Result<bool> contained(PathMachine& machine, std::size_t first, std::size_t last,
                       std::size_t other_first, std::size_t other_last) {
    for (auto i = first; i < last; ++i) {
        const PathItem item = machine.at(i);
        if (!TRY(is_among(machine, item, other_first, other_last))) return false;
    }
    return true;
}

template <bool subset>
Status run_subset(PathMachine& machine, const PathNode& call, const Scope& scope,
                  std::size_t mark) {
    const auto middle = machine.size();
    TRY_STATUS(machine.run(*call.args[0], scope));
    const auto end = machine.size();
    const bool result = subset ? TRY(contained(machine, mark, middle, middle, end))
                               : TRY(contained(machine, middle, end, mark, middle));
    return machine.replace(mark, result);
}

Status run_distinct(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    return keep_distinct(machine, mark);
}

Status run_is_distinct(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto count = machine.size();
    TRY_STATUS(keep_distinct(machine, mark));
    return machine.replace(mark, machine.size() == count);
}

Status run_where(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark) {
    auto kept = mark;
    for (auto i = mark; i < machine.size(); ++i) {
        if (TRY(holds_at(machine, call, scope, mark, i))) machine.at(kept++) = machine.at(i);
    }
    machine.drop(kept);
    return {};
}

Status run_select(PathMachine& machine, const PathNode& call, const Scope& scope,
                  std::size_t mark) {
    const auto end = machine.size();
    for (auto i = mark; i < end; ++i) {
        TRY_STATUS(machine.run(*call.args[0], scope_at(machine, scope, mark, i)));
    }
    machine.erase(mark, end);
    return {};
}

/// Every new item is looked at in turn; what was seen already is not taken again.
Status run_repeat(PathMachine& machine, const PathNode& call, const Scope& scope,
                  std::size_t mark) {
    const auto end = machine.size();
    for (auto i = mark; i < machine.size(); ++i) {
        const auto first_new = machine.size();
        TRY_STATUS(machine.run(*call.args[0], scope_at(machine, scope, mark, i)));
        auto kept = first_new;
        for (auto found = first_new; found < machine.size(); ++found) {
            const PathItem item = machine.at(found);
            if (!TRY(is_among(machine, item, end, kept))) machine.at(kept++) = item;
        }
        machine.drop(kept);
    }
    machine.erase(mark, end);
    return {};
}

Status run_of_type(PathMachine& machine, const PathNode& call, const Scope&, std::size_t mark) {
    const auto gone = std::ranges::remove_if(
        machine.from(mark), [&](const PathItem& item) { return !is_as(item, call.type); });
    machine.drop(machine.size() - gone.size());
    return {};
}

Status run_is(PathMachine& machine, const PathNode& call, const Scope&, std::size_t mark) {
    const auto item = TRY(machine.take_single(mark));
    return item ? machine.replace(mark, is_of(*item, call.type)) : Status{};
}

Status run_single(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    return machine.replace(mark, TRY(machine.take_single(mark)));
}

Status run_first(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    machine.drop(std::min(machine.size(), mark + 1));
    return {};
}

Status run_last(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    if (machine.size() > mark) machine.erase(mark, machine.size() - 1);
    return {};
}

Status run_tail(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    machine.erase(mark, std::min(machine.size(), mark + 1));
    return {};
}

/// The argument of skip and take, within what there is.
Result<std::size_t> count_argument(PathMachine& machine, const PathNode& call, const Scope& scope,
                                   std::size_t available) {
    const auto item = TRY(machine.argument(call, 0, scope));
    const auto number = item ? number_of(*item) : std::nullopt;
    const auto count = number ? number->integer() : std::nullopt;
    if (!count) return run_error("un entier est attendu", "an integer is expected");
    return std::min(static_cast<std::size_t>(std::max<std::int64_t>(*count, 0)), available);
}

Status run_skip(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark) {
    const auto count = TRY(count_argument(machine, call, scope, machine.size() - mark));
    machine.erase(mark, mark + count);
    return {};
}

Status run_take(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark) {
    const auto count = TRY(count_argument(machine, call, scope, machine.size() - mark));
    machine.drop(mark + count);
    return {};
}

/// intersect keeps what the other has, once; exclude keeps the rest, as often as it is there.
template <bool keep_known>
Status run_compare_sets(PathMachine& machine, const PathNode& call, const Scope& scope,
                        std::size_t mark) {
    const auto middle = machine.size();
    TRY_STATUS(machine.run(*call.args[0], scope));
    auto kept = mark;
    for (auto i = mark; i < middle; ++i) {
        const PathItem item = machine.at(i);
        const bool known = TRY(is_among(machine, item, middle, machine.size()));
        if (known == keep_known) machine.at(kept++) = item;
    }
    machine.drop(kept);
    return keep_known ? keep_distinct(machine, mark) : Status{};
}

Status run_combine(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t) {
    return machine.run(*call.args[0], scope);
}

Status run_union(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark) {
    TRY_STATUS(machine.run(*call.args[0], scope));
    return keep_distinct(machine, mark);
}

Status run_iif(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark) {
    Scope inner = scope;
    if (call.input) inner.self = TRY(machine.take_single(mark));
    machine.drop(mark);
    TRY_STATUS(machine.run(*call.args[0], inner));
    const auto condition = TRY(machine.take_single(mark));
    if (condition && system_of(*condition) != System::Boolean) {
        return run_error("une condition est un booléen", "a condition is a boolean");
    }
    const bool holds = condition && condition->value.kind() == Json::Kind::True;
    if (holds) return machine.run(*call.args[1], inner);
    return call.args.size() > 2 ? machine.run(*call.args[2], inner) : Status{};
}

Status run_aggregate(PathMachine& machine, const PathNode& call, const Scope& scope,
                     std::size_t mark) {
    const auto end = machine.size();
    if (call.args.size() > 1) TRY_STATUS(machine.run(*call.args[1], scope));
    for (auto i = mark; i < end; ++i) {
        const auto total_end = machine.size();
        auto inner = scope_at(machine, scope, mark, i);
        inner.total_begin = end;
        inner.total_end = total_end;
        TRY_STATUS(machine.run(*call.args[0], inner));
        machine.erase(end, total_end);
    }
    machine.erase(mark, end);
    return {};
}

/// What is traced may be personal data: it goes nowhere. The arguments are evaluated all the same,
/// so that a wrong one is found.
Status run_trace(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark) {
    TRY_STATUS(machine.argument(call, 0, scope));
    const auto end = machine.size();
    if (call.args.size() > 1) {
        for (auto i = mark; i < end; ++i) {
            TRY_STATUS(machine.run(*call.args[1], scope_at(machine, scope, mark, i)));
        }
    }
    machine.drop(end);
    return {};
}

Status run_children(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto end = machine.size();
    for (auto i = mark; i < end; ++i) {
        const PathItem item = machine.at(i);
        TRY_STATUS(machine.push_children(item));
    }
    machine.erase(mark, end);
    return {};
}

Status run_descendants(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto end = machine.size();
    for (auto i = mark; i < machine.size(); ++i) {
        const PathItem item = machine.at(i);
        TRY_STATUS(machine.push_children(item));
    }
    machine.erase(mark, end);
    return {};
}

constexpr auto kType = PathFunction::Arguments::Type;
constexpr PathFunction kFunctions[] = {
    {"empty", 0, 0, run_empty},
    {"exists", 0, 1, run_exists},
    {"all", 1, 1, run_all},
    {"allTrue", 0, 0, run_boolean<false, false>},
    {"anyTrue", 0, 0, run_boolean<true, true>},
    {"allFalse", 0, 0, run_boolean<true, false>},
    {"anyFalse", 0, 0, run_boolean<false, true>},
    {"not", 0, 0, run_not},
    {"subsetOf", 1, 1, run_subset<true>},
    {"supersetOf", 1, 1, run_subset<false>},
    {"count", 0, 0, run_count},
    {"distinct", 0, 0, run_distinct},
    {"isDistinct", 0, 0, run_is_distinct},
    {"where", 1, 1, run_where},
    {"select", 1, 1, run_select},
    {"repeat", 1, 1, run_repeat},
    {"ofType", 0, 0, run_of_type, kType},
    {"as", 0, 0, run_of_type, kType},
    {"is", 0, 0, run_is, kType},
    {"single", 0, 0, run_single},
    {"first", 0, 0, run_first},
    {"last", 0, 0, run_last},
    {"tail", 0, 0, run_tail},
    {"skip", 1, 1, run_skip},
    {"take", 1, 1, run_take},
    {"intersect", 1, 1, run_compare_sets<true>},
    {"exclude", 1, 1, run_compare_sets<false>},
    {"union", 1, 1, run_union},
    {"combine", 1, 1, run_combine},
    {"iif", 2, 3, run_iif},
    {"aggregate", 1, 2, run_aggregate},
    {"trace", 1, 2, run_trace},
    {"children", 0, 0, run_children},
    {"descendants", 0, 0, run_descendants},
};

}  // namespace

std::span<const PathFunction> collection_functions() {
    return kFunctions;
}

}  // namespace hygie::fhir
