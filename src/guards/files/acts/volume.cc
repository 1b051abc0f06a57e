#include "guards/files/acts/volume.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "host/disk.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

constexpr unsigned kXfsMagic = 0x58465342;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::string_view kGone = " (deleted)";

std::string name_of_type(std::uint64_t magic) {
    switch (magic) {
        case EXT4_SUPER_MAGIC:
            return "ext4";
        case kXfsMagic:
            return "xfs";
        case BTRFS_SUPER_MAGIC:
            return "btrfs";
        case TMPFS_MAGIC:
            return "tmpfs";
        case OVERLAYFS_SUPER_MAGIC:
            return "overlayfs";
        case NFS_SUPER_MAGIC:
            return "nfs";
        default:
            return fmt::format("0x{:x}", magic);
    }
}

/// struct file_handle with room for its bytes.
struct HandleBuffer {
    alignas(file_handle) std::uint8_t bytes[sizeof(file_handle) + MAX_HANDLE_SZ];

    file_handle& head() { return *reinterpret_cast<file_handle*>(bytes); }
    std::uint8_t* handle() { return bytes + sizeof(file_handle); }
};

Result<FileKey> key_by(std::uint8_t volume, int dir_fd, const char* name, int flags) {
    HandleBuffer buffer;
    buffer.head().handle_bytes = MAX_HANDLE_SZ;
    int mount = 0;
    if (::name_to_handle_at(dir_fd, name, &buffer.head(), &mount, flags) < 0) {
        if (errno == ENOENT) return fail(Code::NotFound, {"fichier disparu", "file gone"});
        return fail(
            Code::Unavailable,
            {"ce système de fichiers ne nomme pas ses fichiers par poignée",
             "this file system does not name its files by handle"},
            {"mettez le partage sur ext4, xfs ou btrfs", "put the share on ext4, xfs or btrfs"});
    }
    if (buffer.head().handle_bytes + 2 > FileKey::kBytesMax)
        return fail(
            Code::Unavailable, {"poignée de fichier trop longue", "file handle too long"},
            {"mettez le partage sur ext4, xfs ou btrfs", "put the share on ext4, xfs or btrfs"});
    return FileKey(volume, buffer.head().handle_type,
                   ByteView(buffer.handle(), buffer.head().handle_bytes));
}

/// The highest folder above `dir` that is still on the same mount.
Result<std::string> top_of_mount(std::string dir) {
    const auto mount_of = [](const std::string& path) -> Result<std::uint64_t> {
        struct statx info{};
        if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | 0x1000U,
                    &info) < 0)
            return os_failure(errno, path);
        return info.stx_mnt_id;
    };
    const std::uint64_t mount = TRY(mount_of(dir));
    while (dir != "/") {
        std::string above = parent(dir);
        if (TRY(mount_of(above)) != mount) break;
        dir = std::move(above);
    }
    return dir;
}

}  // namespace

Stamp Stamp::of(const struct stat& info) {
    return {static_cast<std::uint64_t>(info.st_size),
            info.st_mtim.tv_sec * kNsPerSecond + info.st_mtim.tv_nsec,
            info.st_ctim.tv_sec * kNsPerSecond + info.st_ctim.tv_nsec};
}

bool is_inside(std::string_view path, std::string_view dir) {
    if (dir == "/") return path.starts_with('/');
    return path.starts_with(dir) && (path.size() == dir.size() || path[dir.size()] == '/');
}

Result<std::unique_ptr<Volume>> Volume::open(std::uint8_t number,
                                             std::vector<std::string> protected_dirs) {
    std::unique_ptr<Volume> volume(new Volume);
    const std::string& first = protected_dirs.front();
    struct stat info{};
    struct statfs fs{};
    if (::stat(first.c_str(), &info) < 0 || ::statfs(first.c_str(), &fs) < 0)
        return os_failure(errno, first);
    volume->number_ = number;
    volume->device_ = info.st_dev;
    std::memcpy(&volume->id_, &fs.f_fsid, sizeof volume->id_);
    volume->type_ = name_of_type(static_cast<std::uint64_t>(fs.f_type));
    volume->top_ = TRY(top_of_mount(first));
    volume->top_fd_ = UniqueFd(::open(volume->top_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!volume->top_fd_) return os_failure(errno, volume->top_);
    volume->protected_ = std::move(protected_dirs);
    TRY(key_by(number, volume->top_fd_.get(), "", AT_EMPTY_PATH));
    return volume;
}

Result<FileKey> key_of(std::uint8_t volume, int fd) {
    return key_by(volume, fd, "", AT_EMPTY_PATH);
}

Result<FileKey> Volume::key_of(int fd) const {
    return files::key_of(number_, fd);
}

Result<FileKey> Volume::key_at(int dir_fd, const std::string& name) const {
    return key_by(number_, dir_fd, name.c_str(), 0);
}

Result<UniqueFd> Volume::open_key(const FileKey& key, int flags) const {
    HandleBuffer buffer;
    buffer.head().handle_bytes = static_cast<unsigned>(key.handle().size());
    buffer.head().handle_type = key.type();
    std::ranges::copy(key.handle(), buffer.handle());
    UniqueFd fd(::open_by_handle_at(top_fd_.get(), &buffer.head(), flags | O_CLOEXEC));
    if (!fd)
        return fail(errno == ESTALE || errno == ENOENT ? Code::NotFound : Code::Io,
                    {"fichier disparu", "file gone"});
    return fd;
}

std::optional<std::string> Volume::path_of(int fd) {
    char buffer[PATH_MAX + 16];
    const ssize_t size =
        ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), buffer, sizeof buffer);
    if (size <= 0 || buffer[0] != '/') return std::nullopt;
    std::string path(buffer, static_cast<std::size_t>(size));
    // A file may really be called so. Else this name of it is gone, whether it has others or not.
    if (path.ends_with(kGone)) {
        struct stat info{};
        struct stat named{};
        const bool is_called_so = ::fstat(fd, &info) == 0 && ::lstat(path.c_str(), &named) == 0 &&
                                  named.st_dev == info.st_dev && named.st_ino == info.st_ino;
        if (!is_called_so) path.resize(path.size() - kGone.size());
    }
    return path;
}

std::optional<std::string> Volume::path_of(const FileKey& key) const {
    const Result<UniqueFd> fd = open_key(key, O_PATH);
    return fd ? path_of(fd->get()) : std::nullopt;
}

bool Volume::protects(std::string_view path) const {
    const auto holds = [&](const std::string& dir) { return is_inside(path, dir); };
    return std::ranges::any_of(protected_, holds) && std::ranges::none_of(own_, holds);
}

}  // namespace hygie::files
