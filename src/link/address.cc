#include "link/address.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "host/os_error.h"
#include "host/words.h"

namespace hygie::link {
namespace {

constexpr std::size_t kHostsBytesMax = 1 << 20;
constexpr int kBacklog = 64;
// A peer that vanished without a word is noticed within about a minute.
constexpr int kKeepIdleSeconds = 30;
constexpr int kKeepIntervalSeconds = 10;
constexpr int kKeepCount = 3;
constexpr int kUserTimeoutMillis = 60'000;

std::unexpected<Error> unreachable(const std::string& where, int error) {
    const Text why = os_words(error);
    return fail(Code::Unavailable,
                {fmt::format("{} : {}", where, why.fr), fmt::format("{}: {}", where, why.en)},
                {"vérifiez que le service écoute à cette adresse et que rien ne la filtre",
                 "check that the service listens at this address and that nothing filters it"});
}

std::unexpected<Error> cannot_listen(const std::string& where, int error) {
    const Text why = os_words(error);
    return fail(error == EADDRINUSE ? Code::Busy : Code::Io,
                {fmt::format("impossible d'écouter sur {} : {}", where, why.fr),
                 fmt::format("cannot listen on {}: {}", where, why.en)},
                {"donnez une adresse de cette machine et un port libre",
                 "give an address of this machine and a free port"});
}

std::optional<SocketAddress> numeric(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
        return std::nullopt;
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, ::freeaddrinfo);
    SocketAddress out;
    out.size = found->ai_addrlen;
    std::memcpy(&out.storage, found->ai_addr, found->ai_addrlen);
    return out;
}

std::string_view next_word(std::string_view& line) {
    constexpr std::string_view kBlanks = " \t\r";
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
    line.remove_prefix(word.size());
    return word;
}

/// The address of a path, and what keeps it good.
struct LocalAddress {
    sockaddr_un name{};
    UniqueFd folder{};  ///< of a path too long for an address
};

Result<LocalAddress> local_address(const std::string& path) {
    LocalAddress address;
    address.name.sun_family = AF_UNIX;
    std::string name = path;
    if (path.size() >= sizeof(address.name.sun_path)) {
        // Too long for the kernel: by way of the folder, held open.
        const std::size_t slash = path.rfind('/');
        const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
        address.folder = UniqueFd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!address.folder) return os_failure(errno, folder);
        name = fmt::format("/proc/self/fd/{}/{}", address.folder.get(), path.substr(slash + 1));
    }
    if (name.empty() || name.size() >= sizeof(address.name.sun_path))
        return fail(Code::BadInput,
                    {"nom de socket vide ou trop long", "socket name empty or too long"},
                    {"choisissez un chemin court, par exemple sous /run/hygie",
                     "choose a short path, for example under /run/hygie"});
    std::memcpy(address.name.sun_path, name.data(), name.size());
    return address;
}

const sockaddr* as_sockaddr(const void* address) {
    return static_cast<const sockaddr*>(address);
}

Result<UniqueFd> new_socket(int family) {
    UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return os_failure(errno, "socket");
    return fd;
}

void set_option(int fd, int level, int option, int value) {
    // Only refines how soon trouble is noticed: a failure changes nothing that is promised.
    (void)::setsockopt(fd, level, option, &value, sizeof(value));
}

void keep_alive(int fd) {
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepIdleSeconds);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepIntervalSeconds);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepCount);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMillis);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

/// Removes a socket that nobody listens on any more. Code::Busy when somebody does.
Status clear_stale(const LocalEndpoint& endpoint, const sockaddr_un& address) {
    struct stat info{};
    if (::lstat(endpoint.path.c_str(), &info) < 0) return {};
    const UniqueFd probe = TRY(new_socket(AF_UNIX));
    if (S_ISSOCK(info.st_mode) &&
        ::connect(probe.get(), as_sockaddr(&address), sizeof(address)) < 0 &&
        errno == ECONNREFUSED) {
        if (::unlink(endpoint.path.c_str()) < 0) return os_failure(errno, endpoint.path);
        return {};
    }
    return fail(Code::Busy,
                {fmt::format("{} est déjà pris", endpoint.path),
                 fmt::format("{} is taken already", endpoint.path)},
                {"arrêtez l'autre cœur, ou donnez un autre chemin de socket",
                 "stop the other core, or give another socket path"});
}

}  // namespace

std::string_view find_in_hosts(std::string_view hosts, std::string_view name) {
    while (!hosts.empty()) {
        std::string_view line = hosts.substr(0, hosts.find('\n'));
        hosts.remove_prefix(std::min(line.size() + 1, hosts.size()));
        line = line.substr(0, line.find('#'));
        const std::string_view address = next_word(line);
        for (auto word = next_word(line); !word.empty(); word = next_word(line))
            if (word == name) return address;
    }
    return {};
}

Result<SocketAddress> resolve(Disk& disk, const std::string& host, std::uint16_t port) {
    if (const auto address = numeric(host, port)) return *address;
    if (const auto hosts = disk.read_file("/etc/hosts", kHostsBytesMax))
        if (const auto found = numeric(std::string(find_in_hosts(as_text(*hosts), host)), port))
            return *found;
    return fail(Code::NotFound,
                {fmt::format("{} n'est ni une adresse IP ni un nom de /etc/hosts", host),
                 fmt::format("{} is neither an IP address nor a name of /etc/hosts", host)},
                {"donnez l'adresse IP, ou ajoutez le nom à /etc/hosts : le DNS n'est pas consulté",
                 "give the IP address, or add the name to /etc/hosts: DNS is not asked"});
}

Result<LocalEndpoint> endpoint_in(const std::string& folder, const std::string& name) {
    struct stat info{};
    if (::stat(folder.c_str(), &info) < 0) return os_failure(errno, folder);
    constexpr uid_t kRoot = 0;
    return LocalEndpoint{.path = join(folder, name), .group = false, .peers = {info.st_uid, kRoot}};
}

Result<UniqueFd> listen_local(const LocalEndpoint& endpoint) {
    const LocalAddress address = TRY(local_address(endpoint.path));
    TRY_STATUS(clear_stale(endpoint, address.name));
    UniqueFd fd = TRY(new_socket(AF_UNIX));
    const mode_t mode = endpoint.group ? 0660 : 0600;
    // Before bind: the name must never be there with a looser mode, whatever the umask.
    ::fchmod(fd.get(), mode);
    if (::bind(fd.get(), as_sockaddr(&address.name), sizeof(address.name)) < 0 ||
        ::chmod(endpoint.path.c_str(), mode) < 0 || ::listen(fd.get(), kBacklog) < 0)
        return os_failure(errno, endpoint.path);
    return fd;
}

Result<UniqueFd> listen_tcp(Disk& disk, const std::string& host, std::uint16_t port) {
    const SocketAddress address = TRY(resolve(disk, host, port));
    UniqueFd fd = TRY(new_socket(address.storage.ss_family));
    set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    keep_alive(fd.get());
    if (::bind(fd.get(), as_sockaddr(&address.storage), address.size) < 0 ||
        ::listen(fd.get(), kBacklog) < 0)
        return cannot_listen(fmt::format("{}:{}", host, port), errno);
    return fd;
}

Result<UniqueFd> connect_local(const LocalEndpoint& endpoint) {
    const LocalAddress address = TRY(local_address(endpoint.path));
    UniqueFd fd = TRY(new_socket(AF_UNIX));
    if (::connect(fd.get(), as_sockaddr(&address.name), sizeof(address.name)) < 0)
        return unreachable(endpoint.path, errno);
    TRY_STATUS(check_peer(fd.get(), endpoint));
    return fd;
}

Result<UniqueFd> connect_tcp(Disk& disk, const std::string& host, std::uint16_t port,
                             Micros timeout) {
    const std::string where = fmt::format("{}:{}", host, port);
    const SocketAddress address = TRY(resolve(disk, host, port));
    UniqueFd fd = TRY(new_socket(address.storage.ss_family));
    keep_alive(fd.get());
    if (::connect(fd.get(), as_sockaddr(&address.storage), address.size) == 0) return fd;
    if (errno != EINPROGRESS) return unreachable(where, errno);
    pollfd waiting{fd.get(), POLLOUT, 0};
    const auto millis = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    if (::poll(&waiting, 1, static_cast<int>(millis)) <= 0) return unreachable(where, ETIMEDOUT);
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return unreachable(where, error);
    return fd;
}

std::uint16_t port_of(int fd) {
    SocketAddress address;
    address.size = sizeof(address.storage);
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size) < 0)
        return 0;
    // The port stands at the same place for IPv4 and IPv6.
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
}

Status check_peer(int fd, const LocalEndpoint& endpoint) {
    ucred peer{};
    socklen_t size = sizeof(peer);
    const bool known = ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
    const bool allowed = endpoint.peers.empty() ? peer.uid == ::geteuid()
                                                : std::ranges::count(endpoint.peers, peer.uid) > 0;
    if (known && allowed) return {};
    return fail(
        Code::Denied,
        {fmt::format("{} : l'autre côté tourne sous un utilisateur non admis", endpoint.path),
         fmt::format("{}: the other side runs as a user who is not allowed", endpoint.path)},
        {"lancez la garde sous son utilisateur, ou ajoutez-le aux utilisateurs admis",
         "run the guard as its own user, or add it to the allowed users"});
}

}  // namespace hygie::link
