#include <fmt/format.h>

#include "base/counted.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/request/bundle.h"
#include "guards/records/sight/sight.h"
#include "guards/records/write/work.h"

/// $import: resources one a line, all stored or none. For programs that bring the base they
/// replace; what has an id keeps it.
namespace hygie::records {

namespace {

std::string line_expression(std::size_t number) {
    return fmt::format("%line[{}]", number + 1);
}

std::unexpected<Refusal> bad_line(std::size_t number) {
    return refuse(
        400, "structure",
        {"une ligne n'est pas une ressource FHIR en JSON", "a line is no FHIR resource in JSON"},
        {"écrivez une ressource par ligne", "write one resource a line"}, line_expression(number));
}

Answer<Change> change_of_line(Desk& desk, fhir::Arena& arena, std::string_view line,
                              std::size_t number) {
    const auto resource = arena.parse(line);
    if (!resource) return bad_line(number);
    Change change{.type = std::string((*resource)["resourceType"].text()),
                  .id = std::string((*resource)["id"].text()),
                  .body = *resource,
                  .expression = line_expression(number)};
    const auto target = parse_target(change.type);
    if (!target || target->shape != Shape::Type || is_from_ledger(change.type))
        return bad_line(number);
    if (change.id.empty()) return change;
    if (!is_id(change.id)) return bad_line(number);
    change.kind = Change::Kind::Update;
    const auto found = desk.rooms.vault.find(change.type, change.id);
    if (found && !found->entry.deleted) change.if_match = etag_of(found->entry.version);
    return change;
}

Answer<Work> import_work(Desk& desk, const Call& call) {
    if (call.actor.role != access::Role::Program) return std::unexpected(forbidden({}));
    if (TRY(body_kind(call.request)) != BodyKind::Ndjson)
        return std::unexpected(unsupported_body());
    Work work;
    std::string_view text = as_text(call.request.body);
    for (std::size_t number = 0; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.find_first_not_of(" \t\r") == line.npos) continue;
        if (work.changes.size() == kBundleEntriesMax)
            return refuse(413, "too-long", {"trop de lignes", "too many lines"},
                          {fmt::format("envoyez au plus {} lignes à la fois", kBundleEntriesMax),
                           fmt::format("send at most {} lines at a time", kBundleEntriesMax)});
        work.changes.push_back(TRY(change_of_line(desk, work.arena, line, number)));
    }
    if (work.changes.empty()) return bad_line(0);
    return work;
}

http::Response respond(const Desk&, const Call& call, const std::vector<Written>& written) {
    Issues issues{{Severity::Information, "informational",
                   counted({"{} [ressource enregistrée|ressources enregistrées]",
                            "{} [resource|resources] stored"},
                           {written.size()})}};
    for (const Written& one : written)
        issues.insert(issues.end(), one.warnings.begin(), one.warnings.end());
    return json_response(call, 200, outcome_json(issues, call.wishes.lang));
}

}  // namespace

void import(Desk& desk, CallPtr call) {
    auto work = import_work(desk, *call);
    write_and_reply(desk, std::move(call), std::move(work), respond);
}

}  // namespace hygie::records
