#include "serve/tile_routes.h"

#include <fmt/format.h>

namespace hygie::serve {
namespace {

/// Larger than any checkpoint, list of keys or number.
constexpr std::size_t kSmallFileBytesMax = 1 << 20;
constexpr std::string_view kMayChange = "no-cache";
constexpr std::string_view kNeverChanges = "public, max-age=31536000, immutable";

Response not_found() {
    return text_response(404, "not found\n");
}

/// What a path names, as the label of a metric: a small fixed set, whatever clients send.
std::string_view resource_of(std::string_view path) {
    if (path == "/checkpoint") return "checkpoint";
    if (path.starts_with("/tile/entries/")) return "bundle";
    if (path.starts_with("/tile/")) return "tile";
    return "other";
}

}  // namespace

Response TileRoutes::operator()(const Request& request) {
    Response response;
    if (request.method == "GET" || request.method == "HEAD") {
        response = answer(request.path);
    } else {
        response = text_response(405, "only GET and HEAD\n");
        response.headers.emplace_back("Allow", "GET, HEAD");
    }
    count(resource_of(request.path), response);
    return response;
}

Response TileRoutes::answer(std::string_view path) {
    if (path.starts_with("/tile/")) return tile(path.substr(1));
    if (path == "/checkpoint" || path == "/log.vkey" || path == "/pruned")
        return file(std::string(path.substr(1)), kSmallFileBytesMax, kMayChange);
    if (path == "/healthz") return health();
    if (path == "/metrics") return metrics();
    return not_found();
}

Response TileRoutes::tile(std::string_view path) {
    const bool hashes = ledger::parse_tile_path(path).has_value();
    if (!hashes && !ledger::parse_bundle_path(path)) return not_found();
    if (!hashes && is_pruned(path)) return not_found();
    Response response = file(std::string(path), ledger::kBundleBytesMax, kNeverChanges);
    if (response.status == 200) response.content_type = "application/octet-stream";
    return response;
}

/// Bundles wholly below the minimum index are refused even while they are still on disk; hash tiles
/// never are, so that every proof stays possible.
bool TileRoutes::is_pruned(std::string_view path) {
    const Result<ledger::BundleId> bundle = ledger::parse_bundle_path(path);
    const Result<std::uint64_t> minimum = ledger::read_minimum_index(log_);
    return bundle && minimum && (bundle->index + 1) * ledger::kTileHashes <= *minimum;
}

Response TileRoutes::file(const std::string& path, std::size_t bytes_max,
                          std::string_view caching) {
    Result<Bytes> bytes = log_.read(path, bytes_max);
    if (!bytes && bytes.error().code == Code::NotFound) return not_found();
    if (!bytes) return text_response(503, "the log cannot be read\n");
    Response response;
    response.headers.emplace_back("Cache-Control", caching);
    response.body = std::move(*bytes);
    return response;
}

Response TileRoutes::health() {
    const Result<ledger::SignedCheckpoint> checkpoint = ledger::read_checkpoint(log_);
    return checkpoint ? text_response(200, "ok\n") : text_response(503, "no readable checkpoint\n");
}

Response TileRoutes::metrics() {
    std::string text;
    if (const auto checkpoint = ledger::read_checkpoint(log_))
        text += fmt::format(
            "# HELP hygie_log_size Entries under the published checkpoint.\n# TYPE hygie_log_size "
            "gauge\n"
            "hygie_log_size {}\n",
            checkpoint->checkpoint.size);
    if (const auto minimum = ledger::read_minimum_index(log_))
        text += fmt::format(
            "# HELP hygie_log_minimum_index Entries below it may be gone.\n"
            "# TYPE hygie_log_minimum_index gauge\nhygie_log_minimum_index {}\n",
            *minimum);
    const std::scoped_lock lock(mutex_);
    text +=
        "# HELP hygie_http_answers_total Answers given since the start.\n"
        "# TYPE hygie_http_answers_total counter\n";
    for (const auto& [what, count] : answers_)
        text += fmt::format("hygie_http_answers_total{{resource=\"{}\",code=\"{}\"}} {}\n",
                            what.first, what.second, count);
    text += fmt::format(
        "# HELP hygie_http_body_bytes_total Bytes of the bodies of those answers.\n"
        "# TYPE hygie_http_body_bytes_total counter\nhygie_http_body_bytes_total {}\n",
        body_bytes_);
    Response response = text_response(200, text);
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return response;
}

void TileRoutes::count(std::string_view resource, const Response& response) {
    const std::scoped_lock lock(mutex_);
    ++answers_[{std::string(resource), response.status}];
    body_bytes_ += response.body.size();
}

}  // namespace hygie::serve
