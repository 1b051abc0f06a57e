#include "guards/files/scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include "host/os_error.h"

namespace hygie::files {
namespace {

constexpr int kDepthMax = 256;

using KnownNames = std::vector<std::pair<std::string, FileKey>>;
using Dir = std::unique_ptr<DIR, int (*)(DIR*)>;

class Walk {
  public:
    /// `before`: the names that were known, in order.
    Walk(Gate& gate, const Volume& volume, const std::set<Inode>& writers, const KnownNames& before)
        : gate_(gate),
          volume_(volume),
          writers_(writers),
          before_(before),
          seen_(before.size(), false) {}

    Status folder(const std::string& path, int depth) {
        const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!fd) return errno == ENOENT && depth > 0 ? Status() : os_failure(errno, volume_.top());
        TRY_STATUS(count(gate_.take_stock(volume_, fd.get(), path, Store::Effort::Cheaply)));
        const Dir dir(::fdopendir(::dup(fd.get())), ::closedir);
        while (dir) {
            const dirent* entry = ::readdir(dir.get());
            if (!entry) break;
            const std::string name = entry->d_name;
            if (name != "." && name != "..")
                TRY_STATUS(item(fd.get(), name, join(path, name), depth));
        }
        return {};
    }

    bool has_seen(std::size_t at) const { return seen_[at]; }
    ScanResult result;

  private:
    Status item(int dir_fd, const std::string& name, const std::string& path, int depth) {
        if (!volume_.protects(path)) return {};
        const UniqueFd fd(::openat(dir_fd, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        struct stat info{};
        if (!fd || ::fstat(fd.get(), &info) < 0) return {};
        note_seen(path);
        if (info.st_dev != volume_.device() && volume_.type() != "btrfs") {
            ++result.other_mounts;
            return {};
        }
        if (S_ISDIR(info.st_mode)) return depth < kDepthMax ? folder(path, depth + 1) : Status();
        if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode)) return {};
        ++result.files;
        result.bytes += static_cast<std::uint64_t>(info.st_size);
        const bool is_written = writers_.contains({info.st_dev, info.st_ino});
        if (is_written) gate_.watch_unasked(fd.get());
        const bool is_ahead = gate_.copies_ahead(volume_);
        Status kept = gate_.take_stock(
            volume_, fd.get(), path,
            is_written || is_ahead ? Store::Effort::Bytes : Store::Effort::Cheaply);
        if (!kept && kept.error().code == Code::Full && !is_written)
            kept = gate_.take_stock(volume_, fd.get(), path, Store::Effort::Cheaply);
        return count(kept);
    }

    /// A million names more would not be kept for this.
    void note_seen(const std::string& path) {
        const auto at = std::ranges::lower_bound(before_, path, {}, &KnownNames::value_type::first);
        if (at != before_.end() && at->first == path)
            seen_[static_cast<std::size_t>(at - before_.begin())] = true;
    }

    /// One file that cannot be read does not leave the others unguarded; no room does.
    Status count(const Status& status) {
        if (status) return {};
        ++result.failures;
        return status.error().code == Code::Full ? status : Status();
    }

    Gate& gate_;
    const Volume& volume_;
    const std::set<Inode>& writers_;
    const KnownNames& before_;
    std::vector<bool> seen_;  ///< of before_
};

void add_descriptors(const std::string& process, std::set<Inode>& inodes) {
    const Dir dir(::opendir((process + "/fd").c_str()), ::closedir);
    while (dir) {
        const dirent* entry = ::readdir(dir.get());
        if (!entry) break;
        std::ifstream text(fmt::format("{}/fdinfo/{}", process, entry->d_name));
        std::string word;
        unsigned long flags = 0;
        while (text >> word)
            if (word == "flags:" && text >> std::oct >> flags) break;
        struct stat info{};
        if ((flags & O_ACCMODE) != O_RDONLY &&
            ::stat(fmt::format("{}/fd/{}", process, entry->d_name).c_str(), &info) == 0 &&
            S_ISREG(info.st_mode))
            inodes.emplace(info.st_dev, info.st_ino);
    }
}

}  // namespace

Writers open_for_writing() {
    Writers writers;
    const Dir proc(::opendir("/proc"), ::closedir);
    while (proc) {
        const dirent* entry = ::readdir(proc.get());
        if (!entry) break;
        int pid = 0;
        const std::string_view name = entry->d_name;
        if (std::from_chars(name.begin(), name.end(), pid).ec != std::errc() || pid == ::getpid())
            continue;
        const std::string process = "/proc/" + std::string(name);
        std::string command;
        std::ifstream(process + "/comm") >> command;
        if (command == "hygie-deadman") continue;
        add_descriptors(process, writers.inodes);
        for (const Mapping& mapping : mappings_of(pid)) {
            writers.inodes.insert(mapping.inode);
            writers.mappers.insert(pid);
        }
    }
    return writers;
}

Result<ScanResult> scan(Gate& gate, Store& store, const Volume& volume, const Writers& writers) {
    const KnownNames before = store.catalog().names();
    Walk walk(gate, volume, writers.inodes, before);
    for (const std::string& dir : volume.protected_dirs()) TRY_STATUS(walk.folder(dir, 0));
    for (std::size_t at = 0; at < before.size(); ++at) {
        const auto& [path, key] = before[at];
        if (key.volume() != volume.number() || walk.has_seen(at)) continue;
        struct stat info{};
        if (::lstat(path.c_str(), &info) == 0) continue;
        if (store.catalog().remove_name(key, path))
            TRY_STATUS(store.note_gone(key, path, Cause::Unlink, {}));
    }
    return walk.result;
}

}  // namespace hygie::files
