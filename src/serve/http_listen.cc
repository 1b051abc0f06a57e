#include "serve/http_listen.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"
#include "host/words.h"

namespace hygie::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

Result<tcp::endpoint> parse_endpoint(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    const std::string host = text.substr(0, std::min(colon, text.size()));
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    error_code error;
    const auto address =
        asio::ip::make_address(bracketed ? host.substr(1, host.size() - 2) : host, error);
    const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 &&
                        std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
    if (error || !digits || std::stoul(port) > 65535 || address.is_v6() != bracketed)
        return fail(Code::BadInput,
                    {"adresse d'écoute incorrecte : " + text, "bad address to listen on: " + text},
                    {"donnez une adresse IP et un port, par exemple 127.0.0.1:8480",
                     "give an IP address and a port, for example 127.0.0.1:8480"});
    return tcp::endpoint(address, static_cast<std::uint16_t>(std::stoul(port)));
}

Status take_over_socket(tcp::acceptor& acceptor, int socket) {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    error_code error;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size) != 0 ||
        (name.ss_family != AF_INET && name.ss_family != AF_INET6))
        return fail(Code::BadInput,
                    {"la prise reçue n'écoute pas en TCP", "the inherited socket is no TCP one"},
                    {"vérifiez l'unité systemd .socket (ListenStream=)",
                     "check the systemd .socket unit (ListenStream=)"});
    acceptor.assign(name.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), socket, error);
    if (error)
        return fail(Code::Io,
                    {"la prise reçue est inutilisable : " + os_words(error.value()).fr,
                     "the inherited socket cannot be used: " + os_words(error.value()).en},
                    {"vérifiez l'unité systemd .socket", "check the systemd .socket unit"});
    return {};
}

Status bind_address(tcp::acceptor& acceptor, const std::string& listen) {
    const tcp::endpoint endpoint = TRY(parse_endpoint(listen));
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
        return fail(
            error == asio::error::address_in_use ? Code::Busy : Code::Io,
            {fmt::format("impossible d'écouter sur {} : {}", listen, os_words(error.value()).fr),
             fmt::format("cannot listen on {}: {}", listen, os_words(error.value()).en)},
            {"choisissez une adresse de cette machine et un port libre (0 en trouve un)",
             "choose an address of this machine and a free port (0 finds one)"});
    return {};
}

}  // namespace

namespace {

void set_versions(SSL_CTX* context, OldestTls oldest) {
    const bool only_newest = oldest == OldestTls::V1_3;
    HYGIE_CHECK(
        SSL_CTX_set_min_proto_version(context, only_newest ? TLS1_3_VERSION : TLS1_2_VERSION) == 1,
        "older versions of TLS are broken");
    if (only_newest) return;
    constexpr const char* kSuites =
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
        "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
    HYGIE_CHECK(SSL_CTX_set_cipher_list(context, kSuites) == 1,
                "other suites have no forward secrecy, or separate authentication");
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
}

/// HTTP/2 where the client speaks it. Who speaks only what we do not is no client of ours (RFC 7301
/// §3.2).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
    static constexpr unsigned char kOurs[] = "\x02h2\x08http/1.1";
    unsigned char* chosen = nullptr;
    const int agreed =
        SSL_select_next_proto(&chosen, out_size, kOurs, sizeof kOurs - 1, offered, offered_size);
    *out = chosen;
    return agreed == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

Result<Tls> load_tls(const std::string& cert, const std::string& key, OldestTls oldest) {
    auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    set_versions(tls->native_handle(), oldest);
    SSL_CTX_set_alpn_select_cb(tls->native_handle(), choose_protocol, nullptr);
    error_code error;
    tls->use_certificate_chain_file(cert, error);
    const std::string& wrong = error ? cert : key;
    if (!error) tls->use_private_key_file(key, asio::ssl::context::pem, error);
    if (error)
        return fail(
            Code::BadInput,
            {"certificat ou clé illisible : " + wrong, "unreadable certificate or key: " + wrong},
            {"donnez un certificat et sa clé privée, tous deux en PEM et lisibles par ce compte",
             "give a certificate and its private key, both PEM and readable by this account"});
    return tls;
}

Status open_acceptor(tcp::acceptor& acceptor, const HttpOptions& options) {
    return options.socket >= 0 ? take_over_socket(acceptor, options.socket)
                               : bind_address(acceptor, options.listen);
}

int inherited_socket(Process& process) {
    constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
    const std::string count = process.environment("LISTEN_FDS");
    if (process.environment("LISTEN_PID") != std::to_string(::getpid())) return -1;
    if (count.empty() || count == "0" || count.starts_with('-')) return -1;
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(kFirst, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
        return -1;
    ::fcntl(kFirst, F_SETFD, FD_CLOEXEC);
    return kFirst;
}

}  // namespace hygie::serve
