#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "guards/files/acts/change.h"
#include "guards/files/acts/fanotify.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// What tells that a file is still the one that was captured. The kernel gives each change seen
/// since the last look its own change time (Linux 6.13), and a tick of 1–10 ms before that.
struct Stamp {
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const Stamp&) const = default;

    static Stamp of(const struct stat& info);
};

/// One guarded file system, seen through the mount that holds the protected folders. Paths, handles
/// and descriptors of its files are translated here. Thread-safe once made.
class Volume {
  public:
    /// `number` is kept by the store: it is part of every FileKey. The protected folders are
    /// absolute, exist, and lie on one mount.
    static Result<std::unique_ptr<Volume>> open(std::uint8_t number,
                                                std::vector<std::string> protected_dirs);

    std::uint8_t number() const { return number_; }
    dev_t device() const { return device_; }
    /// The top of the mount.
    const std::string& top() const { return top_; }
    const std::string& type() const { return type_; }  ///< "xfs", "btrfs", "ext4", else a number
    const std::vector<std::string>& protected_dirs() const { return protected_; }
    /// What its events name it by; of xfs the number of its device, another after some starts.
    std::uint64_t id() const { return id_; }

    FileKey key(const fan::Handle& handle) const { return {number_, handle.type, handle.bytes}; }
    /// Of an open file. Code::Unavailable when the file system gives no handles.
    Result<FileKey> key_of(int fd) const;
    /// Of a name in an open folder, not following a symbolic link.
    Result<FileKey> key_at(int dir_fd, const std::string& name) const;
    /// Opens by key; O_PATH is enough to stat, and raises no event. NotFound when the file is gone.
    Result<UniqueFd> open_key(const FileKey& key, int flags) const;
    /// The path by which this mount reaches an open file, or reached it until the name it was
    /// opened by was taken away; none when it never had one.
    static std::optional<std::string> path_of(int fd);
    /// The same through a handle: for a descriptor that came through another mount or container.
    std::optional<std::string> path_of(const FileKey& key) const;
    /// Whether a path lies inside a protected folder and outside what the guard keeps for itself.
    bool protects(std::string_view path) const;
    /// Paths that are the guard's own.
    void except(std::string path) { own_.push_back(std::move(path)); }

  private:
    Volume() = default;

    std::uint8_t number_ = 0;
    dev_t device_ = 0;
    std::uint64_t id_ = 0;
    std::string top_;
    std::string type_;
    UniqueFd top_fd_;
    std::vector<std::string> protected_;
    std::vector<std::string> own_;
};

/// Of an open file, on the volume with this number.
Result<FileKey> key_of(std::uint8_t volume, int fd);

/// Whether `path` is `dir` or lies inside it.
bool is_inside(std::string_view path, std::string_view dir);

}  // namespace hygie::files
