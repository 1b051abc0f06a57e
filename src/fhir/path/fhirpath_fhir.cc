#include <algorithm>

#include "fhir/data/validate_xhtml.h"
#include "fhir/path/fhirpath_machine.h"

/// The clock, types, and the functions that FHIR adds (https://hl7.org/fhir/R4/fhirpath.html).
namespace hygie::fhir {
namespace {

using Scope = PathScope;
using Item = std::optional<PathItem>;

Status run_now(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto now = Temporal::from_wall(machine.context().now);
    return machine.replace(mark, make_temporal(machine.arena(), now));
}

Status run_today(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto now = Temporal::from_wall(machine.context().now);
    Temporal today;
    today.precision = Temporal::Precision::Day;
    today.year = now.year;
    today.month = now.month;
    today.day = now.day;
    return machine.replace(mark, make_temporal(machine.arena(), today));
}

Status run_time_of_day(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    auto time = Temporal::from_wall(machine.context().now);
    time.kind = Temporal::Kind::Time;
    time.offset_minutes.reset();
    return machine.replace(mark, make_temporal(machine.arena(), time));
}

/// Namespace and name of the type of each item.
Status run_type(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    constexpr std::string_view kSystem = "System.";
    Arena& arena = machine.arena();
    for (auto& item : machine.from(mark)) {
        const auto* type = item.type ? item.type : system_type(system_of(item));
        const bool system = is_system(type);
        const auto name = system ? type->name.substr(kSystem.size()) : type->name;
        const auto info = arena.object({{"namespace", arena.string(system ? "System" : "FHIR")},
                                        {"name", arena.string(name)}});
        item = {info, {}, nullptr};
    }
    return machine.charge(machine.size() - mark);
}

Status run_extension(PathMachine& machine, const PathNode& call, const Scope& scope,
                     std::size_t mark) {
    const auto end = machine.size();
    const auto url = TRY(text_argument(machine, call, 0, scope));
    for (auto i = mark; i < end && url; ++i) {
        const PathItem item = machine.at(i);
        const auto first = machine.size();
        TRY_STATUS(machine.push_named(item, "extension"));
        const auto others = std::ranges::remove_if(machine.from(first), [&](const PathItem& each) {
            return each.value["url"].text() != *url;
        });
        machine.drop(machine.size() - others.size());
    }
    machine.erase(mark, end);
    return {};
}

bool is_primitive_value(const PathItem& item) {
    return item.value.is_string() || item.value.is_number() || item.value.is_bool();
}

Status run_has_value(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto items = machine.from(mark);
    return machine.replace(mark, items.size() == 1 && is_primitive_value(items.front()));
}

Status run_get_value(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto items = machine.from(mark);
    if (items.size() != 1 || !is_primitive_value(items.front())) {
        return machine.replace(mark, std::nullopt);
    }
    const PathItem item = items.front();
    return machine.replace(mark, PathItem{item.value, {}, system_type(system_of(item))});
}

Status run_resolve(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto end = machine.size();
    for (auto i = mark; i < end; ++i) {
        const PathItem item = machine.at(i);
        if (const auto found = TRY(resolve_reference(machine, item))) {
            TRY_STATUS(machine.push(*found));
        }
    }
    machine.erase(mark, end);
    return {};
}

/// What a function of the context says about the one item; nothing when it does not know.
Status ask(PathMachine& machine, const PathNode& call, const Scope& scope, std::size_t mark,
           const std::function<Result<bool>(const PathItem&, std::string_view)>& answer) {
    const auto item = TRY(machine.take_single(mark));
    const auto url = TRY(text_argument(machine, call, 0, scope));
    if (!item || !url || !answer) return {};
    const auto result = answer(*item, *url);
    if (!result && result.error().code == Code::NotFound) return {};
    return machine.push(make_boolean(machine.arena(), TRY(result)));
}

Status run_member_of(PathMachine& machine, const PathNode& call, const Scope& scope,
                     std::size_t mark) {
    return ask(machine, call, scope, mark, machine.context().member_of);
}

Status run_conforms(PathMachine& machine, const PathNode& call, const Scope& scope,
                    std::size_t mark) {
    return ask(machine, call, scope, mark,
               [&](const PathItem& item, std::string_view profile) -> Result<bool> {
                   constexpr std::string_view kBase = "http://hl7.org/fhir/StructureDefinition/";
                   const auto* type = profile.starts_with(kBase)
                                          ? find_type(profile.substr(kBase.size()))
                                          : nullptr;
                   if (type != nullptr) return is_of(item, type);
                   if (machine.context().conforms) return machine.context().conforms(item, profile);
                   return run_error("profil inconnu", "an unknown profile");
               });
}

Status run_html_checks(PathMachine& machine, const PathNode&, const Scope&, std::size_t mark) {
    const auto text = TRY(take_text(machine, mark));
    if (!text) return {};
    TRY_STATUS(machine.charge_bytes(text->size()));
    return machine.push(make_boolean(machine.arena(), check_narrative(*text).has_value()));
}

Item contained_resource(const PathItem& resource, std::string_view id) {
    if (id.empty()) return resource;
    for (const Json one : resource.value["contained"].items()) {
        if (one["id"].text() == id) return resource_item(one);
    }
    return {};
}

/// "Patient/1" behind a base that ends in '/', or the same as a whole; a version is left out of
/// account.
bool means(std::string_view full_url, std::string_view reference) {
    reference = reference.substr(0, reference.find("/_history/"));
    if (full_url == reference) return true;
    return !reference.contains(':') && full_url.ends_with(reference) &&
           full_url.substr(0, full_url.size() - reference.size()).ends_with('/');
}

Result<Item> entry_of_bundle(PathMachine& machine, std::string_view reference) {
    const Json entries = machine.context().root.value["entry"];
    TRY_STATUS(machine.charge(entries.size() / 4));
    for (const Json entry : entries.items()) {
        const auto url = entry["fullUrl"].text();
        if (!url.empty() && means(url, reference)) return Item{resource_item(entry["resource"])};
    }
    return Item{};
}

/// An item that holds what the reference itself says: a type and an id.
Item named_resource(Arena& arena, std::string_view reference) {
    reference = reference.substr(0, reference.find("/_history/"));
    const auto slash = reference.rfind('/');
    if (slash == std::string_view::npos) return {};
    const auto before = reference.substr(0, slash);
    const auto name = before.substr(before.rfind('/') + 1);
    const auto* type = find_type(name);
    if (type == nullptr || type->kind != TypeKind::Resource) return {};
    return PathItem{arena.object({{"resourceType", arena.string(name)},
                                  {"id", arena.string(reference.substr(slash + 1))}}),
                    {},
                    type};
}

constexpr PathFunction kFunctions[] = {
    {"now", 0, 0, run_now},
    {"today", 0, 0, run_today},
    {"timeOfDay", 0, 0, run_time_of_day},
    {"type", 0, 0, run_type},
    {"extension", 1, 1, run_extension},
    {"hasValue", 0, 0, run_has_value},
    {"getValue", 0, 0, run_get_value},
    {"resolve", 0, 0, run_resolve},
    {"memberOf", 1, 1, run_member_of},
    {"conformsTo", 1, 1, run_conforms},
    {"htmlChecks", 0, 0, run_html_checks},
};

}  // namespace

Result<Item> resolve_reference(PathMachine& machine, const PathItem& item) {
    const auto reference =
        item.value.is_object() ? item.value["reference"].text() : item.value.text();
    const auto& context = machine.context();
    if (reference.empty()) return Item{};
    if (reference.starts_with('#')) {
        const auto& home = context.root.value["contained"] ? context.root : context.resource;
        return contained_resource(home, reference.substr(1));
    }
    if (auto found = TRY(entry_of_bundle(machine, reference))) return found;
    if (!context.resolve) return named_resource(machine.arena(), reference);
    const auto found = context.resolve(reference);
    return found.value ? Item{found} : Item{};
}

std::span<const PathFunction> fhir_functions() {
    return kFunctions;
}

}  // namespace hygie::fhir
