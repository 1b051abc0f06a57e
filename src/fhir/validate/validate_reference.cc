#include <fmt/format.h>

#include <algorithm>

#include "fhir/validate/validate_primitive.h"
#include "fhir/validate/validate_walk.h"

/// References: where they lead, and whether that may be there.
namespace hygie::fhir {

namespace {

/// "Patient/1", also behind a base and before a version; null for what names no type.
const TypeDef* type_in(std::string_view reference) {
    reference = reference.substr(0, reference.find("/_history/"));
    const auto slash = reference.rfind('/');
    if (slash == std::string_view::npos || !is_id(reference.substr(slash + 1))) return nullptr;
    const auto before = reference.substr(0, slash);
    const TypeDef* const type = find_type(before.substr(before.rfind('/') + 1));
    return type && type->kind == TypeKind::Resource ? type : nullptr;
}

/// Whether one of the targets is the type, or one that it derives from; anything when there are
/// none.
bool is_target(std::span<const std::string_view> targets, const TypeDef& type) {
    return targets.empty() ||
           std::ranges::any_of(targets, [&](std::string_view name) { return type.is_a(name); });
}

std::span<const std::string_view> targets_of(const ElementDef& def) {
    for (const ElementType& alternative : def.types)
        if (alternative.type->name == "Reference") return alternative.targets;
    return {};
}

std::string listed(std::span<const std::string_view> names) {
    return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

void Walk::note_local(std::string_view target) {
    auto& root = scope_->root();
    // "#" is the container itself, which refers to who says so.
    root.referred.push_back(target.size() > 1 ? target.substr(1) : scope_->resource["id"].text());
}

void Walk::local_reference(std::string_view target, const Place& place) {
    note_local(target);
    if (target.size() == 1) return;
    const auto contained = scope_->root().resource["contained"].items();
    const bool is_there = std::ranges::any_of(
        contained, [&](Json one) { return one["id"].text() == target.substr(1); });
    if (!is_there)
        report(Issue::Type::Invariant, place,
               {"La référence locale ne désigne aucune ressource contenue (ref-1).",
                "The local reference means no contained resource (ref-1)."});
}

/// What a Bundle names by a UUID or an OID is to be found nowhere else.
void Walk::bundled_reference(std::string_view target, const Place& place) {
    const bool is_name = target.starts_with("urn:uuid:") || target.starts_with("urn:oid:");
    if (is_bundle_ && is_name && !entry_at(target))
        report(Issue::Type::NotFound, place,
               {"La référence ne désigne aucune entrée du Bundle.",
                "The reference means no entry of the Bundle."},
               Issue::Severity::Warning);
}

Json Walk::entry_at(std::string_view reference) const {
    const auto found = entries_.find(reference.substr(0, reference.find("/_history/")));
    return found == entries_.end() ? Json() : found->second;
}

const TypeDef* Walk::referenced_type(std::string_view reference) const {
    if (reference.starts_with('#')) {
        if (reference.size() == 1) return scope_->root().type;
        for (const Json one : scope_->root().resource["contained"].items())
            if (one["id"].text() == reference.substr(1))
                return find_type(one["resourceType"].text());
        return nullptr;
    }
    if (const Json entry = entry_at(reference)) return find_type(entry["resourceType"].text());
    return type_in(reference);
}

void Walk::target(Json reference, const std::vector<std::string_view>& types, const Place& place) {
    const auto text = reference["reference"].text();
    const TypeDef* const found = text.empty() ? nullptr : referenced_type(text);
    if (found && !is_target(types, *found))
        report(Issue::Type::Structure, place,
               {fmt::format("Selon le profil, la référence doit désigner : {}.", listed(types)),
                fmt::format("By the profile the reference must mean: {}.", listed(types))});
}

void Walk::reference(const ElementCheck& element, Json value, const Place& place) {
    const auto targets = targets_of(*element.def);
    const auto wrong_type = [&] {
        report(Issue::Type::Structure, place,
               {fmt::format("La référence doit désigner : {}.", listed(targets)),
                fmt::format("The reference must mean: {}.", listed(targets))});
    };
    const auto text = value["reference"].text();
    if (text.starts_with('#')) local_reference(text, place);
    bundled_reference(text, place);
    const TypeDef* const found = text.empty() ? nullptr : referenced_type(text);
    if (found && !is_target(targets, *found)) return wrong_type();
    const auto stated = value["type"].text();
    if (stated.empty()) return;
    const TypeDef* const named = find_type(stated);
    if (named && !is_target(targets, *named)) return wrong_type();
    if (named && found && named != found)
        report(Issue::Type::Structure, place,
               {"« type » et « reference » ne s’accordent pas.",
                "“type” and “reference” do not agree."});
}

}  // namespace hygie::fhir
