#include "guards/files/restore/settle.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/btrfs.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

#include "host/os_error.h"

namespace hygie::files {
namespace {

/// Files open at once, until their bytes are on the disk.
constexpr std::size_t kOnTheirWayMax = 256;

/// What takes along all that was done before: a log that keeps the order of changes, of which the
/// last is synced; a commit of all metadata; or nothing.
enum class Order : std::uint8_t { Log, Commit, None };

/// ext4 may be made without a journal: then each file stands alone.
bool has_journal(int dir) {
    struct stat info{};
    if (::fstat(dir, &info) < 0) return false;
    std::error_code error;
    const auto device = std::filesystem::canonical(
        fmt::format("/sys/dev/block/{}:{}", major(info.st_dev), minor(info.st_dev)), error);
    std::ifstream journal("/sys/fs/ext4/" + device.filename().string() + "/journal_task");
    long task = 0;
    return !error && journal >> task && task > 0;
}

Order order_of(int dir) {
    struct statfs info{};
    if (::fstatfs(dir, &info) < 0) return Order::None;
    switch (static_cast<std::uint64_t>(info.f_type)) {
        case XFS_SUPER_MAGIC:
            return Order::Log;
        case EXT4_SUPER_MAGIC:
            return has_journal(dir) ? Order::Log : Order::None;
        case BTRFS_SUPER_MAGIC:
            return Order::Commit;
        default:
            return Order::None;
    }
}

/// What is written and not yet allocated is no part of a transaction: it does not wait for that.
bool commit(int dir) {
    __u64 transaction = 0;
    return ::ioctl(dir, BTRFS_IOC_START_SYNC, &transaction) == 0 &&
           ::ioctl(dir, BTRFS_IOC_WAIT_SYNC, &transaction) == 0;
}

/// Its bytes are on their device, and where they lie is part of a transaction: fsync would make
/// each file wait for a transaction, and for the device, of its own.
bool bytes_are_written(int file) {
    struct fiemap map{};
    map.fm_length = FIEMAP_MAX_OFFSET;
    map.fm_flags = FIEMAP_FLAG_SYNC;
    return ::ioctl(file, FS_IOC_FIEMAP, &map) == 0;
}

Status wait_for(const UniqueFd& file) {
    if (bytes_are_written(file.get())) return {};
    const bool is_unknown = errno == EOPNOTSUPP || errno == ENOTTY || errno == EBADR;
    if (is_unknown && ::fsync(file.get()) == 0) return {};
    return os_failure(errno, "share");
}

}  // namespace

void Settling::copied(const UniqueFd& file) {
    // Without this they are written when they are waited for.
    (void)::sync_file_range(file.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    UniqueFd due(::fcntl(file.get(), F_DUPFD_CLOEXEC, 3));
    if (!due) return keep(wait_for(file));
    {
        const std::scoped_lock lock(mutex_);
        on_their_way_.push_back(std::move(due));
        if (on_their_way_.size() <= kOnTheirWayMax) return;
        due = std::move(on_their_way_.front());
        on_their_way_.pop_front();
    }
    keep(wait_for(due));
}

void Settling::keep(Status done) {
    const std::scoped_lock lock(mutex_);
    if (!done && copies_) copies_ = std::move(done);
}

Status Settling::end(Disk& disk, const std::string& dir) {
    for (; !on_their_way_.empty(); on_their_way_.pop_front()) keep(wait_for(on_their_way_.front()));
    TRY_STATUS(copies_);
    const UniqueFd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return os_failure(errno, dir);
    switch (order_of(fd.get())) {
        case Order::Log:
            // A full disk may refuse a change.
            if (::futimens(fd.get(), nullptr) < 0) break;
            return ::fsync(fd.get()) == 0 ? Status() : Status(os_failure(errno, dir));
        case Order::Commit:
            return commit(fd.get()) ? Status() : Status(os_failure(errno, dir));
        case Order::None:
            break;
    }
    return disk.sync_all(dir);
}

}  // namespace hygie::files
