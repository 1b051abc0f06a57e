#include "guards/files/keep/anchor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

#include "host/os_error.h"

namespace hygie::files {

Result<Anchor> Anchor::at(Disk& disk, const std::string& dir) {
    std::error_code error;
    Anchor anchor;
    anchor.is_new_ = !disk.exists(dir);
    TRY_STATUS(disk.make_dirs(dir));
    anchor.name_ = std::filesystem::canonical(dir, error).string();
    if (error) return os_failure(error.value(), dir);
    anchor.fd_ = UniqueFd(::open(anchor.name_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!anchor.fd_) return os_failure(errno, dir);
    anchor.path_ = fmt::format("/proc/self/fd/{}", anchor.fd_.get());
    return anchor;
}

bool Anchor::is_in_place() const {
    struct stat named{};
    struct stat held{};
    return ::stat(name_.c_str(), &named) == 0 && ::fstat(fd_.get(), &held) == 0 &&
           named.st_dev == held.st_dev && named.st_ino == held.st_ino;
}

}  // namespace hygie::files
