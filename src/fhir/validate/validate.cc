#include "fhir/validate/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "fhir/data/validate_xhtml.h"
#include "fhir/validate/validate_primitive.h"
#include "fhir/validate/validate_walk.h"

namespace hygie::fhir {

namespace {

const TypeDef* resource_type(Json resource) {
    const TypeDef* const type = find_type(resource["resourceType"].text());
    return type && type->kind == TypeKind::Resource && !type->is_abstract ? type : nullptr;
}

Json at(Json list, std::size_t index) {
    return index < list.size() ? list.items()[index] : Json();
}

bool is_null(Json value) {
    return value.kind() == Json::Kind::Null;
}

}  // namespace

std::string Place::str() const {
    if (!parent) return std::string(name);
    if (index == kNoIndex) return fmt::format("{}.{}", parent->str(), name);
    return fmt::format("{}.{}[{}]", parent->str(), name, index);
}

Walk::Walk(const ValidateOptions& options) : options_(options) {
    context_.now = options.now;
    context_.member_of = [this](const PathItem& item, std::string_view url) {
        return terminology().member_of(item, url);
    };
}

const Terminology& Walk::terminology() const {
    return options_.terminology ? *options_.terminology : Terminology::r4();
}

void Walk::report(Issue::Type type, const Place& place, Text text, Issue::Severity severity) {
    if (is_full() || (severity != Issue::Severity::Error && !options_.warnings)) return;
    issues_.push_back({severity, type, place.str(), std::move(text)});
}

void Walk::resource(Json value, const Place& place, ResourceScope* container) {
    if (!value.is_object())
        return report(Issue::Type::Structure, place,
                      {"Une ressource, qui est un objet, est attendue ici.",
                       "A resource, which is an object, is expected here."});
    const TypeDef* const type = resource_type(value);
    if (!type)
        return report(Issue::Type::Structure, place,
                      {"« resourceType » ne nomme aucun type de ressource de R4.",
                       "“resourceType” names no type of resource of R4."});
    ResourceScope scope{value, type, container};
    const auto outer = std::exchange(scope_, &scope);
    const auto outer_resource = std::exchange(context_.resource, PathItem{value, {}, type});
    const auto outer_root = context_.root;
    if (!container) context_.root = context_.resource;
    object(value, check_of(*type), place);
    if (!container) contained(scope, place);
    prose(value, *type, place);
    for (const Json profile : value["meta"]["profile"].items())
        claimed(profile.text(), value, *type, place, Issue::Severity::Warning);
    if (!place.parent)
        for (const auto profile : options_.profiles)
            claimed(profile, value, *type, place, Issue::Severity::Error);
    context_.root = outer_root;
    context_.resource = outer_resource;
    scope_ = outer;
}

void Walk::start(Json value) {
    const TypeDef* const type = resource_type(value);
    const Place place{nullptr, type ? type->name : "Resource"};
    if (type && type->name == "Bundle") open_bundle(value);
    resource(value, place, nullptr);
}

void Walk::object(Json value, const TypeCheck& check, const Place& place) {
    if (is_full()) return;
    if (!value.is_object())
        return report(Issue::Type::Structure, place,
                      {fmt::format("Un objet « {} » est attendu ici.", check.type->name),
                       fmt::format("An object “{}” is expected here.", check.type->name)});
    if (value.size() == 0)
        return report(Issue::Type::Structure, place,
                      {"Un objet n’est jamais vide (ele-1) : enlevez l’élément.",
                       "An object is never empty (ele-1): remove the element."});
    Seen seen;
    members(value, check, place, seen);
    missing(check, seen, place);
    rules(check.rules, {value, {}, check.type}, place);
    special(check, value, place);
}

void Walk::members(Json value, const TypeCheck& check, const Place& place, Seen& seen) {
    const TypeDef& type = *check.type;
    const bool has_companions = std::ranges::any_of(
        value.members(), [](const Member& member) { return member.name.starts_with('_'); });
    std::size_t number = 0;
    for (const Member& member : value.members()) {
        ++number;
        const bool is_companion = member.name.starts_with('_');
        const auto name = member.name.substr(is_companion ? 1 : 0);
        if (is_companion && value[name]) continue;
        if (member.name == "resourceType" && type.kind == TypeKind::Resource) continue;
        if (member.name == "id" && check.is_element) note_id(member.value, place);
        const auto property = type.property(name);
        if (!property.element) {
            report(
                Issue::Type::Structure, place,
                {fmt::format("La propriété n° {} n’est pas un élément de {}.", number, type.name),
                 fmt::format("Property no. {} is no element of {}.", number, type.name)});
            continue;
        }
        const auto index = static_cast<std::size_t>(property.element - type.elements.data());
        const ElementCheck& element = check.elements[index];
        if (seen[index])
            report(Issue::Type::Structure, {&place, property.element->name},
                   {"Une seule forme de cet élément à choix peut être là.",
                    "Only one form of this choice may be there."});
        seen.set(index);
        if (is_companion) {
            this->property(property, element, {}, member.value, place);
        } else {
            const Json companion = has_companions ? value["_" + std::string(name)] : Json();
            this->property(property, element, member.value, companion, place);
        }
    }
}

void Walk::property(TypeDef::Property property, const ElementCheck& element, Json value,
                    Json companion, const Place& place) {
    const ElementDef& def = *element.def;
    const TypeCheck& check = check_of(*property.type);
    const Place here{&place, def.name, Place::kNoIndex, &def, property.type, value};
    const bool is_list = value.is_array() || companion.is_array();
    if (is_list != def.is_array())
        return report(Issue::Type::Structure, here,
                      def.is_array()
                          ? Text{"Une liste est attendue ici.", "A list is expected here."}
                          : Text{"Une seule valeur est attendue ici, pas une liste.",
                                 "A single value is expected here, not a list."});
    if (!is_list) return item(check, element, value, companion, here);
    if ((value && !value.is_array()) || (companion && !companion.is_array()) ||
        (value && companion && value.size() != companion.size()))
        return report(Issue::Type::Structure, here,
                      {"La liste et celle de ses identifiants et extensions ne vont pas ensemble.",
                       "The list and that of its ids and extensions do not go together."});
    const std::size_t size = std::max(value.size(), companion.size());
    if (size == 0)
        return report(Issue::Type::Structure, here,
                      {"Une liste n’est jamais vide : enlevez l’élément.",
                       "A list is never empty: remove the element."});
    if (size > def.max || size < def.min)
        report(Issue::Type::Structure, here,
               {fmt::format("De {} à {} valeurs sont attendues.", def.min, def.max),
                fmt::format("{} to {} values are expected.", def.min, def.max)});
    for (std::size_t i = 0; i < size && !is_full(); ++i)
        item(check, element, at(value, i), at(companion, i),
             {&place, def.name, i, &def, property.type, at(value, i)});
}

void Walk::item(const TypeCheck& check, const ElementCheck& element, Json value, Json companion,
                const Place& place) {
    if (check.type->kind == TypeKind::Primitive) {
        primitive(check, value, companion, place);
    } else if (companion) {
        report(Issue::Type::Structure, place,
               {"Seul un élément simple a une propriété qui commence par « _ ».",
                "Only a primitive element has a property that begins with “_”."});
    } else if (check.type->kind == TypeKind::Resource) {
        const bool is_contained = element.def->name == "contained";
        resource(value, place, is_contained ? &scope_->root() : nullptr);
    } else {
        object(value, check, place);
        if (check.special == Special::Reference) reference(element, value, place);
    }
    if (is_null(value) || is_full()) return;
    if (element.def->binding == BindingStrength::Required) binding(element, value, place);
    if (!element.rules.empty()) rules(element.rules, {value, companion, check.type}, place);
}

void Walk::primitive(const TypeCheck& check, Json value, Json companion, const Place& place) {
    if (companion && !is_null(companion)) {
        static const TypeCheck& element = check_of(*find_type("Element"));
        object(companion, element, place);
    }
    if (value.absent() || is_null(value)) {
        if (!companion["extension"])
            report(Issue::Type::Structure, place,
                   {"Un élément a une valeur ou une extension (ele-1).",
                    "An element has a value or an extension (ele-1)."});
        return;
    }
    if (check.special == Special::Xhtml) {
        if (!value.is_string())
            return report(Issue::Type::Value, place,
                          {"Un texte est attendu.", "A text is expected."});
        if (const auto status = check_narrative(value.text()); !status)
            report(Issue::Type::Invariant, place, status.error().what);
    } else if (!check.primitive->has(value)) {
        report(Issue::Type::Value, place,
               {fmt::format("Il faut {}.", check.primitive->fr),
                fmt::format("It should be {}.", check.primitive->en)});
    } else if (value.is_string() && value.text().starts_with('#') && check.type->is_a("uri")) {
        note_local(value.text());
    }
}

void Walk::missing(const TypeCheck& check, const Seen& seen, const Place& place) {
    for (const std::size_t index : check.mandatory) {
        if (seen[index]) continue;
        report(Issue::Type::Required, {&place, check.elements[index].def->name},
               {"Cet élément est obligatoire.", "This element is mandatory."});
    }
}

std::string_view code_of(Issue::Type type) {
    switch (type) {
        case Issue::Type::Structure:
            return "structure";
        case Issue::Type::Required:
            return "required";
        case Issue::Type::Value:
            return "value";
        case Issue::Type::Invariant:
            return "invariant";
        case Issue::Type::CodeInvalid:
            return "code-invalid";
        case Issue::Type::NotFound:
            return "not-found";
        case Issue::Type::TooLong:
            return "too-long";
        case Issue::Type::TooCostly:
            return "too-costly";
    }
    return "invalid";
}

std::string_view code_of(Issue::Severity severity) {
    return severity == Issue::Severity::Error     ? "error"
           : severity == Issue::Severity::Warning ? "warning"
                                                  : "information";
}

bool Outcome::is_valid() const {
    return std::ranges::find(issues, Issue::Severity::Error, &Issue::severity) == issues.end();
}

Outcome validate(Json resource, const ValidateOptions& options) {
    Walk walk(options);
    walk.start(resource);
    return {walk.take_issues()};
}

}  // namespace hygie::fhir
