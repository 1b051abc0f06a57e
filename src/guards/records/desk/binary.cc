#include "guards/records/desk/binary.h"

#include <algorithm>

#include "base/ascii.h"

namespace hygie::records {

namespace {

constexpr std::string_view kAnyContent = "application/octet-stream";

/// Fit for a header: what was stored may hold anything.
bool is_header_text(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

bool wants_content(const Call& call) {
    const bool is_read =
        call.target.shape == Shape::Instance || call.target.shape == Shape::Version;
    if (call.method != Method::Get || !is_read || call.target.type != "Binary") return false;
    const std::string accept = lower(call.request.header("accept"));
    const auto asked = parse_query(call.request.query);
    return !accept.contains("json") && !accept.contains("fhir+xml") && asked &&
           value_of(*asked, "_format").empty();
}

Answer<http::Response> content_response(std::string_view body) {
    const auto document = TRY(fhir::parse(body));
    const fhir::Json binary = document.root;
    const std::string_view type = binary["contentType"].text();
    auto content = TRY(from_base64(binary["data"].text()));
    http::Response response{.status = 200,
                            .content_type = std::string(is_header_text(type) ? type : kAnyContent),
                            .body = std::move(content)};
    response.headers.emplace_back("Content-Disposition", "attachment");
    response.headers.emplace_back("Content-Security-Policy", "default-src 'none'; sandbox");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    const std::string_view context = binary["securityContext"]["reference"].text();
    if (is_literal_reference(context)) response.headers.emplace_back("X-Security-Context", context);
    return response;
}

bool brings_content(const Call& call) {
    const bool stores = call.method == Method::Post || call.method == Method::Put;
    return stores && call.target.type == "Binary" &&
           !lower(call.request.header("content-type")).contains("json");
}

Answer<fhir::Json> binary_of(fhir::Arena& arena, const Call& call) {
    const std::string_view type = call.request.header("content-type");
    if (!is_header_text(type)) return std::unexpected(unsupported_body());
    fhir::Json binary = arena.object({{"resourceType", arena.string("Binary")},
                                      {"contentType", arena.string(type)},
                                      {"data", arena.string(to_base64(call.request.body))}});
    if (!call.target.id.empty()) binary = arena.with(binary, "id", arena.string(call.target.id));
    const std::string_view context = call.request.header("x-security-context");
    if (context.empty()) return binary;
    if (!is_literal_reference(context))
        return refuse(
            400, "invalid",
            {"X-Security-Context n'est pas une référence", "X-Security-Context is no reference"},
            {"écrivez Patient/id", "write Patient/id"});
    return arena.with(binary, "securityContext",
                      arena.object({{"reference", arena.string(context)}}));
}

}  // namespace hygie::records
