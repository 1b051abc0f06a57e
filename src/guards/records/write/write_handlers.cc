#include <fmt/format.h>

#include "guards/records/desk/handlers.h"
#include "guards/records/write/work.h"

/// Single writes: create, update, patch and delete, plain or conditional.
namespace hygie::records {

namespace {

Issues done_issues(const Written& written) {
    Issues issues = written.warnings;
    if (issues.empty())
        issues.push_back({Severity::Information, "informational", {"c'est fait", "done"}});
    return issues;
}

http::Response respond(const Desk& desk, const Call& call, const std::vector<Written>& all) {
    const Written& written = all.front();
    const Return returned = call.wishes.returned;
    http::Response response;
    if (returned == Return::Outcome) {
        response = json_response(call, written.status == 204 ? 200 : written.status,
                                 outcome_json(done_issues(written), call.wishes.lang));
    } else if (returned == Return::Minimal || written.body.empty()) {
        response.status = written.status;
    } else {
        response = json_response(call, written.status, written.body);
    }
    // Whoever asks for the resource back learns that there is something to be told.
    if (!written.warnings.empty())
        response.headers.emplace_back("X-Warnings", fmt::format("{}", written.warnings.size()));
    if (written.version == 0) return response;
    response.headers.emplace_back("ETag", etag_of(written.version));
    response.headers.emplace_back("Last-Modified", http_date(written.updated));
    if (!written.body.empty())
        response.headers.emplace_back(
            "Location", fmt::format("{}{}/{}/_history/{}", desk.options.base, written.type,
                                    written.id, written.version));
    for (const std::string& detected : written.detected)
        response.headers.emplace_back("X-Detected-Issue", detected);
    return response;
}

Answer<Work> work_of(const Call& call) {
    Work work;
    work.changes.push_back(TRY(change_of(work.arena, call)));
    return work;
}

}  // namespace

void write_one(Desk& desk, CallPtr call) {
    auto work = work_of(*call);
    write_and_reply(desk, std::move(call), std::move(work), respond);
}

}  // namespace hygie::records
