#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "guards/files/acts/moment.h"
#include "host/unique_fd.h"

/// The kernel's file events (fanotify(7)), without any policy. The header of Debian 12 knows Linux
/// 6.1; what came later is spelled out here.
namespace hygie::files::fan {

inline constexpr std::uint64_t kOpenPerm = 0x00010000;
inline constexpr std::uint64_t kOpenExecPerm = 0x00040000;
inline constexpr std::uint64_t kPreAccess = 0x00100000;  ///< Linux 6.14
inline constexpr std::uint64_t kCloseWrite = 0x00000008;
inline constexpr std::uint64_t kModify = 0x00000002;
inline constexpr std::uint64_t kAttrib = 0x00000004;
inline constexpr std::uint64_t kCreate = 0x00000100;
inline constexpr std::uint64_t kDelete = 0x00000200;
inline constexpr std::uint64_t kOverflow = 0x00004000;
inline constexpr std::uint64_t kRename = 0x10000000;  ///< Linux 5.17
inline constexpr std::uint64_t kOnDir = 0x40000000;
/// Somebody took a name away.
inline constexpr std::uint64_t kNameTaken = kDelete | kRename;

/// What a group is for: decides its class and what its events carry.
enum class Kind {
    Gate,      ///< permission and pre-content events, each with a descriptor to be answered
    OldGate,   ///< the same before Linux 6.14: permission events alone
    Closings,  ///< after the fact, with a descriptor that keeps an unlinked file alive
    Names,     ///< after the fact, with the handles of file and folder and the name
};

/// A file or folder as an event names it: type and bytes of struct file_handle.
struct Handle {
    int type = 0;
    Bytes bytes;
};

struct Event {
    std::uint64_t mask = 0;
    UniqueFd fd;               ///< Gate and Closings; none after an overflow
    pid_t tid = 0;             ///< of the thread that acts (Gate), of the process elsewhere
    std::uint64_t offset = 0;  ///< PreAccess: the range
    std::uint64_t length = 0;
    std::uint64_t fsid = 0;  ///< Names: of which file system (statfs f_fsid)
    Handle target;           ///< Names: the file or folder itself
    Handle dir;              ///< Names: the folder of `name`; of a rename, the old one
    std::string name;
    Handle new_dir;  ///< of a rename
    std::string new_name;
    Moment when;  ///< since nothing waited, until it was read
};

/// Whether an ignored event stays ignored after the file was modified.
enum class Ignore { UntilModified, Always };

/// Answers.
inline constexpr std::uint32_t kAllow = 1;
std::uint32_t deny(int error);  ///< the call fails with `error`; EPERM where the kernel is too old

/// An open group. Reading and answering are safe from several threads and processes at once.
class Group {
  public:
    Group() = default;
    explicit Group(UniqueFd fd) : fd_(std::move(fd)) {}
    /// Code::Denied without CAP_SYS_ADMIN, Code::Unavailable when the kernel lacks the kind.
    static Result<Group> open(Kind kind);

    int fd() const { return fd_.get(); }
    /// Takes a descriptor with this number or a higher one.
    void renumber(int least);
    /// Asks for events on the whole file system that holds `path`. Code::Unavailable when the
    /// kernel or this file system cannot give them.
    Status watch_filesystem(const std::string& path, std::uint64_t mask);
    static constexpr std::size_t kReadBytes = 64 << 10;
    /// Asks for events on one open file; forgotten when its inode leaves the cache.
    void watch_file(int fd, std::uint64_t mask);
    void unwatch_file(int fd, std::uint64_t mask);
    /// … by a descriptor of O_PATH: whoever only names a file raises no event.
    void unwatch_named(int path_fd, std::uint64_t mask);
    /// No more such events on the file open at `fd`; forgotten when its inode leaves the cache.
    /// While somebody has the file open for writing the kernel takes only Ignore::Always.
    void ignore(int fd, std::uint64_t mask, Ignore how);
    void heed(int fd, std::uint64_t mask);
    /// No such events, ever, for files directly inside a folder.
    void ignore_inside(const std::string& dir, std::uint64_t mask);
    /// Forgets every ignored file at once.
    void heed_all();
    /// Appends what waits; none when nothing does. Never blocks. An event takes 24 bytes, 48 with a
    /// range, more with names.
    Status read(std::vector<Event>& out, std::size_t bytes_max = kReadBytes);
    void answer(int fd, std::uint32_t response);
    /// Whether events wait to be read.
    bool pending() const { return waiting() > 0; }
    /// How many, at most.
    std::size_t waiting() const;

  private:
    void was_empty(WallTime at) const;

    UniqueFd fd_;
    /// When nothing waited, as far as is known.
    std::unique_ptr<std::atomic<WallTime>> emptied_ =
        std::make_unique<std::atomic<WallTime>>(WallTime{});
};

/// One of several who wait for the events of a group: the kernel wakes one of them for each, the
/// first that waits in the order in which they were made.
class Turn {
  public:
    explicit Turn(const Group& group);
    /// Returns when an event may wait, or after that time.
    void wait(int timeout_ms) const;

  private:
    UniqueFd fd_;
};

}  // namespace hygie::files::fan
