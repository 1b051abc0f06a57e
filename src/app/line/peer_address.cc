#include "app/line/peer_address.h"

namespace hygie::app {
namespace {

constexpr std::size_t kPemBytesMax = 1 << 20;

Status need(Context& context, std::string_view option) {
    if (context.values.has(option)) return {};
    return fail(Code::BadInput,
                {"il manque " + std::string(option), std::string(option) + " is missing"},
                {"rien ne passe entre deux machines sans que les certificats soient vérifiés",
                 "nothing goes between two machines before certificates are verified"});
}

Result<std::string> pem(Context& context, std::string_view option) {
    if (!context.values.has(option)) return std::string();
    const Bytes bytes = TRY(context.disk.read_file(context.values.text(option), kPemBytesMax));
    return std::string(as_text(bytes));
}

}  // namespace

Result<PeerAddress> parse_peer_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto port = colon == std::string_view::npos ? Result<std::uint64_t>(UINT64_MAX)
                                                      : parse_number(text.substr(colon + 1));
    if (host.empty() || !port || *port > UINT16_MAX || host.contains(':') != bracketed)
        return fail(Code::BadInput, {"adresse invalide", "invalid address"},
                    {"écrivez hôte:port, par exemple 192.0.2.7:6514 ou [2001:db8::7]:6514",
                     "write host:port, for instance 192.0.2.7:6514 or [2001:db8::7]:6514"});
    return PeerAddress{std::string(host), static_cast<std::uint16_t>(*port)};
}

Result<link::TlsIdentity> read_tls_identity(Context& context, const TlsOptions& options) {
    TRY_STATUS(need(context, options.ca));
    auto ca = TRY(pem(context, options.ca));
    auto cert = TRY(pem(context, options.cert));
    Sensitive key(TRY(pem(context, options.key)));
    return link::TlsIdentity{std::move(ca), std::move(cert), std::move(key)};
}

Result<link::TlsIdentity> read_mutual_tls_identity(Context& context, const TlsOptions& options) {
    for (const std::string_view option : {options.ca, options.cert, options.key})
        TRY_STATUS(need(context, option));
    return read_tls_identity(context, options);
}

}  // namespace hygie::app
