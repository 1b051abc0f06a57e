#include "guards/records/write/patching.h"

#include <fmt/format.h>

#include <algorithm>

#include "fhir/path/fhirpath_number.h"
#include "guards/records/request/patch_edit.h"
#include "guards/records/request/path_patch.h"

namespace hygie::records {

namespace {

using fhir::Json;

/// A member of an operation that has to be there.
Answer<Pointer> pointer_in(Json operation, std::string_view name) {
    const Json text = operation[name];
    if (!text.is_string()) return malformed_patch();
    return parse_pointer(text.text());
}

bool is_prefix(const Pointer& shorter, const Pointer& longer) {
    return shorter.size() < longer.size() &&
           std::equal(shorter.begin(), shorter.end(), longer.begin());
}

std::vector<fhir::Member> by_name(Json object) {
    const auto members = object.members();
    std::vector<fhir::Member> sorted(members.begin(), members.end());
    std::ranges::sort(sorted, {}, &fhir::Member::name);
    return sorted;
}

/// Equal as "test" means it: numbers by their value, whatever zeros they are written with
/// (RFC 6902 §4.6); a program in JavaScript has only the value.
bool is_same(Json one, Json other) {
    if (one.kind() != other.kind()) return false;
    if (one.is_array()) return std::ranges::equal(one.items(), other.items(), is_same);
    if (one.is_object())
        return one.size() == other.size() &&
               std::ranges::equal(by_name(one), by_name(other),
                                  [](const fhir::Member& left, const fhir::Member& right) {
                                      return left.name == right.name &&
                                             is_same(left.value, right.value);
                                  });
    if (one.kind() != Json::Kind::Number) return one == other;
    const auto left = fhir::Decimal::parse(one.text());
    const auto right = fhir::Decimal::parse(other.text());
    return left && right ? *left == *right : one == other;
}

/// One operation of RFC 6902 §4.
Answer<Json> applied(fhir::Arena& arena, Json document, Json operation) {
    const std::string_view op = operation["op"].text();
    const Pointer path = TRY(pointer_in(operation, "path"));
    const Json value = operation["value"];
    const bool needs_value = op == "add" || op == "replace" || op == "test";
    if (needs_value && !value) return malformed_patch();
    if (op == "add") return edited(arena, document, path, Edit::Add, arena.copy(value));
    if (op == "replace") {
        if (path.empty()) return arena.copy(value);
        return edited(arena, document, path, Edit::Replace, arena.copy(value));
    }
    if (op == "remove") return edited(arena, document, path, Edit::Remove, {});
    if (op == "test") {
        if (!is_same(at(document, path), value)) return misfit({});
        return document;
    }
    if (op != "move" && op != "copy") return malformed_patch();
    const Pointer from = TRY(pointer_in(operation, "from"));
    const Json moved = at(document, from);
    if (!moved || is_prefix(from, path)) return misfit({});
    if (op == "move") document = TRY(edited(arena, document, from, Edit::Remove, {}));
    return edited(arena, document, path, Edit::Add, arena.copy(moved));
}

Answer<Json> json_patched(fhir::Arena& arena, Json document, Json patch) {
    if (patch.size() > kPatchOperationsMax)
        return refuse(413, "too-costly",
                      {"le patch a trop d'opérations", "the patch has too many operations"},
                      {fmt::format("n'en envoyez pas plus de {}", kPatchOperationsMax),
                       fmt::format("send no more than {}", kPatchOperationsMax)});
    for (std::size_t i = 0; i < patch.size(); ++i) {
        auto next = applied(arena, document, patch.items()[i]);
        if (!next) {
            next.error().issues.front().expression = fmt::format("[{}]", i);
            return next;
        }
        document = *next;
    }
    return document;
}

}  // namespace

Answer<Json> patched(fhir::Arena& arena, std::string_view current, const Change& change) {
    const Json before = TRY(arena.parse(current));
    const bool is_json = change.kind == Change::Kind::JsonPatch;
    auto after = is_json ? json_patched(arena, before, change.body)
                         : path_patched(arena, before, change.body);
    if (!after) {
        if (!change.expression.empty())
            after.error().issues.front().expression = change.expression + ".resource";
        return after;
    }
    const Json whole = pruned(arena, *after);
    // What it is stays: type and id. The version and its time are the vault's.
    if (whole["resourceType"] != before["resourceType"] || whole["id"] != before["id"])
        return misfit(change.expression);
    return whole;
}

}  // namespace hygie::records
