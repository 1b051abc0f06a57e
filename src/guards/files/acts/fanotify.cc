#include "guards/files/acts/fanotify.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "host/os_error.h"

namespace hygie::files::fan {
namespace {

constexpr std::uint8_t kInfoRange = 6;  // FAN_EVENT_INFO_TYPE_RANGE, Linux 6.14
constexpr unsigned kIgnoreInode = FAN_MARK_ADD | FAN_MARK_IGNORE | FAN_MARK_EVICTABLE;

unsigned init_flags(Kind kind) {
    constexpr unsigned kCommon =
        FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS;
    switch (kind) {
        case Kind::Gate:
            return kCommon | FAN_CLASS_PRE_CONTENT | FAN_REPORT_TID;
        case Kind::OldGate:
            return kCommon | FAN_CLASS_CONTENT | FAN_REPORT_TID;
        case Kind::Closings:
            return kCommon | FAN_CLASS_NOTIF;
        case Kind::Names:
            return kCommon | FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_REPORT_FID |
                   FAN_REPORT_TARGET_FID;
    }
    return kCommon;
}

WallTime wall_now() {
    return std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now());
}

Handle handle_in(const fanotify_event_info_fid& info, std::string* name) {
    file_handle head;
    std::memcpy(&head, info.handle, sizeof head);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(info.handle) + sizeof head;
    if (name) *name = reinterpret_cast<const char*>(bytes + head.handle_bytes);
    return {head.handle_type, Bytes(bytes, bytes + head.handle_bytes)};
}

bool is_fid(std::uint8_t type) {
    return type == FAN_EVENT_INFO_TYPE_FID || type == FAN_EVENT_INFO_TYPE_DFID_NAME ||
           type == FAN_EVENT_INFO_TYPE_OLD_DFID_NAME || type == FAN_EVENT_INFO_TYPE_NEW_DFID_NAME;
}

void take_info(Event& event, const fanotify_event_info_header& header) {
    const auto& fid = reinterpret_cast<const fanotify_event_info_fid&>(header);
    if (is_fid(header.info_type)) std::memcpy(&event.fsid, &fid.fsid, sizeof event.fsid);
    switch (header.info_type) {
        case FAN_EVENT_INFO_TYPE_FID:
            event.target = handle_in(fid, nullptr);
            break;
        case FAN_EVENT_INFO_TYPE_DFID_NAME:
        case FAN_EVENT_INFO_TYPE_OLD_DFID_NAME:
            event.dir = handle_in(fid, &event.name);
            break;
        case FAN_EVENT_INFO_TYPE_NEW_DFID_NAME:
            event.new_dir = handle_in(fid, &event.new_name);
            break;
        case kInfoRange: {
            const auto* range = reinterpret_cast<const std::uint8_t*>(&header) + 8;
            std::memcpy(&event.offset, range, sizeof event.offset);
            std::memcpy(&event.length, range + 8, sizeof event.length);
            break;
        }
        default:
            break;
    }
}

Event event_of(const fanotify_event_metadata& meta) {
    Event event;
    event.mask = meta.mask;
    event.fd = UniqueFd(meta.fd);
    event.tid = meta.pid;
    const auto* at = reinterpret_cast<const std::uint8_t*>(&meta) + meta.metadata_len;
    const auto* end = reinterpret_cast<const std::uint8_t*>(&meta) + meta.event_len;
    while (at + sizeof(fanotify_event_info_header) <= end) {
        const auto& header = *reinterpret_cast<const fanotify_event_info_header*>(at);
        if (header.len < sizeof header || at + header.len > end) break;
        take_info(event, header);
        at += header.len;
    }
    return event;
}

std::unexpected<Error> unsupported(int error) {
    if (error == EPERM || error == EACCES)
        return fail(Code::Denied,
                    {"le noyau refuse de surveiller des fichiers pour ce compte",
                     "the kernel refuses to watch files for this account"},
                    {"lancez le garde en root, ou avec CAP_SYS_ADMIN",
                     "run the guard as root, or with CAP_SYS_ADMIN"});
    return fail(
        Code::Unavailable,
        {fmt::format("le noyau ou le système de fichiers ne sait pas signaler cela (errno {})",
                     error),
         fmt::format("the kernel or file system cannot report this (errno {})", error)},
        {"les événements avant contenu demandent Linux 6.14 et ext4, xfs ou btrfs",
         "pre-content events need Linux 6.14 and ext4, xfs or btrfs"});
}

}  // namespace

std::uint32_t deny(int error) {
    return FAN_DENY | (static_cast<std::uint32_t>(error & 0xff) << 24);
}

Result<Group> Group::open(Kind kind) {
    UniqueFd fd(::fanotify_init(init_flags(kind), O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME));
    if (!fd) return unsupported(errno);
    return Group(std::move(fd));
}

void Group::renumber(int least) {
    if (UniqueFd fd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, least)); fd) fd_ = std::move(fd);
}

Status Group::watch_filesystem(const std::string& path, std::uint64_t mask) {
    if (::fanotify_mark(fd_.get(), FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, AT_FDCWD,
                        path.c_str()) < 0)
        return errno == ENOENT ? Status(os_failure(errno, path)) : Status(unsupported(errno));
    return {};
}

// A mark that cannot be set or removed costs time, not safety: the event comes again, or the file
// is asked about once more.
void Group::ignore(int fd, std::uint64_t mask, Ignore how) {
    const unsigned survive = how == Ignore::Always ? FAN_MARK_IGNORED_SURV_MODIFY : 0U;
    (void)::fanotify_mark(fd_.get(), kIgnoreInode | survive, mask, fd, nullptr);
}

void Group::watch_file(int fd, std::uint64_t mask) {
    (void)::fanotify_mark(fd_.get(), FAN_MARK_ADD | FAN_MARK_EVICTABLE, mask, fd, nullptr);
}

void Group::unwatch_file(int fd, std::uint64_t mask) {
    (void)::fanotify_mark(fd_.get(), FAN_MARK_REMOVE, mask, fd, nullptr);
}

void Group::unwatch_named(int path_fd, std::uint64_t mask) {
    (void)::fanotify_mark(fd_.get(), FAN_MARK_REMOVE, mask, AT_FDCWD,
                          fmt::format("/proc/self/fd/{}", path_fd).c_str());
}

void Group::heed(int fd, std::uint64_t mask) {
    (void)::fanotify_mark(fd_.get(), FAN_MARK_REMOVE | FAN_MARK_IGNORE, mask, fd, nullptr);
}

void Group::ignore_inside(const std::string& dir, std::uint64_t mask) {
    (void)::fanotify_mark(fd_.get(), FAN_MARK_ADD | FAN_MARK_IGNORE_SURV, mask | FAN_EVENT_ON_CHILD,
                          AT_FDCWD, dir.c_str());
}

void Group::heed_all() {
    (void)::fanotify_mark(fd_.get(), FAN_MARK_FLUSH, 0, AT_FDCWD, "/");
}

/// What came before that time was read by then.
void Group::was_empty(WallTime at) const {
    emptied_->store(at, std::memory_order_relaxed);
}

Status Group::read(std::vector<Event>& out, std::size_t bytes_max) {
    const WallTime after = emptied_->load(std::memory_order_relaxed);
    const WallTime began = wall_now();
    alignas(fanotify_event_metadata) std::uint8_t buffer[kReadBytes];
    ssize_t size = ::read(fd_.get(), buffer, std::min(bytes_max, sizeof buffer));
    if (size < 0) {
        if (errno == EAGAIN) was_empty(began);
        if (errno == EAGAIN || errno == EINTR) return {};
        return os_failure(errno, "fanotify");
    }
    const auto* meta = reinterpret_cast<const fanotify_event_metadata*>(buffer);
    const WallTime before = wall_now();
    while (FAN_EVENT_OK(meta, size)) {
        out.push_back(event_of(*meta));
        out.back().when = {after, before};
        meta = FAN_EVENT_NEXT(meta, size);
    }
    return {};
}

void Group::answer(int fd, std::uint32_t response) {
    const auto told = [this, fd](std::uint32_t what) {
        const fanotify_response answer{fd, what};
        return ::write(fd_.get(), &answer, sizeof answer) > 0;
    };
    if (told(response) || errno != EINVAL || response == kAllow) return;
    // A kernel that knows no error numbers here knows the plain refusal.
    if (!told(FAN_DENY)) return;
}

std::size_t Group::waiting() const {
    const WallTime began = wall_now();
    int bytes = 0;
    if (::ioctl(fd_.get(), FIONREAD, &bytes) < 0 || bytes <= 0) {
        was_empty(began);
        return 0;
    }
    constexpr std::size_t kLeast = sizeof(fanotify_event_metadata);
    return (static_cast<std::size_t>(bytes) + kLeast - 1) / kLeast;
}

Turn::Turn(const Group& group) : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLEXCLUSIVE;
    HYGIE_CHECK(::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, group.fd(), &event) == 0,
                "an open group can be waited for");
}

void Turn::wait(int timeout_ms) const {
    epoll_event event{};
    (void)::epoll_wait(fd_.get(), &event, 1, timeout_ms);
}

}  // namespace hygie::files::fan
