#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "host/disk.h"
#include "ledger/tree/log_reader.h"
#include "serve/http_server.h"

namespace hygie::serve {

/// Serves a ledger's directory as a C2SP tlog-tiles log: `checkpoint`, `tile/…`, `tile/entries/…`,
/// and beside them the public files `log.vkey` and `pruned`, /healthz and /metrics (Prometheus
/// text). A path is served only when it is spelled exactly as a tile path is, so no path can leave
/// the directory or reach `private/`. Thread-safe.
class TileRoutes {
  public:
    TileRoutes(Disk& disk, const std::string& dir) : log_(disk, dir) {}

    Response operator()(const Request& request);

  private:
    Response answer(std::string_view path);
    Response tile(std::string_view path);
    Response file(const std::string& path, std::size_t bytes_max, std::string_view caching);
    Response health();
    Response metrics();
    bool is_pruned(std::string_view path);
    void count(std::string_view resource, const Response& response);

    ledger::DirReader log_;
    std::mutex mutex_;
    /// Answers given, by kind of resource and status, and the bytes of their bodies.
    std::map<std::pair<std::string, int>, std::uint64_t> answers_;
    std::uint64_t body_bytes_ = 0;
};

}  // namespace hygie::serve
