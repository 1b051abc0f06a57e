#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hygie {

/// An open regular file. Writes become durable only at sync(); one thread at a time per object,
/// except that read_at may run beside a writer.
class File {
  public:
    virtual ~File() = default;
    /// Reads up to out.size() bytes; a short count means end of file.
    virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) = 0;
    /// Writes all bytes or fails with Code::Full (no space) or Code::Io; on failure any prefix may
    /// be there.
    virtual Status write_at(std::uint64_t offset, ByteView bytes) = 0;
    /// fdatasync. A failure here is final: the kernel may have dropped the pages, so callers stop,
    /// never retry.
    virtual Status sync() = 0;
    virtual Result<std::uint64_t> size() = 0;
    virtual Status truncate(std::uint64_t size) = 0;
    /// Makes the file `size` bytes long, its new bytes written as zeros on the device, so that
    /// later writes inside it need no metadata to become durable.
    virtual Status preallocate(std::uint64_t size) = 0;
};

/// Held while it lives; released by destruction or process death.
class FileLock {
  public:
    virtual ~FileLock() = default;
};

enum class Open {
    Read,       ///< must exist
    ReadWrite,  ///< must exist
    Create,     ///< must not exist
    OpenOrCreate,
};

/// Who else on the machine may read what is created: nobody (files 0600, directories 0700), or
/// everybody (0644, 0755) for trees that are public by nature, such as a log that a web server of
/// another user hands out.
enum class Access { Private, Served };

struct DirEntry {
    std::string name;
    bool is_dir = false;
};

/// The door to the file system. Paths are plain strings, '/'-separated. Only regular files are
/// opened, and a symbolic link at the end of a path is followed for reading, never for writing.
/// Thread-safe unless said otherwise.
class Disk {
  public:
    virtual ~Disk() = default;

    virtual Result<std::unique_ptr<File>> open(const std::string& path, Open mode,
                                               Access access = Access::Private) = 0;
    virtual bool exists(const std::string& path) = 0;
    virtual Result<std::uint64_t> file_size(const std::string& path) = 0;
    /// Sorted by name; Code::NotFound when the directory is absent.
    virtual Result<std::vector<DirEntry>> list(const std::string& dir) = 0;
    /// Makes the directory and its absent parents, durably: a file synced inside cannot lose its
    /// directory.
    virtual Status make_dirs(const std::string& dir, Access access = Access::Private) = 0;
    /// A file or an empty directory.
    virtual Status remove(const std::string& path) = 0;
    virtual Status rename(const std::string& from, const std::string& to) = 0;
    /// Makes entries of the directory itself durable (creation, rename, removal).
    virtual Status sync_dir(const std::string& dir) = 0;
    /// Makes every file written below `root` so far durable, in one stroke (syncfs).
    virtual Status sync_all(const std::string& root) = 0;
    /// Advisory exclusive lock on a file, created when absent; Code::Busy when another process or
    /// object holds it.
    virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
    /// Bytes the caller may still write on the file system that holds `path`.
    virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;

    // Built from the above, one way for all:

    /// The whole file; Code::Full when it is larger than `size_max`.
    Result<Bytes> read_file(const std::string& path, std::uint64_t size_max);
    /// Creates or overwrites without syncing. For derived files that recovery can make again.
    Status write_file(const std::string& path, ByteView bytes, Access access = Access::Private);
    /// Atomic and durable: writes `path.tmp`, syncs, renames over `path`, syncs the directory. One
    /// caller at a time per path.
    Status replace_file(const std::string& path, ByteView bytes, Access access = Access::Private);
};

/// The machine's file system.
Disk& real_disk();

/// "a/b" + "c" → "a/b/c".
std::string join(std::string_view dir, std::string_view name);
/// The directory part of a path: "a/b/c" → "a/b"; "." when there is none.
std::string parent(std::string_view path);

}  // namespace hygie
