#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "host/disk.h"
#include "host/unique_fd.h"
#include "link/tls.h"

/// Where the core is to be found, and sockets to it.
namespace hygie::link {

/// A Unix socket. Who may talk is decided by user id, at both ends, by the kernel's word.
struct LocalEndpoint {
    std::string path;
    bool group = false;        ///< mode 0660 instead of 0600
    std::vector<uid_t> peers;  ///< user ids allowed at the other end; our own when empty
};

/// A socket that belongs to its folder: the folder's owner and root may talk, at both ends.
/// Code::NotFound when there is no such folder.
Result<LocalEndpoint> endpoint_in(const std::string& folder, const std::string& name);

/// TCP under TLS 1.3, both certificates verified.
struct TlsEndpoint {
    std::string host;  ///< an IP address, or a name of /etc/hosts: DNS is never asked
    std::uint16_t port = 0;
    std::string peer_name;  ///< what the core's certificate must bear; the core itself needs none
    TlsContext tls;
};

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

/// The address of an IP address or of a name in the machine's hosts file. Never DNS: a guard must
/// not wait for a name server that an attack has taken down. Code::NotFound for any other name.
Result<SocketAddress> resolve(Disk& disk, const std::string& host, std::uint16_t port);
/// The first address that a hosts file (hosts(5)) gives a name; empty when none.
std::string_view find_in_hosts(std::string_view hosts, std::string_view name);

/// Non-blocking sockets, close-on-exec.
Result<UniqueFd> listen_local(const LocalEndpoint& endpoint);
Result<UniqueFd> listen_tcp(Disk& disk, const std::string& host, std::uint16_t port);
Result<UniqueFd> connect_local(const LocalEndpoint& endpoint);
Result<UniqueFd> connect_tcp(Disk& disk, const std::string& host, std::uint16_t port,
                             Micros timeout);
/// The port a listening socket has.
std::uint16_t port_of(int fd);
/// Code::Denied unless the kernel says that the other end of a Unix socket is an allowed user.
Status check_peer(int fd, const LocalEndpoint& endpoint);

}  // namespace hygie::link
