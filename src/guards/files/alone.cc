#include "guards/files/alone.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <map>

#include "host/disk.h"
#include "host/os_error.h"

namespace hygie::files {
namespace {

/// A folder, whatever its name.
Result<std::string> lock_of(const std::string& locks, const std::string& dir) {
    struct stat info{};
    if (::stat(dir.c_str(), &info) < 0) return os_failure(errno, dir);
    return fmt::format("{}/{:x}-{:x}", locks, info.st_dev, info.st_ino);
}

std::unexpected<Error> guarded_already(const std::string& dir) {
    return fail(Code::Busy,
                {fmt::format("un autre garde, avec un autre dossier d'état, garde déjà {}, un "
                             "dossier qui le contient ou un dossier qu'il contient",
                             dir),
                 fmt::format("another guard, with another state folder, guards {} already, a "
                             "folder that holds it or a folder in it",
                             dir)},
                {"« pgrep -a hygie » le montre : arrêtez-le, ou donnez tous les dossiers à un seul "
                 "garde (--protect plusieurs fois)",
                 "'pgrep -a hygie' shows it: stop it, or give all folders to one guard (--protect "
                 "several times)"});
}

}  // namespace

/// A guard has its folders for itself, and shares with others what these lie in.
Result<Alone> Alone::hold(const std::vector<Folder>& folders, const std::string& locks) {
    if (::mkdir(locks.c_str(), 0700) < 0 && errno != EEXIST) return os_failure(errno, locks);
    struct Lock {
        int kind;
        std::string dir;
    };
    std::map<std::string, Lock> wanted;
    for (const Folder& folder : folders)
        wanted[TRY(lock_of(locks, folder.path))] = {LOCK_EX, folder.path};
    for (const Folder& folder : folders)
        for (std::string above = folder.path; above != folder.top && above.size() > 1;) {
            above = parent(above);
            wanted.try_emplace(TRY(lock_of(locks, above)), Lock{LOCK_SH, folder.path});
        }
    Alone alone;
    for (const auto& [path, lock] : wanted) {
        UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!fd) return os_failure(errno, path);
        if (::flock(fd.get(), lock.kind | LOCK_NB) < 0)
            return errno == EWOULDBLOCK ? guarded_already(lock.dir) : os_failure(errno, path);
        alone.held_.push_back(std::move(fd));
    }
    return alone;
}

}  // namespace hygie::files
