#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Who changes files. A process number means little: it is reused, and an attacker forks. What
/// counts is the person behind a Samba session or an act of an NFS server, or else the family a
/// process belongs to.
namespace hygie::files {

/// Stands for a user that is not known yet, or cannot be.
inline constexpr char kUnknownUser[] = "?";

/// A process, told apart from a later one with the same number.
struct ProcessId {
    pid_t pid = 0;
    std::uint64_t started = 0;  ///< field 22 of /proc/PID/stat: clock ticks after boot
    bool operator==(const ProcessId&) const = default;
    auto operator<=>(const ProcessId&) const = default;
};

/// The person and machine behind a child process of smbd.
struct SmbClient {
    std::string user;
    std::string address;  ///< of the workstation, without a port
    bool operator==(const SmbClient&) const = default;
};

/// The one who acts, as far as the kernel told when the act was seen.
struct Actor {
    ProcessId process;               ///< the process that acted
    std::vector<ProcessId> lineage;  ///< its parents, nearest first, without process 1
    /// The outermost parent that started after the guard and is no service of the machine; the
    /// process itself when there is none. setsid and double forks do not leave a family.
    ProcessId family;
    uid_t uid = 0;
    std::string program;  ///< path of the executable, empty when the process was gone already
    std::string cgroup;   ///< path in the unified hierarchy: "/system.slice/smbd.service"
    std::optional<SmbClient> smb;
    /// Of an NFS server: the user it works for; kUnknownUser where it acts under its own name.
    std::optional<std::string> nfs;

    bool is_nameless_server() const { return nfs == kUnknownUser; }

    /// The name histories, quotas and stops are kept under: "smb:USER@ADDRESS", "nfs:USER", else
    /// "family:PID.STARTED:uid:UID". The same string is what `--actor` of the commands takes.
    std::string key() const;
    /// The user alone: its name where a server told it, else "uid:UID".
    std::string user() const;
};

}  // namespace hygie::files
