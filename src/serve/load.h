#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "host/clock.h"

/// A client that asks as fast as it is answered: what `hygie vault bench` measures with. One
/// thread, epoll, TLS 1.3 with kept-alive connections; it costs little, so that the server is
/// measured.
namespace hygie::serve {

struct LoadPlan {
    std::string url;        ///< "https://127.0.0.1:8443" or http://, IP address and port only
    std::string authority;  ///< PEM file that vouches for the server
    std::size_t connections = 64;
    Micros duration = std::chrono::seconds(5);
    std::uint64_t requests_max = 0;  ///< ends earlier, after so many; 0 means no such end
    /// The next request, whole: "GET /x HTTP/1.1\r\nHost: y\r\n\r\n". Appended to `out`.
    std::function<void(std::uint64_t number, std::string& out)> next;
    /// What became of one, when somebody wants to know.
    std::function<void(std::uint64_t number, int status, ByteView body)> seen{};
};

struct LoadFigures {
    std::uint64_t answers = 0;
    std::uint64_t refusals = 0;  ///< answers whose status is not 2xx
    std::uint64_t failures = 0;  ///< connections cut, requests without answer
    Micros elapsed{};
    Micros p50{}, p99{}, p999{}, worst{};

    double per_second() const;
};

/// Code::Unavailable when no connection can be made, Code::BadInput for a bad plan.
Result<LoadFigures> run_load(const LoadPlan& plan, Clock& clock);

}  // namespace hygie::serve
