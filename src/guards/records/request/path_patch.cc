#include "guards/records/request/path_patch.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "fhir/data/schema.h"
#include "fhir/path/fhirpath.h"
#include "guards/records/request/patch_edit.h"

namespace hygie::records {

namespace {

using fhir::Json;
using fhir::TypeDef;

/// One operation, read: https://hl7.org/fhir/R4/fhirpatch.html#add and the four behind it.
struct PathOperation {
    std::string_view type{};
    std::string_view path{};
    std::string_view name{};
    Json value{};  ///< the part that holds it
    std::optional<std::size_t> index{}, source{}, destination{};
};

/// Where an item stands, and what it is.
struct Place {
    Pointer pointer{};
    const TypeDef* parent = nullptr;  ///< type of the object whose member it is (in)
};

std::optional<std::size_t> number_in(Json part) {
    const std::string_view text = part["valueInteger"].text();
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

PathOperation operation_of(Json parameter) {
    PathOperation operation;
    for (const Json part : parameter["part"].items()) {
        const std::string_view name = part["name"].text();
        if (name == "type") operation.type = part["valueCode"].text();
        if (name == "path") operation.path = part["valueString"].text();
        if (name == "name") operation.name = part["valueString"].text();
        if (name == "value") operation.value = part;
        if (name == "index") operation.index = number_in(part);
        if (name == "source") operation.source = number_in(part);
        if (name == "destination") operation.destination = number_in(part);
    }
    return operation;
}

/// The value[x] of a part and the suffix that says its type: {"Quantity", {…}}.
std::pair<std::string_view, Json> choice_in(Json part) {
    constexpr std::string_view kValue = "value";
    for (const auto& [name, value] : part["part"] ? Json().members() : part.members()) {
        if (name.starts_with(kValue)) return {name.substr(kValue.size()), value};
    }
    return {};
}

/// The member that an element is written as: "value" with a Quantity is "valueQuantity".
std::string member_named(const TypeDef* type, std::string_view name, std::string_view suffix) {
    const fhir::ElementDef* element = type ? type->element(name) : nullptr;
    return element && element->is_choice ? fmt::format("{}{}", name, suffix) : std::string(name);
}

/// A value that parts spell member by member: for types that no value[x] has.
Json object_of(fhir::Arena& arena, const TypeDef* type, Json parts) {
    Json object = arena.object(std::initializer_list<fhir::Member>{});
    for (const Json part : parts.items()) {
        const std::string_view name = part["name"].text();
        const auto [suffix, given] = choice_in(part);
        const std::string member = member_named(type, name, suffix);
        const auto property = type ? type->property(member) : TypeDef::Property();
        const Json value =
            part["part"] ? object_of(arena, property.type, part["part"]) : arena.copy(given);
        if (!value) continue;
        if (!property.element || !property.element->is_array()) {
            object = arena.with(object, member, value);
            continue;
        }
        std::vector<Json> items(object[member].items().begin(), object[member].items().end());
        items.push_back(value);
        object = arena.with(object, member, arena.array(items));
    }
    return object;
}

bool is_same_place(Json left, Json right) {
    return left.kind() == right.kind() && left.text().data() == right.text().data() &&
           left.items().data() == right.items().data() &&
           left.members().data() == right.members().data();
}

/// Finds the item of a collection in the document it came from. What has no address of its own (a
/// boolean) is not found.
bool locate(Json root, const TypeDef* type, Json wanted, Place& place) {
    if (wanted.is_bool() || wanted.kind() == Json::Kind::Null) return false;
    if (is_same_place(root, wanted)) return true;
    if (root.is_array()) {
        for (std::size_t i = 0; i < root.size(); ++i) {
            place.pointer.push_back(fmt::format("{}", i));
            if (locate(root.items()[i], type, wanted, place)) return true;
            place.pointer.pop_back();
        }
        return false;
    }
    if (const Json name = root["resourceType"]) type = fhir::find_type(name.text());
    for (const auto& [name, value] : root.members()) {
        const TypeDef* outer = std::exchange(place.parent, type);
        place.pointer.emplace_back(name);
        if (locate(value, type ? type->property(name).type : nullptr, wanted, place)) return true;
        place.pointer.pop_back();
        place.parent = outer;
    }
    return false;
}

class PathPatch {
  public:
    PathPatch(fhir::Arena& arena, Json document) : arena_(arena), document_(document) {}

    Answer<Json> apply(Json parameter) {
        const PathOperation operation = operation_of(parameter);
        const auto items = TRY(items_at(operation.path));
        if (operation.type == "add") return add(operation, items);
        if (operation.type == "delete") return remove(operation, items);
        if (operation.type == "replace") return replace(operation, items);
        if (operation.type == "insert") return insert(operation, items);
        if (operation.type == "move") return move(operation, items);
        return misfit({});
    }

  private:
    Answer<fhir::PathItems> items_at(std::string_view path) {
        const auto expression = TRY(fhir::PathExpression::compile(path));
        const auto item = fhir::resource_item(document_);
        fhir::PathContext context{};
        context.resource = context.root = context.context = item;
        return TRY(expression.evaluate(context, arena_));
    }

    /// A boolean is found through the object that has it.
    Answer<Place> place_of(std::string_view path, const fhir::PathItem& item) {
        Place place;
        if (locate(document_, nullptr, item.value, place)) return place;
        const auto dot = path.rfind('.');
        if (!item.value.is_bool() || dot == path.npos) return misfit({});
        const auto owners = TRY(items_at(path.substr(0, dot)));
        const std::string_view name = path.substr(dot + 1);
        if (owners.size() != 1 || !locate(document_, nullptr, owners.front().value, place))
            return misfit({});
        place.parent = owners.front().type;
        const std::string member = member_named(place.parent, name, "Boolean");
        if (!owners.front().value[member].is_bool()) return misfit({});
        place.pointer.push_back(member);
        return place;
    }

    Json value_for(const PathOperation& operation, const TypeDef* parent, std::string_view member) {
        const auto [suffix, value] = choice_in(operation.value);
        if (value) return arena_.copy(value);
        return object_of(arena_, parent ? parent->property(member).type : nullptr,
                         operation.value["part"]);
    }

    Answer<Json> add(const PathOperation& operation, const fhir::PathItems& items) {
        Place place;
        if (items.size() != 1 || operation.name.empty() || !operation.value ||
            !locate(document_, nullptr, items.front().value, place))
            return misfit({});
        const TypeDef* type = items.front().type;
        const std::string member =
            member_named(type, operation.name, choice_in(operation.value).first);
        const auto property = type ? type->property(member) : TypeDef::Property();
        if (!property.element) return misfit({});
        const Json value = value_for(operation, type, member);
        place.pointer.push_back(member);
        const Json present = at(document_, place.pointer);
        if (!property.element->is_array()) {
            if (present) return misfit({});
            return edited(arena_, document_, place.pointer, Edit::Add, value);
        }
        if (!present)
            return edited(arena_, document_, place.pointer, Edit::Add, arena_.array({&value, 1}));
        place.pointer.emplace_back("-");
        return edited(arena_, document_, place.pointer, Edit::Add, value);
    }

    /// What is not there needs no deletion.
    Answer<Json> remove(const PathOperation& operation, const fhir::PathItems& items) {
        if (items.empty()) return document_;
        if (items.size() > 1) return misfit({});
        const Place place = TRY(place_of(operation.path, items.front()));
        if (has_extras(place)) return misfit({});
        return edited(arena_, document_, place.pointer, Edit::Remove, {});
    }

    Answer<Json> replace(const PathOperation& operation, const fhir::PathItems& items) {
        if (items.size() != 1 || !operation.value) return misfit({});
        Place place = TRY(place_of(operation.path, items.front()));
        if (place.pointer.empty()) return misfit({});
        const auto property =
            place.parent ? place.parent->property(place.pointer.back()) : TypeDef::Property();
        if (property.element && property.element->is_choice)
            return replace_choice(operation, place);
        return edited(arena_, document_, place.pointer, Edit::Replace,
                      value_for(operation, place.parent, member_of(place)));
    }

    /// valueQuantity may become valueString.
    Answer<Json> replace_choice(const PathOperation& operation, const Place& place) {
        const auto property = place.parent->property(place.pointer.back());
        const auto [suffix, value] = choice_in(operation.value);
        if (!value) return misfit({});
        const Json without = TRY(edited(arena_, document_, place.pointer, Edit::Remove, {}));
        Pointer pointer = place.pointer;
        pointer.back() = fmt::format("{}{}", property.element->name, suffix);
        return edited(arena_, without, pointer, Edit::Add, arena_.copy(value));
    }

    /// The array that all items are elements of, in its order.
    Answer<Place> array_of(const PathOperation& operation, const fhir::PathItems& items) {
        if (items.empty()) return misfit({});
        Place place = TRY(place_of(operation.path, items.front()));
        if (place.pointer.empty()) return misfit({});
        place.pointer.pop_back();
        const Json array = at(document_, place.pointer);
        if (!array.is_array() || array.size() != items.size() || has_extras(place))
            return misfit({});
        return place;
    }

    Answer<Json> insert(const PathOperation& operation, const fhir::PathItems& items) {
        Place place = TRY(array_of(operation, items));
        if (!operation.index || !operation.value) return misfit({});
        const Json value = value_for(operation, place.parent, place.pointer.back());
        place.pointer.push_back(fmt::format("{}", *operation.index));
        return edited(arena_, document_, place.pointer, Edit::Add, value);
    }

    Answer<Json> move(const PathOperation& operation, const fhir::PathItems& items) {
        const Place place = TRY(array_of(operation, items));
        if (!operation.source || !operation.destination || *operation.source >= items.size() ||
            *operation.destination >= items.size())
            return misfit({});
        const Json array = at(document_, place.pointer);
        std::vector<Json> moved(array.items().begin(), array.items().end());
        const Json one = moved[*operation.source];
        moved.erase(moved.begin() + static_cast<std::ptrdiff_t>(*operation.source));
        moved.insert(moved.begin() + static_cast<std::ptrdiff_t>(*operation.destination), one);
        return edited(arena_, document_, place.pointer, Edit::Replace, arena_.array(moved));
    }

    /// The name of the member, also of an element of an array.
    static std::string_view member_of(const Place& place) {
        const std::string& last = place.pointer.back();
        const bool is_index =
            std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
        return is_index && place.pointer.size() > 1 ? place.pointer[place.pointer.size() - 2]
                                                    : last;
    }

    /// Whether ids or extensions stand beside it ("_given"): they would slip out of place.
    bool has_extras(const Place& place) const {
        Pointer pointer = place.pointer;
        const std::string member = pointer.empty() ? std::string() : std::string(member_of(place));
        while (!pointer.empty() && pointer.back() != member) pointer.pop_back();
        if (pointer.empty()) return false;
        pointer.back() = "_" + member;
        return static_cast<bool>(at(document_, pointer));
    }

    fhir::Arena& arena_;
    Json document_;
};

}  // namespace

Answer<Json> path_patched(fhir::Arena& arena, Json document, Json patch) {
    const auto parameters = patch["parameter"].items();
    if (parameters.empty() || parameters.size() > kPatchOperationsMax) return misfit("Parameters");
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        auto next = parameters[i]["name"].text() == "operation"
                        ? PathPatch(arena, document).apply(parameters[i])
                        : Answer<Json>(misfit({}));
        if (!next) {
            next.error().status = 422;
            next.error().issues.front().expression = fmt::format("Parameters.parameter[{}]", i);
            return next;
        }
        document = *next;
    }
    return document;
}

}  // namespace hygie::records
