#include "guards/files/acts/actors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <climits>
#include <thread>

#include "guards/files/acts/smb.h"
#include "host/unique_fd.h"

namespace hygie::files {
namespace {

constexpr std::size_t kProcBytesMax = 4096;
constexpr std::size_t kCallBytesMax = 256;
constexpr int kRunningSpins = 5;
constexpr int kRunningMax = 25;
constexpr auto kRunningPause = std::chrono::microseconds(10);
constexpr auto kPatientPause = std::chrono::milliseconds(1);
constexpr int kLineageMax = 32;
/// A process number is not given again within this time on an honest machine.
constexpr auto kFresh = std::chrono::seconds(2);
/// Acts told after the fact arrive within this time.
constexpr auto kRemembered = std::chrono::seconds(30);
constexpr std::size_t kSeenMax = 8192;
/// PF_KTHREAD of the kernel's include/linux/sched.h.
constexpr std::uint64_t kKernelThread = 0x00200000;

std::string read_proc(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return {};
    std::string text(kProcBytesMax, '\0');
    const ssize_t size = ::read(fd.get(), text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

/// The number behind "Key:\t" in /proc/PID/status.
std::optional<std::uint64_t> field(std::string_view text, std::string_view key) {
    const std::size_t at = text.find(key);
    if (at == std::string_view::npos) return std::nullopt;
    const char* begin = text.data() + at + key.size();
    while (begin < text.data() + text.size() && (*begin == '\t' || *begin == ' ')) ++begin;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
    if (error != std::errc()) return std::nullopt;
    return value;
}

std::string cgroup_of(pid_t pid) {
    const std::string text = read_proc(fmt::format("/proc/{}/cgroup", pid));
    const std::size_t at = text.find("0::");
    if (at == std::string::npos) return {};
    return text.substr(at + 3, text.find('\n', at) - at - 3);
}

struct Call {
    long number = -1;
    std::array<unsigned long, 6> args{};
};

/// "257 0xffffff9c 0x7ffe…": the number of the call, then its arguments.
std::optional<Call> parse_call(std::string_view text) {
    Call call;
    const char* const end = text.data() + text.size();
    std::from_chars_result last = std::from_chars(text.data(), end, call.number);
    constexpr std::ptrdiff_t kPrefix = 3;  // " 0x"
    for (unsigned long& argument : call.args) {
        if (last.ec != std::errc() || end - last.ptr < kPrefix) return std::nullopt;
        last = std::from_chars(last.ptr + kPrefix, end, argument, 16);
    }
    return last.ec == std::errc() ? std::optional(call) : std::nullopt;
}

bool same_file(pid_t tid, unsigned long fd, int file_fd) {
    struct stat theirs{};
    struct stat ours{};
    return ::stat(fmt::format("/proc/{}/fd/{}", tid, static_cast<int>(fd)).c_str(), &theirs) == 0 &&
           ::fstat(file_fd, &ours) == 0 && theirs.st_dev == ours.st_dev &&
           theirs.st_ino == ours.st_ino;
}

Intent open_intent(unsigned long flags) {
    const bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
    return writes ? Intent::Write : Intent::Read;
}

}  // namespace

std::string program_of(pid_t pid) {
    std::array<char, PATH_MAX> buffer{};
    const ssize_t size =
        ::readlink(fmt::format("/proc/{}/exe", pid).c_str(), buffer.data(), buffer.size());
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

std::optional<ProcessStat> parse_stat(std::string_view text) {
    const std::size_t close = text.rfind(')');
    if (close == std::string_view::npos) return std::nullopt;
    ProcessStat stat;
    int field_number = 2;
    std::size_t at = close + 1;
    while (at < text.size()) {
        at = text.find_first_not_of(' ', at);
        if (at == std::string_view::npos) break;
        const std::size_t end = std::min(text.find(' ', at), text.size());
        ++field_number;
        const std::string_view word = text.substr(at, end - at);
        if (field_number == 4) std::from_chars(word.begin(), word.end(), stat.parent);
        if (field_number == 9) {
            std::uint64_t flags = 0;
            std::from_chars(word.begin(), word.end(), flags);
            stat.is_kernel = (flags & kKernelThread) != 0;
        }
        if (field_number == 22) {
            std::from_chars(word.begin(), word.end(), stat.started);
            return stat;
        }
        at = end;
    }
    return std::nullopt;
}

std::optional<ProcessStat> stat_of(pid_t pid) {
    return parse_stat(read_proc(fmt::format("/proc/{}/stat", pid)));
}

/// A descriptor belongs to its thread for good: of one that ended it reads nothing, whoever has the
/// number by now.
std::string Calls::text_of(pid_t tid) {
    const std::lock_guard lock(mutex_);
    if (open_.size() >= kOpenMax) open_.clear();
    UniqueFd& fd = open_[tid];
    std::array<char, kCallBytesMax> text{};
    ssize_t size = fd ? ::pread(fd.get(), text.data(), text.size(), 0) : 0;
    if (size <= 0) {
        fd = UniqueFd(::open(fmt::format("/proc/{}/syscall", tid).c_str(), O_RDONLY | O_CLOEXEC));
        size = fd ? ::pread(fd.get(), text.data(), text.size(), 0) : 0;
    }
    return {text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

/// Who has told of an act may not have gone to sleep over it yet, on another processor or behind us
/// on this one: what it does cannot be read until then.
std::string Calls::settled_text_of(pid_t tid, Wait wait) {
    std::string text = text_of(tid);
    for (int i = 0; i < kRunningMax && text.starts_with("running"); ++i) {
        if (i >= kRunningSpins) std::this_thread::sleep_for(kRunningPause);
        text = text_of(tid);
    }
    if (wait == Wait::Briefly) return text;
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (text.starts_with("running") && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(kPatientPause);
        text = text_of(tid);
    }
    return text;
}

Intent Calls::intent_of(pid_t tid, std::uint64_t mask, int file_fd, Wait wait) {
    if (mask & fan::kOpenExecPerm) return Intent::Execute;
    const auto call = parse_call(settled_text_of(tid, wait));
    if (!call) return Intent::Write;
    switch (call->number) {
        case SYS_open:
            return open_intent(call->args[1]);
        case SYS_openat:
        case SYS_open_by_handle_at:
            return open_intent(call->args[2]);
        case SYS_execve:  // running it has an event of its own
        case SYS_execveat:
        case SYS_read:
        case SYS_pread64:
        case SYS_readv:
        case SYS_preadv:
        case SYS_preadv2:
        case SYS_readahead:
            return Intent::Read;
        case SYS_mmap:
            return (call->args[2] & PROT_WRITE) && (call->args[3] & 0x03) != MAP_PRIVATE
                       ? Intent::Write
                       : Intent::Read;
        case SYS_sendfile:
            return same_file(tid, call->args[1], file_fd) && !same_file(tid, call->args[0], file_fd)
                       ? Intent::Read
                       : Intent::Write;
        case SYS_ioctl:
            return call->args[1] == FICLONE && same_file(tid, call->args[2], file_fd) &&
                           !same_file(tid, call->args[0], file_fd)
                       ? Intent::Read
                       : Intent::Write;
        case SYS_copy_file_range:
        case SYS_splice:
            return same_file(tid, call->args[0], file_fd) && !same_file(tid, call->args[2], file_fd)
                       ? Intent::Read
                       : Intent::Write;
        case SYS_truncate:
        case SYS_ftruncate:
            return Intent::Truncate;
        default:
            return Intent::Write;
    }
}

bool is_nfs_server(std::string_view program, const ProcessStat& stat, std::string_view status) {
    if (stat.is_kernel) return status.starts_with("Name:\tnfsd\n");
    constexpr std::string_view kReplaced = " (deleted)";  // by an update
    if (program.ends_with(kReplaced)) program.remove_suffix(kReplaced.size());
    return program.ends_with("/ganesha.nfsd") && field(status, "\nUid:") == 0U;
}

bool is_nfs_server(pid_t pid) {
    const auto stat = stat_of(pid);
    return stat &&
           is_nfs_server(program_of(pid), *stat, read_proc(fmt::format("/proc/{}/status", pid)));
}

Actors::Actors(SmbSessions* sessions) : sessions_(sessions) {
    const auto self = stat_of(::getpid());
    started_ = self ? self->started : 0;
}

Actor Actors::of(pid_t tid) {
    const auto now = std::chrono::steady_clock::now();
    {
        const std::lock_guard lock(mutex_);
        const auto found = seen_.find(tid);
        if (found != seen_.end() && now - found->second.at < kFresh) return found->second.actor;
    }
    Actor actor = look(tid);
    const std::lock_guard lock(mutex_);
    if (seen_.size() >= kSeenMax) prune(now);
    const auto found = seen_.find(tid);
    // Gone already: what was seen of it a moment ago is better than nothing.
    if (actor.process.started == 0 && found != seen_.end()) return found->second.actor;
    // Samba is its own master now and then: for whom it works shows at its next act.
    if (actor.smb && actor.smb->user == kUnknownUser) return actor;
    seen_[tid] = {actor, now};
    if (actor.process.pid != tid) seen_[actor.process.pid] = {actor, now};
    return actor;
}

/// It stands still in its call, under the rights it took for it.
Actor Actors::of_waiting(pid_t tid) {
    Actor actor = of(tid);
    if (!actor.nfs) return actor;
    actor.uid = effective_uid(read_proc(fmt::format("/proc/{}/status", tid)));
    // Its own rights are nobody's: so it opens, reads and cuts.
    if (actor.uid != 0) actor.nfs = name_of(actor.uid);
    return actor;
}

std::string Actors::name_of(uid_t uid) const {
    return sessions_ != nullptr ? sessions_->name_of(uid) : fmt::format("uid {}", uid);
}

void Actors::prune(std::chrono::steady_clock::time_point now) {
    std::erase_if(seen_, [&](const auto& item) { return now - item.second.at > kRemembered; });
    if (seen_.size() >= kSeenMax) seen_.clear();
}

Actor Actors::look(pid_t tid) {
    Actor actor;
    const std::string status = read_proc(fmt::format("/proc/{}/status", tid));
    const auto pid =
        static_cast<pid_t>(field(status, "Tgid:").value_or(static_cast<std::uint64_t>(tid)));
    actor.process.pid = pid;
    actor.family.pid = pid;
    const auto self = stat_of(pid);
    if (!self) return actor;
    actor.process.started = self->started;
    actor.uid = static_cast<uid_t>(field(status, "Uid:").value_or(0));
    actor.program = program_of(pid);
    actor.cgroup = cgroup_of(pid);
    actor.family = actor.process;
    bool within = self->started >= started_;
    pid_t parent = self->parent;
    for (int i = 0; i < kLineageMax && parent > 1; ++i) {
        const auto above = stat_of(parent);
        if (!above) break;
        const ProcessId id{parent, above->started};
        actor.lineage.push_back(id);
        within = within && above->started >= started_;
        if (within) actor.family = id;
        parent = above->parent;
    }
    if (is_nfs_server(actor.program, *self, status))
        actor.nfs = kUnknownUser;
    else if (sessions_)
        actor.smb = sessions_->client_of(actor.process);
    return actor;
}

}  // namespace hygie::files
