#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "guards/files/acts/attribution.h"
#include "host/process.h"

/// From a process of smbd to the person and the workstation it serves.
namespace hygie::files {

struct SmbSession {
    pid_t pid = 0;
    std::string user;
    std::string address;
    bool operator==(const SmbSession&) const = default;
};

/// A process of Samba, also of one that was replaced since it began.
bool is_smbd(pid_t pid);

/// What `smbstatus --json --processes` prints (Samba 4.17 and later). Fields that are not needed
/// are passed over; Code::BadInput when it is no such report.
Result<std::vector<SmbSession>> parse_smbstatus(std::string_view json);

/// The other end of the one established TCP connection among `inodes`, from the text of
/// /proc/PID/net/tcp or tcp6; empty when there is none. IPv4 within IPv6 is told as IPv4.
std::string peer_of(std::string_view table, const std::vector<std::uint64_t>& inodes);

/// Users by number, from the text of /etc/passwd.
std::map<uid_t, std::string> parse_passwd(std::string_view text);

/// The user a process opens files as, from the text of /proc/PID/status; 0 when it does not say.
uid_t effective_uid(std::string_view status);

/// Answers at once from /proc (the connection of the process, the user it acts for), because the
/// process that is asked about is waiting and smbstatus may wait for it. smbstatus corrects the
/// names afterwards, on a thread of its own: users of a domain are in no passwd file.
class SambaSessions final : public SmbSessions {
  public:
    /// `smb_conf` empty: Samba's own default.
    SambaSessions(Process& process, std::string smb_conf);
    ~SambaSessions() override;

    /// Begins to ask smbstatus.
    void start();

    std::optional<SmbClient> client_of(const ProcessId& process) override;
    std::string name_of(uid_t uid) const override;

    static constexpr Micros kStatusTimeout = std::chrono::seconds(3);

  private:
    void run();
    std::string user_of(pid_t pid);

    Process& process_;
    std::string smb_conf_;
    const std::map<uid_t, std::string> users_;
    std::mutex mutex_;
    std::condition_variable_any asked_;
    bool wanted_ = false;
    std::map<ProcessId, SmbClient> clients_;
    std::vector<SmbSession> told_;  ///< by the last smbstatus
    std::jthread thread_;
};

}  // namespace hygie::files
