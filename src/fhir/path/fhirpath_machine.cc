#include "fhir/path/fhirpath_machine.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace hygie::fhir {
namespace {

/// The memory of the last machine of this thread, so that the next one need not allocate.
thread_local std::vector<PathItem> spare_stack;
constexpr std::size_t kSpareItemsMax = 4'096;

PathItem typed(Json value, Json extra, const TypeDef* type) {
    if (value.is_object() && type != nullptr && type->kind == TypeKind::Resource) {
        return resource_item(value);
    }
    return {value, extra, type};
}

const TypeDef* type_of_element(const ElementDef& element) {
    return element.types.empty() ? nullptr : element.types.front().type;
}

/// Primitives have an id and extensions, which their definitions need not list.
const TypeDef* type_inside_primitive(std::string_view name) {
    static const TypeDef* const extension = find_type("Extension");
    return name == "extension" ? extension : nullptr;
}

/// The member "_name", where a primitive keeps its id and extensions.
Json extra_of(Json object, std::string_view name) {
    constexpr std::size_t kNameMax = 63;  // no element of FHIR has a longer name
    char buffer[kNameMax + 1] = {'_'};
    if (name.size() > kNameMax) return {};
    std::ranges::copy(name, buffer + 1);
    return object[{buffer, name.size() + 1}];
}

}  // namespace

std::unexpected<Error> run_error(std::string_view fr, std::string_view en) {
    return fail(Code::BadInput, {"FHIRPath : " + std::string(fr), "FHIRPath: " + std::string(en)},
                {"Corrigez l'expression ou les données qu'elle lit.",
                 "Correct the expression or the data that it reads."});
}

PathMachine::PathMachine(const PathContext& context, Arena& arena)
    : context_(context), arena_(arena), stack_(std::exchange(spare_stack, {})) {
    stack_.clear();
}

PathMachine::~PathMachine() {
    if (stack_.capacity() <= kSpareItemsMax) spare_stack = std::move(stack_);
}

Status PathMachine::charge(std::size_t steps) {
    steps_ += steps;
    if (steps_ <= context_.limits.steps_max) return {};
    return fail(Code::Full,
                {"FHIRPath : évaluation trop longue", "FHIRPath: the evaluation takes too long"},
                {"Simplifiez l'expression.", "Simplify the expression."});
}

Status PathMachine::push(const PathItem& item) {
    if (stack_.size() >= context_.limits.items_max) {
        return fail(Code::Full, {"FHIRPath : trop d'éléments", "FHIRPath: too many items"},
                    {"Restreignez l'expression.", "Narrow the expression."});
    }
    ++steps_;
    stack_.push_back(item);
    return {};
}

void PathMachine::erase(std::size_t first, std::size_t last) {
    using Offset = std::vector<PathItem>::difference_type;
    stack_.erase(stack_.begin() + static_cast<Offset>(first),
                 stack_.begin() + static_cast<Offset>(last));
}

Status PathMachine::replace(std::size_t mark, const std::optional<PathItem>& item) {
    drop(mark);
    if (item) return push(*item);
    return {};
}

Status PathMachine::replace(std::size_t mark, bool value) {
    drop(mark);
    return push(make_boolean(arena_, value));
}

Result<std::optional<PathItem>> PathMachine::take_single(std::size_t mark) {
    const auto count = size() - mark;
    if (count > 1) {
        return run_error("un seul élément attendu", "a single item expected");
    }
    std::optional<PathItem> item;
    if (count == 1) item = stack_.back();
    drop(mark);
    return item;
}

Result<std::optional<bool>> PathMachine::take_logical(std::size_t mark) {
    const auto item = TRY(take_single(mark));
    if (!item) return std::optional<bool>{};
    return std::optional<bool>{item->value.kind() != Json::Kind::False};
}

Result<std::optional<PathItem>> PathMachine::argument(const PathNode& call, std::size_t index,
                                                      const PathScope& scope) {
    const auto mark = size();
    TRY_STATUS(run(*call.args[index], scope));
    return take_single(mark);
}

Result<std::optional<bool>> PathMachine::logical(const PathNode& node, const PathScope& scope) {
    const auto mark = size();
    TRY_STATUS(run(node, scope));
    return take_logical(mark);
}

Status PathMachine::push_values(Json value, Json extra, const TypeDef* type) {
    if (!value.is_array() && !extra.is_array()) {
        if (value.absent() && extra.absent()) return {};
        return push(typed(value, extra, type));
    }
    const auto values = value.items();
    const auto extras = extra.items();
    const auto present = [](std::span<const Json> list, std::size_t i) {
        return i < list.size() && list[i].kind() != Json::Kind::Null ? list[i] : Json{};
    };
    for (std::size_t i = 0; i < std::max(values.size(), extras.size()); ++i) {
        const auto item = typed(present(values, i), present(extras, i), type);
        if (item.value || item.extra) TRY_STATUS(push(item));
    }
    return {};
}

/// "value" of an Observation is written "valueQuantity", "_valueString" …
Status PathMachine::push_choice(Json object, const TypeDef& type, const ElementDef& element) {
    for (const auto& member : object.members()) {
        const bool extra = member.name.starts_with('_');
        const auto name = member.name.substr(extra ? 1 : 0);
        if (!name.starts_with(element.name)) continue;
        const auto property = type.property(name);
        if (property.element != &element) continue;
        if (!extra) {
            TRY_STATUS(push_values(member.value, extra_of(object, name), property.type));
        } else if (!object[name]) {
            TRY_STATUS(push_values({}, member.value, property.type));
        }
    }
    return {};
}

Status PathMachine::push_named(const PathItem& item, std::string_view name) {
    const Json object = item.value.is_object() ? item.value : item.extra;
    if (!object.is_object()) return {};
    const auto* element = item.type == nullptr ? nullptr : item.type->element(name);
    if (element != nullptr && element->is_choice) return push_choice(object, *item.type, *element);
    const bool primitive = !item.value.is_object();
    if (element == nullptr && item.type != nullptr && !primitive && !is_system(item.type)) {
        return {};
    }
    const auto value = object[name];
    const auto* type = element != nullptr ? type_of_element(*element)
                       : primitive        ? type_inside_primitive(name)
                                          : nullptr;
    const bool has_extra =
        (type == nullptr || type->kind == TypeKind::Primitive) && !value.is_object();
    if (!has_extra) return push_values(value, {}, type);
    return push_values(value, extra_of(object, name), type);
}

Status PathMachine::push_children(const PathItem& item) {
    const Json object = item.value.is_object() ? item.value : item.extra;
    for (const auto& member : object.members()) {
        const bool extra = member.name.starts_with('_');
        const auto name = member.name.substr(extra ? 1 : 0);
        if (name == "resourceType" || (extra && object[name])) continue;
        const auto* type = item.value.is_object() && item.type != nullptr
                               ? item.type->property(name).type
                               : type_inside_primitive(name);
        if (extra) {
            TRY_STATUS(push_values({}, member.value, type));
        } else if (member.value.is_object() || (type && type->kind != TypeKind::Primitive)) {
            TRY_STATUS(push_values(member.value, {}, type));
        } else {
            TRY_STATUS(push_values(member.value, extra_of(object, name), type));
        }
    }
    return {};
}

Status PathMachine::run_member(const PathNode& node, const PathScope& scope) {
    if (!node.input) return scope.self ? push_named(*scope.self, node.name) : Status{};
    const auto mark = size();
    TRY_STATUS(run(*node.input, scope));
    const auto end = size();
    for (auto i = mark; i < end; ++i) {
        const PathItem item = stack_[i];  // the stack may move
        TRY_STATUS(push_named(item, node.name));
    }
    erase(mark, end);
    return {};
}

Status PathMachine::run_at(const PathNode& node, const PathScope& scope) {
    const auto mark = size();
    TRY_STATUS(run(*node.input, scope));
    const auto end = size();
    const auto index = TRY(argument(node, 0, scope));
    const auto number = index ? number_of(*index) : std::nullopt;
    if (index && !number) return run_error("un index est un entier", "an index is an integer");
    const auto wanted = number ? number->integer().value_or(-1) : -1;
    if (wanted < 0 || static_cast<std::size_t>(wanted) >= end - mark) {
        drop(mark);
        return {};
    }
    stack_[mark] = stack_[mark + static_cast<std::size_t>(wanted)];
    drop(mark + 1);
    return {};
}

Status PathMachine::run_sign(const PathNode& node, const PathScope& scope) {
    const auto mark = size();
    TRY_STATUS(run(*node.input, scope));
    const auto item = TRY(take_single(mark));
    if (!item) return {};
    const auto system = system_of(*item);
    const bool number = system == System::Integer || system == System::Decimal;
    if (!number && system != System::Quantity) {
        return run_error("seul un nombre a un signe", "only a number has a sign");
    }
    if (node.kind == PathNode::Kind::Plus) return push(*item);
    const auto quantity = quantity_of(*item);
    if (!quantity) return {};
    const auto negated = -quantity->value;
    if (!number) return push(make_quantity(arena_, negated, quantity->unit));
    PathItem result{arena_.number(negated.text()), {}, system_type(system)};
    return push(result);
}

Status PathMachine::run_is(const PathNode& node, const PathScope& scope) {
    const auto mark = size();
    TRY_STATUS(run(*node.input, scope));
    if (node.kind == PathNode::Kind::As) {
        const auto kept = std::ranges::remove_if(
            from(mark), [&](const PathItem& item) { return !is_as(item, node.type); });
        drop(size() - kept.size());
        return {};
    }
    const auto item = TRY(take_single(mark));
    return item ? replace(mark, is_of(*item, node.type)) : Status{};
}

Status PathMachine::run(const PathNode& node, const PathScope& scope) {
    using Kind = PathNode::Kind;
    TRY_STATUS(charge(1));
    switch (node.kind) {
        case Kind::Literal:
            return node.literal ? push(*node.literal) : Status{};
        case Kind::This:
            return scope.self ? push(*scope.self) : Status{};
        case Kind::Index:
            return push(make_integer(arena_, scope.index));
        case Kind::Total:
            for (auto i = scope.total_begin; i < scope.total_end; ++i) {
                const PathItem item = stack_[i];
                TRY_STATUS(push(item));
            }
            return {};
        case Kind::Resource:
            return push(context_.resource);
        case Kind::Root:
            return push(context_.root);
        case Kind::Context:
            return push(context_.context);
        case Kind::Type:
            if (scope.self && is_type(scope.self->type, node.type)) return push(*scope.self);
            return {};
        case Kind::Member:
            return run_member(node, scope);
        case Kind::At:
            return run_at(node, scope);
        case Kind::Plus:
        case Kind::Minus:
            return run_sign(node, scope);
        case Kind::Is:
        case Kind::As:
            return run_is(node, scope);
        case Kind::Binary:
            return run_binary(*this, node, scope);
        case Kind::Call:
            break;
    }
    const auto mark = size();
    if (node.input) {
        TRY_STATUS(run(*node.input, scope));
    } else if (scope.self) {
        TRY_STATUS(push(*scope.self));
    }
    return node.function->run(*this, node, scope, mark);
}

bool is_of(const PathItem& item, const TypeDef* type) {
    if (item.type == nullptr) return system_type(system_of(item)) == type;
    return is_type(item.type, type);
}

bool is_as(const PathItem& item, const TypeDef* type) {
    const bool exactly = type->kind == TypeKind::Primitive;
    return exactly && item.type != nullptr ? item.type == type : is_of(item, type);
}

}  // namespace hygie::fhir
