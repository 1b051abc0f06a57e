#pragma once

#include <sys/types.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "guards/files/acts/actor.h"
#include "guards/files/acts/attribution.h"
#include "guards/files/acts/fanotify.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// What the blocked call of a thread is about to do, as far as /proc/TID/syscall tells. What cannot
/// be told counts as writing.
enum class Intent { Read, Write, Truncate, Execute };

/// The calls threads are blocked in. What tells of a thread stays open for its next act: opening it
/// costs more than reading it. Thread-safe.
class Calls {
  public:
    static constexpr std::size_t kOpenMax = 256;

    /// How long a thread may take to go to sleep over what it has told: a moment, or as long as it
    /// lasts when its processor is taken from it, at most `kPatience`. For who refuses it.
    enum class Wait { Briefly, Patiently };
    static constexpr auto kPatience = std::chrono::seconds(1);

    /// `mask` is that of the thread's event, `file_fd` the event's descriptor: a copy reads one
    /// file and writes another.
    Intent intent_of(pid_t tid, std::uint64_t mask, int file_fd, Wait wait = Wait::Briefly);

  private:
    std::string text_of(pid_t tid);
    std::string settled_text_of(pid_t tid, Wait wait);

    std::mutex mutex_;
    std::unordered_map<pid_t, UniqueFd> open_;
};

/// Who is behind a thread. Looks into /proc once per process and keeps the answer for a moment, so
/// that acts seen after their process has ended still have an author. Thread-safe.
class Actors {
  public:
    /// `sessions` may be null.
    explicit Actors(SmbSessions* sessions);

    /// Who is behind it after the fact; of an NFS server that is the server.
    Actor of(pid_t tid);
    /// … while it waits for an answer: also whom the server works for.
    Actor of_waiting(pid_t tid);
    /// Remembers who a thread is while it is still there.
    void note(pid_t tid) { (void)of(tid); }

  private:
    struct Seen {
        Actor actor;
        std::chrono::steady_clock::time_point at;
    };
    Actor look(pid_t tid);
    std::string name_of(uid_t uid) const;
    void prune(std::chrono::steady_clock::time_point now);

    SmbSessions* sessions_;
    std::uint64_t started_;  ///< our own start, in the clock of /proc
    std::mutex mutex_;
    std::unordered_map<pid_t, Seen> seen_;
};

/// The path of a process's executable; empty when it cannot be read.
std::string program_of(pid_t pid);

/// Fields of /proc/PID/stat.
struct ProcessStat {
    pid_t parent = 0;
    std::uint64_t started = 0;
    bool is_kernel = false;  ///< a thread of the kernel: it takes no signal and has no program
};
std::optional<ProcessStat> stat_of(pid_t pid);
/// Parses the text of /proc/PID/stat; a command name may hold anything, parentheses too.
std::optional<ProcessStat> parse_stat(std::string_view text);
/// Whether this process is an NFS server, which works for many users at once: a thread of the
/// kernel's, or nfs-ganesha when root runs it; whoever else goes by that name is what it is.
/// `status` is the text of /proc/PID/status.
bool is_nfs_server(std::string_view program, const ProcessStat& stat, std::string_view status);
bool is_nfs_server(pid_t pid);

}  // namespace hygie::files
