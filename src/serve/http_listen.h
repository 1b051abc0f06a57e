#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "serve/http_server.h"

/// Inside of the server: its address and its certificate.
namespace hygie::serve {

using Tls = std::shared_ptr<boost::asio::ssl::context>;

/// TLS with this certificate chain and key, both PEM files.
Result<Tls> load_tls(const std::string& cert, const std::string& key, OldestTls oldest);

/// Takes over options.socket, or binds options.listen.
Status open_acceptor(boost::asio::ip::tcp::acceptor& acceptor, const HttpOptions& options);

}  // namespace hygie::serve
