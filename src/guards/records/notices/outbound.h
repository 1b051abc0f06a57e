#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

/// Where notifications may go: what a person writes into a Subscription must not make the server
/// ask other machines in its name. Pure: nothing is resolved, nothing is asked.
namespace hygie::records {

/// An address taken apart (RFC 3986 §3), as far as one that we send to may have parts: no user, no
/// fragment, no path that climbs. Code::BadInput for any other.
struct Endpoint {
    std::string_view origin;  ///< "https://dossier.example:8443"
    std::string_view path;    ///< with its query; starts with '/', or is empty
};
Result<Endpoint> parse_endpoint(std::string_view url);

/// Whether a notification may be sent there: https, or http to this machine by its number, and
/// below one of the addresses that the configuration allows ("https://dossier.example/fhir").
/// Code::Denied otherwise; nothing is allowed where nothing is configured.
Status check_endpoint(std::string_view url, std::span<const std::string> allowed);

/// Whether a line may go out as a header of such a request: "Name: value", none of those that HTTP
/// itself needs.
bool is_sendable_header(std::string_view line);

}  // namespace hygie::records
