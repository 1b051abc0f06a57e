#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "fhir/data/code_shape.h"
#include "fhir/data/known_extensions.h"
#include "fhir/validate/validate_walk.h"

/// What elements say: codes, rules, extensions, contained resources.
namespace hygie::fhir {

namespace {

bool is_in(const ValueSet& set, Json coding) {
    const auto code = coding["code"].text();
    const Json system = coding["system"];
    return system ? set.has(system.text(), code) : set.has(code);
}

/// Whether a coded value of any shape is in the set; words alone are not.
bool says_one_of(const ValueSet& set, Json value) {
    if (!value.is_object()) return set.has(value.text());
    if (const Json codings = value["coding"])
        return std::ranges::any_of(codings.items(), [&](Json one) { return is_in(set, one); });
    return is_in(set, value);
}

bool is_extension(const Place* place) {
    return place != nullptr && (place->name == "extension" || place->name == "modifierExtension");
}

/// "Patient.contact.name" of a place within a resource.
std::string path_of(const Place& place, const TypeDef& root) {
    const bool is_root =
        place.parent == nullptr || place.type == nullptr || place.type->kind == TypeKind::Resource;
    if (is_root) return std::string(root.name);
    return path_of(*place.parent, root) + '.' + std::string(place.name);
}

/// Whether that is where an extension may stand; `root`: the resource around it.
bool is_place(std::string_view in, const Place& place, const TypeDef& root) {
    if (in.contains("://")) return in.contains('#') || place.value["url"].text() == in;
    const bool is_resource = !place.type || place.type->kind == TypeKind::Resource;
    const TypeDef& type = is_resource ? root : *place.type;
    // Resources are elements, too, as HL7's validator reads it.
    if (in == "Element" || type.is_a(in)) return true;
    return (place.element && place.element->path == in) || path_of(place, root) == in;
}

}  // namespace

void Walk::binding(const ElementCheck& element, Json value, const Place& place) {
    const ValueSet* set = element.required_set;
    if (!set && options_.terminology) set = options_.terminology->value_set(element.def->value_set);
    if (!set || value.absent() || says_one_of(*set, value)) return;
    report(
        Issue::Type::CodeInvalid, place,
        {fmt::format("Le code n’est pas du jeu de valeurs « {} », qui s’impose ici.", set->title),
         fmt::format("The code is not of the value set “{}”, which is required here.",
                     set->title)});
}

bool Walk::may_be_in(Json value, std::string_view value_set) const {
    const ValueSet* const set = terminology().value_set(value_set);
    return !set || value.absent() || says_one_of(*set, value);
}

void Walk::bound(Json value, std::string_view value_set, const Place& place) {
    if (may_be_in(value, value_set)) return;
    report(Issue::Type::CodeInvalid, place,
           {"Le code n’est pas du jeu de valeurs que le profil impose.",
            "The code is not of the value set that the profile requires."});
}

void Walk::rule(const Rule& rule, const PathItem& item, const Place& place) {
    const Constraint& constraint = *rule.constraint;
    if (is_full() || (!constraint.is_error && !options_.warnings)) return;
    if (rule.quick && rule.quick(item.value)) return;
    const PathItem outer = std::exchange(context_.context, item);
    const auto kept = rule.expression->holds(context_, arena_);
    context_.context = outer;
    if (kept && *kept) return;
    if (!kept && kept.error().code == Code::Full)
        return report(Issue::Type::TooCostly, place,
                      {fmt::format("La règle {} est trop longue à vérifier ici.", constraint.key),
                       fmt::format("Rule {} takes too long to check here.", constraint.key)});
    // What cannot be evaluated stands on an element that is wrong, and has been reported as such.
    if (!kept && !issues_.empty()) return;
    report(Issue::Type::Invariant, place,
           {fmt::format("La règle {} n’est pas tenue : « {} ».", constraint.key, constraint.human),
            fmt::format("Rule {} is not kept: “{}”.", constraint.key, constraint.human)},
           constraint.is_error ? Issue::Severity::Error : Issue::Severity::Warning);
}

void Walk::rules(const std::vector<Rule>& rules, const PathItem& item, const Place& place) {
    for (const Rule& one : rules) rule(one, item, place);
}

/// Codes of systems that are not known here code by code, but by their shape. Records in the field
/// have such errors, and a display that still says what is meant: they are warned of.
void Walk::code_shape(Json system, Json code, const Place& place, Issue::Severity severity) {
    if (!system.is_string() || !code.is_string()) return;
    const auto fit = fit_of(system.text(), code.text());
    if (fit == CodeFit::WrongShape)
        report(Issue::Type::CodeInvalid, place,
               {"Ce code n’a pas la forme de ceux de son système.",
                "This code has not the shape of those of its system."},
               severity);
    if (fit == CodeFit::WrongKey)
        report(Issue::Type::CodeInvalid, place,
               {"La clé de contrôle de ce code est fausse : vérifiez-le.",
                "The check digit of this code is wrong: verify it."},
               Issue::Severity::Warning);
}

/// A code and words that name another one: which is meant is not known. Words that name none may be
/// a translation.
void Walk::display(Json coding, const Place& place) {
    const Json words = coding["display"];
    if (!options_.warnings || !words.is_string()) return;
    const CodeSystem* const system = terminology().code_system(coding["system"].text());
    if (system && system->names_another(coding["code"].text(), words.text()))
        report(Issue::Type::CodeInvalid, {&place, "display"},
               {"Ces mots nomment un autre code du même système : vérifiez lequel est voulu.",
                "These words name another code of the same system: verify which one is meant."},
               Issue::Severity::Warning);
}

/// What R4 says of an extension that it defines.
void Walk::known_extension(const KnownExtension& known, const Member& value, const TypeDef& type,
                           const Place& place) {
    const auto name = value.name.substr(value.name.starts_with('_') ? 1 : 0);
    const TypeDef* const has = value.name.empty() ? nullptr : type.property(name).type;
    const bool fits =
        has ? std::ranges::find(known.types, has->name) != known.types.end() : known.types.empty();
    if (!fits)
        return report(Issue::Type::Structure, place,
                      {"R4 donne à cette extension une valeur d’un autre type, ou n’en donne pas.",
                       "R4 gives this extension a value of another type, or gives it none."});
    if (!known.value_set.empty() && !value.name.starts_with('_') &&
        !may_be_in(value.value, known.value_set))
        report(Issue::Type::CodeInvalid, {&place, "value"},
               {"Le code n’est pas de ceux que R4 donne à cette extension.",
                "The code is none of those that R4 gives this extension."});
}

void Walk::extension(Json value, const TypeDef& type, const Place& place) {
    const auto members = value.members();
    // What is said of a value may stand before it.
    auto said = std::ranges::find_if(
        members, [](const Member& member) { return member.name.starts_with("value"); });
    if (said == members.end())
        said = std::ranges::find_if(
            members, [](const Member& member) { return member.name.starts_with("_value"); });
    if ((said != members.end()) == !value["extension"].absent())
        return report(Issue::Type::Invariant, place,
                      {"Une extension a soit une valeur, soit des extensions (ext-1).",
                       "An extension has either a value or extensions (ext-1)."});
    // Within another one its name is enough.
    if (!is_extension(place.parent)) absolute(value["url"], {&place, "url"});
    const KnownExtension* const known = find_extension(value["url"].text());
    if (!known) return;
    extension_place(*known, place);
    known_extension(*known, said == members.end() ? Member{} : *said, type, place);
}

/// What defines (it has a "url") is left alone: R4's own definitions do not keep to this.
void Walk::extension_place(const KnownExtension& known, const Place& place) {
    const bool stands = known.places.empty() || !place.parent || !scope_ ||
                        scope_->type->element("url") ||
                        std::ranges::any_of(known.places, [&](std::string_view in) {
                            return is_place(in, *place.parent, *scope_->type);
                        });
    if (stands) return;
    report(
        Issue::Type::Structure, place,
        {"R4 donne à cette extension une autre place.", "R4 gives this extension another place."});
}

void Walk::special(const TypeCheck& check, Json value, const Place& place) {
    if (check.special == Special::Extension) {
        extension(value, *check.type, place);
    } else if (check.special == Special::Coding) {
        absolute(value["system"], {&place, "system"});
        code_shape(value["system"], value["code"], place, Issue::Severity::Warning);
        display(value, place);
    } else if (check.special == Special::Identifier) {
        absolute(value["system"], {&place, "system"});
    } else if (check.special == Special::Bundle) {
        bundle(value, place);
    }
}

/// Links within a resource lead to elements by their ids. A StructureDefinition has each element
/// twice: as it is, and as it differs.
void Walk::note_id(Json id, const Place& place) {
    if (!id.is_string() || !scope_ || scope_->type->name == "StructureDefinition") return;
    if (!scope_->ids.insert(id.text()).second)
        report(Issue::Type::Structure, place,
               {"Deux éléments de la ressource ont le même « id ».",
                "Two elements of the resource have the same “id”."});
}

void Walk::contained(ResourceScope& scope, const Place& place) {
    std::size_t index = 0;
    std::set<std::string_view> ids;
    for (const Json one : scope.resource["contained"].items()) {
        const Place here{&place, "contained", index++};
        const Json meta = one["meta"];
        if (!ids.insert(one["id"].text()).second)
            report(Issue::Type::Structure, here,
                   {"Deux ressources contenues ont le même « id ».",
                    "Two contained resources have the same “id”."});
        if (one["contained"])
            report(Issue::Type::Invariant, here,
                   {"Une ressource contenue n’en contient pas d’autres (dom-2).",
                    "A contained resource contains no others (dom-2)."});
        if (meta["versionId"] || meta["lastUpdated"])
            report(Issue::Type::Invariant, here,
                   {"Une ressource contenue n’a pas de version (dom-4).",
                    "A contained resource has no version (dom-4)."});
        if (meta["security"])
            report(Issue::Type::Invariant, here,
                   {"Une ressource contenue n’a pas d’étiquette de sécurité (dom-5).",
                    "A contained resource has no security label (dom-5)."});
        if (std::ranges::find(scope.referred, one["id"].text()) == scope.referred.end())
            report(Issue::Type::Invariant, here,
                   {"Rien ne se réfère à cette ressource contenue (dom-3).",
                    "Nothing refers to this contained resource (dom-3)."});
    }
}

}  // namespace hygie::fhir
