#include "guards/files/restore/second_names.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "guards/files/keep/read_back.h"

namespace hygie::files {

void SecondNames::made(const FileState& wanted, int file) {
    const auto key = key_of(wanted.key.volume(), file);
    if (!key) return;
    const std::lock_guard lock(mutex_);
    made_[*key] = {wanted.key, wanted.version};
}

bool SecondNames::is_it(const FileState& wanted, int file) {
    const auto key = key_of(wanted.key.volume(), file);
    if (!key) return false;
    if (*key == wanted.key) return true;
    const std::lock_guard lock(mutex_);
    const auto found = made_.find(*key);
    return found != made_.end() && found->second == std::pair(wanted.key, wanted.version);
}

std::optional<SecondNames::Standing> SecondNames::of(const PlanItem& item, int made) {
    const FileState& wanted = *item.wanted;
    for (const std::string& name : item.beside) {
        UniqueFd file(::open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        struct stat info{};
        if (!file || ::fstat(file.get(), &info) < 0 || !S_ISREG(info.st_mode)) continue;
        const bool is_as_wanted = static_cast<std::uint64_t>(info.st_size) == wanted.size &&
                                  is_it(wanted, file.get()) &&
                                  meta_of(file.get(), info) == wanted.meta;
        if (is_as_wanted && has_same_bytes(file.get(), made).value_or(false))
            return Standing{std::move(file), name};
    }
    return std::nullopt;
}

bool replace_by_link(int file, const std::string& name) {
    const std::string second = name + "-";
    if (::linkat(AT_FDCWD, fmt::format("/proc/self/fd/{}", file).c_str(), AT_FDCWD, second.c_str(),
                 AT_SYMLINK_FOLLOW) < 0)
        return false;
    if (std::rename(second.c_str(), name.c_str()) == 0) return true;
    (void)::unlink(second.c_str());
    return false;
}

bool is_one_file(const std::string& a, const std::string& b) {
    struct stat one{};
    struct stat other{};
    return ::lstat(a.c_str(), &one) == 0 && ::lstat(b.c_str(), &other) == 0 &&
           one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

}  // namespace hygie::files
