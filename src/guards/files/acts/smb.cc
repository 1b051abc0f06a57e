#include "guards/files/acts/smb.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/unique_fd.h"

namespace hygie::files {
namespace {

constexpr std::size_t kProcBytesMax = 4 << 20;
constexpr std::size_t kClientsMax = 4096;

/// A file of /proc or /etc, read by hand: the Disk door may be asked about guarded files only.
std::string slurp(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    std::array<char, 64 << 10> block;
    while (fd && text.size() < kProcBytesMax) {
        // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): /proc answers at once
        const ssize_t got = ::read(fd.get(), block.data(), block.size());
        if (got <= 0) break;
        text.append(block.data(), static_cast<std::size_t>(got));
    }
    return text;
}

std::vector<std::uint64_t> socket_inodes(pid_t pid) {
    std::vector<std::uint64_t> inodes;
    const std::string folder = fmt::format("/proc/{}/fd", pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder.c_str()), ::closedir);
    while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
        std::array<char, 64> target{};
        const ssize_t size =
            ::readlinkat(::dirfd(dir.get()), entry->d_name, target.data(), target.size() - 1);
        std::string_view text(target.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
        if (!text.starts_with("socket:[")) continue;
        text.remove_prefix(8);
        std::uint64_t inode = 0;
        std::from_chars(text.data(), text.data() + text.size(), inode);
        inodes.push_back(inode);
    }
    return inodes;
}

/// "0100007F" → {127, 0, 0, 1}: the kernel prints words in the order of the machine.
std::vector<unsigned> address_bytes(std::string_view hex) {
    std::vector<unsigned> bytes;
    for (std::size_t word = 0; word + 8 <= hex.size(); word += 8) {
        for (std::size_t i = 8; i >= 2; i -= 2) {
            unsigned byte = 0;
            const std::string_view digits = hex.substr(word + i - 2, 2);
            const auto* const end = std::from_chars(digits.data(), digits.data() + 2, byte, 16).ptr;
            if (end != digits.data() + 2) return {};
            bytes.push_back(byte);
        }
    }
    return bytes;
}

std::string print_address(std::string_view hex) {
    const std::vector<unsigned> b = address_bytes(hex);
    constexpr std::size_t kIpv4InIpv6 = 12;
    if (b.size() == 16 && b[10] == 0xFF && b[11] == 0xFF &&
        std::ranges::all_of(b.begin(), b.begin() + 10, [](unsigned byte) { return byte == 0; }))
        return fmt::format("{}.{}.{}.{}", b[kIpv4InIpv6], b[13], b[14], b[15]);
    if (b.size() == 4) return fmt::format("{}.{}.{}.{}", b[0], b[1], b[2], b[3]);
    if (b.size() != 16) return {};
    std::string text;
    for (std::size_t i = 0; i < b.size(); i += 2)
        text += fmt::format("{}{:x}", i == 0 ? "" : ":", b[i] << 8 | b[i + 1]);
    return text;
}

std::string address_of(pid_t pid) {
    const std::vector<std::uint64_t> inodes = socket_inodes(pid);
    const std::string peer = peer_of(slurp(fmt::format("/proc/{}/net/tcp", pid)), inodes);
    return !peer.empty() ? peer : peer_of(slurp(fmt::format("/proc/{}/net/tcp6", pid)), inodes);
}

}  // namespace

bool is_smbd(pid_t pid) {
    std::array<char, 256> path{};
    const ssize_t size =
        ::readlink(fmt::format("/proc/{}/exe", pid).c_str(), path.data(), path.size() - 1);
    const std::string_view exe(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    return exe.ends_with("/smbd") || exe.ends_with("/smbd (deleted)");
}

Result<std::vector<SmbSession>> parse_smbstatus(std::string_view json) {
    const nlohmann::json report = nlohmann::json::parse(json, nullptr, false);
    const auto refuse = [] {
        return fail(Code::BadInput,
                    {"smbstatus n'a pas rendu le rapport attendu",
                     "smbstatus did not print the report that was expected"},
                    {"il faut Samba 4.17 ou plus récent", "Samba 4.17 or later is needed"});
    };
    if (!report.is_object() || !report.contains("sessions")) return refuse();
    const nlohmann::json& all = report["sessions"];
    if (!all.is_object()) return refuse();
    std::vector<SmbSession> sessions;
    for (const nlohmann::json& one : all) {
        if (!one.is_object()) return refuse();
        const auto text = [&](const char* name) {
            const auto value = one.find(name);
            return value != one.end() && value->is_string() ? value->get<std::string>()
                                                            : std::string();
        };
        SmbSession session{.pid = 0, .user = text("username"), .address = text("remote_machine")};
        const auto server = one.find("server_id");
        const std::string pid = server != one.end() && server->is_object() &&
                                        server->contains("pid") && (*server)["pid"].is_string()
                                    ? (*server)["pid"].get<std::string>()
                                    : std::string();
        const char* const end = pid.data() + pid.size();
        if (std::from_chars(pid.data(), end, session.pid).ptr != end || session.pid <= 0)
            return refuse();
        sessions.push_back(std::move(session));
    }
    return sessions;
}

std::string peer_of(std::string_view table, const std::vector<std::uint64_t>& inodes) {
    std::istringstream lines{std::string(table)};
    std::string line;
    std::getline(lines, line);  // the names of the columns
    while (std::getline(lines, line)) {
        std::istringstream columns(line);
        std::array<std::string, 10> column;
        for (std::string& value : column) columns >> value;
        constexpr std::size_t kRemote = 2;
        constexpr std::size_t kState = 3;
        constexpr std::size_t kInode = 9;
        std::uint64_t inode = 0;
        std::from_chars(column[kInode].data(), column[kInode].data() + column[kInode].size(),
                        inode);
        if (column[kState] != "01" || inode == 0 || std::ranges::count(inodes, inode) == 0)
            continue;
        return print_address(
            std::string_view(column[kRemote]).substr(0, column[kRemote].find(':')));
    }
    return {};
}

std::map<uid_t, std::string> parse_passwd(std::string_view text) {
    std::map<uid_t, std::string> users;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string_view::npos || second == std::string_view::npos) continue;
        uid_t uid = 0;
        const std::string_view number = line.substr(second + 1);
        if (std::from_chars(number.data(), number.data() + number.size(), uid).ec == std::errc())
            users.emplace(uid, line.substr(0, first));
    }
    return users;
}

uid_t effective_uid(std::string_view status) {
    const std::size_t line = status.find("\nUid:\t");
    if (line == std::string_view::npos) return 0;
    // Real, effective, saved, file system: the last is what files are opened with.
    std::istringstream numbers{std::string(status.substr(line + 6, 64))};
    uid_t uid = 0;
    for (int i = 0; i < 4; ++i) numbers >> uid;
    return numbers ? uid : 0;
}

SambaSessions::SambaSessions(Process& process, std::string smb_conf)
    : process_(process),
      smb_conf_(std::move(smb_conf)),
      users_(parse_passwd(slurp("/etc/passwd"))) {}

void SambaSessions::start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            {
                std::unique_lock lock(mutex_);
                if (!asked_.wait(lock, stop, [&] { return wanted_; })) return;
                wanted_ = false;
            }
            run();
        }
    });
}

SambaSessions::~SambaSessions() = default;

void SambaSessions::run() {
    std::vector<std::string> argv{"smbstatus"};
    if (!smb_conf_.empty()) argv.insert(argv.end(), {"-s", smb_conf_});
    argv.insert(argv.end(), {"--json", "--processes"});
    const auto outcome =
        process_.run(argv, {}, {.timeout = kStatusTimeout, .output_bytes_max = kProcBytesMax});
    if (!outcome || outcome->exit_code != 0) return;
    auto sessions = parse_smbstatus(as_text(outcome->out));
    if (!sessions) return;
    const std::scoped_lock lock(mutex_);
    told_ = std::move(*sessions);
}

/// The user whose rights the process has taken on for what it is doing.
std::string SambaSessions::user_of(pid_t pid) {
    for (const SmbSession& session : told_)
        if (session.pid == pid) return session.user;
    const uid_t uid = effective_uid(slurp(fmt::format("/proc/{}/status", pid)));
    return uid != 0 ? name_of(uid) : std::string();
}

std::string SambaSessions::name_of(uid_t uid) const {
    const auto known = users_.find(uid);
    return known != users_.end() ? known->second : SmbSessions::name_of(uid);
}

std::optional<SmbClient> SambaSessions::client_of(const ProcessId& process) {
    const std::scoped_lock lock(mutex_);
    if (const auto known = clients_.find(process); known != clients_.end()) return known->second;
    if (!is_smbd(process.pid)) return std::nullopt;
    const std::string address = address_of(process.pid);
    if (address.empty()) return std::nullopt;
    SmbClient client{user_of(process.pid), address};
    wanted_ = true;
    asked_.notify_one();
    if (client.user.empty())
        return SmbClient{kUnknownUser, address};  // asked again at the next act
    if (clients_.size() >= kClientsMax) clients_.clear();
    clients_.emplace(process, client);
    return client;
}

}  // namespace hygie::files
