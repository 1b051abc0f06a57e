#include "guards/files/restore/across.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "guards/files/keep/stage.h"
#include "guards/files/restore/restorer.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

FileType type_of(mode_t mode) {
    if (S_ISDIR(mode)) return FileType::Folder;
    return S_ISLNK(mode) ? FileType::SymbolicLink : FileType::Regular;
}

Status copy_file(const std::string& from, const std::string& to, Settling& settling) {
    const UniqueFd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOATIME));
    if (!source) return os_failure(errno, from);
    const UniqueFd made(
        ::open(to.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!made) return os_failure(errno, to);
    TRY(clone_or_copy(source.get(), made.get()));
    settling.copied(made);
    return {};
}

Status make_again(const std::string& from, const std::string& to, const struct stat& info,
                  Settling& settling) {
    if (S_ISREG(info.st_mode)) return copy_file(from, to, settling);
    std::error_code error;
    if (S_ISDIR(info.st_mode))
        std::filesystem::create_directory(to, error);
    else if (S_ISLNK(info.st_mode))
        std::filesystem::copy_symlink(from, to, error);
    else if (::mknod(to.c_str(), info.st_mode, info.st_rdev) < 0)
        return os_failure(errno, to);
    return error ? Status(os_failure(error.value(), to)) : Status();
}

/// The name may be another's by now: what was not made again stays.
Status remove_old(const std::string& from, const struct stat& was) {
    struct stat is{};
    if (::lstat(from.c_str(), &is) < 0) return os_failure(errno, from);
    if (is.st_ino != was.st_ino || Stamp::of(is) != Stamp::of(was)) return os_failure(EBUSY, from);
    return std::remove(from.c_str()) == 0 ? Status() : Status(os_failure(errno, from));
}

Status carry_across(const std::string& from, const std::string& to, Settling& settling) {
    const UniqueFd named(::open(from.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat info{};
    if (!named || ::fstat(named.get(), &info) < 0) return os_failure(errno, from);
    FileState state;
    state.type = type_of(info.st_mode);
    state.meta = meta_of(named.get(), info);
    Status done = make_again(from, to, info, settling);
    if (done) done = apply_meta(to, state);
    if (done) done = remove_old(from, info);
    if (!done && done.error().code != Code::AlreadyThere) (void)std::remove(to.c_str());
    return done;
}

}  // namespace

Status carry(const std::string& from, const std::string& to, Settling& settling) {
    if (::rename(from.c_str(), to.c_str()) == 0) return {};
    if (errno == EXDEV) return carry_across(from, to, settling);
    return os_failure(errno, from);
}

Status swap(const std::string& aside, const std::string& path, const std::string& beside,
            Settling& settling) {
    if (exchange(aside, path) == 0) return {};
    if (errno == ENOENT) return carry(aside, path, settling);
    if (errno != EXDEV) return os_failure(errno, aside);
    TRY_STATUS(carry_across(aside, beside, settling));
    if (exchange(beside, path) == 0) return carry_across(beside, aside, settling);
    return carry(beside, path, settling);
}

}  // namespace hygie::files
