#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/line/context.h"
#include "link/tls.h"

/// How commands name other machines and the certificates that prove them: one way for all.
namespace hygie::app {

struct PeerAddress {
    std::string host;
    std::uint16_t port = 0;
};
/// "host:port" or "[v6]:port".
Result<PeerAddress> parse_peer_address(std::string_view text);

/// The options that name the PEM files of one end of a TLS connection.
struct TlsOptions {
    std::string_view ca;
    std::string_view cert;
    std::string_view key;
};
/// Reads those that are given. Code::BadInput without an authority: nobody is believed unverified.
Result<link::TlsIdentity> read_tls_identity(Context& context, const TlsOptions& options);
/// As read_tls_identity, when both ends must prove themselves.
Result<link::TlsIdentity> read_mutual_tls_identity(Context& context, const TlsOptions& options);

}  // namespace hygie::app
