#include "base/only.h"
#include "guards/records/desk/binary.h"
#include "guards/records/desk/handlers.h"
#include "guards/records/request/shaping.h"
#include "guards/records/sight/sight.h"

namespace hygie::records {

namespace {

/// Whether the client already has this version (RFC 9110 §13.1): If-None-Match wins.
bool is_unchanged(const http::Request& request, const vault::Version& version) {
    if (const auto etags = request.header("if-none-match"); !etags.empty())
        return has_version(etags, version.version);
    const auto since = parse_http_date(request.header("if-modified-since"));
    return since && std::chrono::floor<std::chrono::seconds>(version.updated) <= *since;
}

Refusal gone() {
    return {410,
            "deleted",
            {"cette ressource a été supprimée", "this resource was deleted"},
            {"son historique reste lisible : [type]/[id]/_history",
             "its history can still be read: [type]/[id]/_history"}};
}

Answer<Disclosure> disclose_version(Desk& desk, const Call& call, Sight& sight,
                                    const vault::Found& found, vault::Version version) {
    const Extent extent = TRY(read_extent(call.parameters, call.wishes));
    sight.narrow(found, version.body);
    http::Response response;
    if (is_unchanged(call.request, version)) {
        response.status = 304;
    } else {
        response = wants_content(call)
                       ? TRY(content_response(version.body))
                       : json_response(call, 200, shaped(std::move(version.body), extent));
    }
    add_version_headers(response, version);
    event::Event e = event_of(desk, call, event::Type::RecordRead, found.record->patient(),
                              reference_to(version.type, version.id));
    add_basis(e, sight.reasons());
    return Disclosure{std::move(response), only(std::move(e))};
}

}  // namespace

Answer<Disclosure> read_instance(Desk& desk, const Call& call) {
    Sight sight(desk, call);
    const auto found = TRY(sight.open_to_read(call.target.type, call.target.id));
    if (found.entry.deleted) return std::unexpected(gone());
    return disclose_version(desk, call, sight, found, TRY(desk.rooms.vault.read(found)));
}

Answer<Disclosure> read_version(Desk& desk, const Call& call) {
    Sight sight(desk, call);
    const auto found = TRY(sight.open(event::Action::Read, call.target.type, call.target.id));
    const auto number = version_in_etag(call.target.version);
    if (!number) return std::unexpected(not_found());
    auto version = TRY(desk.rooms.vault.read(found, *number));
    if (!sight.may_show(found, version)) return std::unexpected(not_found(sight.reasons()));
    if (version.deleted) return std::unexpected(gone());
    return disclose_version(desk, call, sight, found, std::move(version));
}

}  // namespace hygie::records
