#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/only.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/desk/operation_input.h"
#include "guards/records/sight/sight.h"
#include "guards/records/write/work.h"

/// $meta, $meta-add and $meta-delete (https://hl7.org/fhir/R4/resource-operation-meta.html).
namespace hygie::records {

namespace {

using fhir::Json;

std::string meta_parameters(fhir::Arena& arena, Json meta) {
    if (!meta) meta = arena.object(std::initializer_list<fhir::Member>{});
    const Json parameter = arena.object({{"name", arena.string("return")}, {"valueMeta", meta}});
    return fhir::to_text(arena.object({{"resourceType", arena.string("Parameters")},
                                       {"parameter", arena.array({&parameter, 1})}}));
}

/// Two labels are one when system and code agree; two profiles when their texts do.
bool is_same_label(Json left, Json right) {
    if (left.is_string()) return left == right;
    return left["system"].text() == right["system"].text() &&
           left["code"].text() == right["code"].text();
}

Json without(fhir::Arena& arena, Json list, Json removed) {
    std::vector<Json> kept;
    for (const Json label : list.items()) {
        const bool goes = std::ranges::any_of(
            removed.items(), [&](Json other) { return is_same_label(label, other); });
        if (!goes) kept.push_back(label);
    }
    return kept.empty() ? Json() : arena.array(kept);
}

Json with_added(fhir::Arena& arena, Json list, Json added) {
    const Json rest = without(arena, list, added);
    std::vector<Json> all(rest.items().begin(), rest.items().end());
    all.insert(all.end(), added.items().begin(), added.items().end());
    return all.empty() ? Json() : arena.array(all);
}

Json changed_meta(fhir::Arena& arena, Json meta, Json change, bool adds) {
    for (const std::string_view list : {"profile", "security", "tag"}) {
        meta = arena.with(meta, list,
                          adds ? with_added(arena, meta[list], change[list])
                               : without(arena, meta[list], change[list]));
    }
    return meta;
}

/// The resource with the meta that the call asks for, as an update of what is there.
Answer<Work> meta_work(Desk& desk, const Call& call) {
    const OperationInput input = TRY(read_input(call, {}));
    const Json change = input.value("meta", "valueMeta");
    if (!change.is_object())
        return refuse(400, "required",
                      {"le paramètre « meta » manque", "the parameter \"meta\" is missing"},
                      {"envoyez Parameters avec un valueMeta", "send Parameters with a valueMeta"},
                      "Parameters.parameter");
    Sight sight(desk, call);
    // The answer shows what else is in it.
    TRY(sight.open(event::Action::Read, call.target.type, call.target.id));
    const auto found = TRY(sight.open(event::Action::Update, call.target.type, call.target.id));
    if (found.entry.deleted) return std::unexpected(not_found());
    const vault::Version version = TRY(desk.rooms.vault.read(found));
    Work work;
    const Json resource = TRY(work.arena.parse(version.body));
    const Json meta = changed_meta(work.arena, resource["meta"], work.arena.copy(change),
                                   call.target.name == "$meta-add");
    work.changes.push_back({.kind = Change::Kind::Update,
                            .type = call.target.type,
                            .id = call.target.id,
                            .if_match = etag_of(version.version),
                            .body = work.arena.with(resource, "meta", meta)});
    return work;
}

http::Response respond(const Desk&, const Call& call, const std::vector<Written>& written) {
    auto document = fhir::parse(written.front().body);
    HYGIE_CHECK(document.has_value(), "a stored body is no JSON");
    return json_response(call, 200, meta_parameters(document->arena, document->root["meta"]));
}

}  // namespace

Answer<Disclosure> read_meta(Desk& desk, const Call& call) {
    TRY(read_input(call, {}));
    Sight sight(desk, call);
    const auto found = TRY(sight.open(event::Action::Read, call.target.type, call.target.id));
    if (found.entry.deleted) return std::unexpected(not_found());
    const vault::Version version = TRY(desk.rooms.vault.read(found));
    auto document = TRY(fhir::parse(version.body));
    event::Event e = event_of(desk, call, event::Type::RecordRead, found.record->patient(),
                              reference_to(version.type, version.id));
    add_basis(e, sight.reasons());
    return Disclosure{
        json_response(call, 200, meta_parameters(document.arena, document.root["meta"])),
        only(std::move(e))};
}

void change_meta(Desk& desk, CallPtr call) {
    auto work = meta_work(desk, *call);
    write_and_reply(desk, std::move(call), std::move(work), respond);
}

}  // namespace hygie::records
