#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "host/disk.h"
#include "host/os_error.h"
#include "host/unique_fd.h"

namespace hygie {
namespace {

constexpr std::size_t kZeroChunkBytes = 1 << 20;

/// Repeats a system call that a signal interrupted.
template <typename Call>
auto retry(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

mode_t file_mode(Access access) {
    return access == Access::Served ? 0644 : 0600;
}

Result<UniqueFd> open_fd(const std::string& path, int flags, mode_t mode = 0) {
    UniqueFd fd(retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
    if (!fd) return os_failure(errno, path);
    return fd;
}

/// What root makes in a folder of somebody else is theirs, as SQLite has it: a service that is not
/// root must be able to open tomorrow what an administrator's command made today. Where that cannot
/// be done it stays as it is.
void hand_to_owner_above(int fd, const std::string& path) {
    struct stat above{};
    if (::geteuid() != 0 || ::stat(parent(path).c_str(), &above) < 0 || above.st_uid == 0) return;
    (void)!::fchown(fd, above.st_uid, above.st_gid);
}

/// Opens it, and makes it when it is absent. Only what was made here is handed over.
Result<UniqueFd> open_or_make(const std::string& path, int flags, mode_t mode) {
    UniqueFd made(
        retry([&] { return ::open(path.c_str(), flags | O_CREAT | O_EXCL | O_CLOEXEC, mode); }));
    if (made) {
        hand_to_owner_above(made.get(), path);
        return made;
    }
    if (errno != EEXIST || (flags & O_EXCL) != 0) return os_failure(errno, path);
    return open_fd(path, flags | O_CREAT, mode);
}

Status sync_dir_fd(const std::string& dir) {
    const UniqueFd fd = TRY(open_fd(dir, O_RDONLY | O_DIRECTORY));
    if (retry([&] { return ::fsync(fd.get()); }) < 0) return os_failure(errno, dir);
    return {};
}

class RealFile final : public File {
  public:
    RealFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
        std::size_t done = 0;
        while (done < out.size()) {
            const ssize_t got = retry([&] {
                return ::pread(fd_.get(), out.data() + done, out.size() - done,
                               static_cast<off_t>(offset + done));
            });
            if (got < 0) return os_failure(errno, path_);
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

    Status write_at(std::uint64_t offset, ByteView bytes) override {
        while (!bytes.empty()) {
            const ssize_t put = retry([&] {
                return ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
            });
            if (put < 0) return os_failure(errno, path_);
            offset += static_cast<std::uint64_t>(put);
            bytes = bytes.subspan(static_cast<std::size_t>(put));
        }
        return {};
    }

    Status sync() override {
        // Not retried, not even on EINTR: after a failure the kernel may have dropped the pages.
        if (::fdatasync(fd_.get()) < 0) return os_failure(errno, path_);
        return {};
    }

    Result<std::uint64_t> size() override {
        struct stat info{};
        if (::fstat(fd_.get(), &info) < 0) return os_failure(errno, path_);
        return static_cast<std::uint64_t>(info.st_size);
    }

    Status truncate(std::uint64_t size) override {
        if (retry([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) < 0)
            return os_failure(errno, path_);
        return {};
    }

    Status preallocate(std::uint64_t size) override {
        // Zeros are really written: an extent that fallocate() reserves is still to be marked as
        // written at the first sync after its first use, which is the metadata write this call
        // exists to avoid.
        const Bytes zeros(kZeroChunkBytes);
        for (std::uint64_t at = TRY(this->size()); at < size;) {
            const auto chunk = std::min<std::uint64_t>(zeros.size(), size - at);
            TRY_STATUS(write_at(at, ByteView(zeros).first(chunk)));
            at += chunk;
        }
        return sync();
    }

  private:
    std::string path_;
    UniqueFd fd_;
};

class RealLock final : public FileLock {
  public:
    explicit RealLock(UniqueFd fd) : fd_(std::move(fd)) {}

  private:
    UniqueFd fd_;
};

int open_flags(Open mode) {
    switch (mode) {
        case Open::Read:
            return O_RDONLY;
        case Open::ReadWrite:
            return O_RDWR | O_NOFOLLOW;
        case Open::Create:
            return O_RDWR | O_CREAT | O_EXCL;
        case Open::OpenOrCreate:
            return O_RDWR | O_CREAT | O_NOFOLLOW;
    }
    return O_RDONLY;
}

class RealDisk final : public Disk {
  public:
    Result<std::unique_ptr<File>> open(const std::string& path, Open mode, Access access) override {
        // O_NONBLOCK: opening a pipe by mistake must fail below, not wait for a peer.
        const int flags = open_flags(mode) | O_NONBLOCK | O_NOCTTY;
        UniqueFd fd =
            TRY((flags & O_CREAT) != 0 ? open_or_make(path, flags & ~O_CREAT, file_mode(access))
                                       : open_fd(path, flags));
        struct stat info{};
        if (::fstat(fd.get(), &info) < 0) return os_failure(errno, path);
        if (!S_ISREG(info.st_mode)) return os_failure(EISDIR, path);
        return std::make_unique<RealFile>(path, std::move(fd));
    }

    bool exists(const std::string& path) override {
        struct stat info{};
        return ::stat(path.c_str(), &info) == 0;
    }

    Result<std::uint64_t> file_size(const std::string& path) override {
        struct stat info{};
        if (::stat(path.c_str(), &info) < 0) return os_failure(errno, path);
        return static_cast<std::uint64_t>(info.st_size);
    }

    Result<std::vector<DirEntry>> list(const std::string& dir) override {
        std::error_code error;
        std::filesystem::directory_iterator entry(dir, error);
        std::vector<DirEntry> entries;
        for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
            std::error_code vanished;  // a name that goes away while we look is not a directory
            entries.push_back({entry->path().filename().string(), entry->is_directory(vanished)});
        }
        if (error) return os_failure(error.value(), dir);
        std::ranges::sort(entries, {}, &DirEntry::name);
        return entries;
    }

    Status make_dirs(const std::string& dir, Access access) override {
        const mode_t mode = access == Access::Served ? 0755 : 0700;
        std::error_code error;
        if (dir.empty() || std::filesystem::is_directory(dir, error)) return {};
        const std::string above = parent(dir);
        TRY_STATUS(make_dirs(above, access));
        if (::mkdir(dir.c_str(), mode) < 0) {
            const int why = errno;
            if (why == EEXIST && std::filesystem::is_directory(dir, error)) return {};
            return os_failure(why, dir);
        }
        const UniqueFd made = TRY(open_fd(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        hand_to_owner_above(made.get(), dir);
        return sync_dir_fd(above);
    }

    Status remove(const std::string& path) override {
        if (std::remove(path.c_str()) < 0) return os_failure(errno, path);
        return {};
    }

    Status rename(const std::string& from, const std::string& to) override {
        if (std::rename(from.c_str(), to.c_str()) < 0) return os_failure(errno, from);
        return {};
    }

    Status sync_dir(const std::string& dir) override { return sync_dir_fd(dir); }

    Status sync_all(const std::string& root) override {
        const UniqueFd fd = TRY(open_fd(root, O_RDONLY | O_DIRECTORY));
        if (::syncfs(fd.get()) < 0) return os_failure(errno, root);
        return {};
    }

    Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
        UniqueFd fd = TRY(open_or_make(path, O_RDWR | O_NOFOLLOW, file_mode(Access::Private)));
        // flock belongs to the open description, so it also keeps two objects of one process apart.
        if (retry([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) < 0)
            return os_failure(errno, path);
        return std::make_unique<RealLock>(std::move(fd));
    }

    Result<std::uint64_t> free_bytes(const std::string& path) override {
        struct statvfs info{};
        if (::statvfs(path.c_str(), &info) < 0) return os_failure(errno, path);
        return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
    }
};

}  // namespace

Disk& real_disk() {
    static RealDisk disk;
    return disk;
}

}  // namespace hygie
