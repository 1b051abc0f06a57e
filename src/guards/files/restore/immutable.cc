#include "guards/files/restore/immutable.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "host/disk.h"
#include "host/unique_fd.h"

namespace hygie::files {
namespace {

constexpr int kHolding = FS_IMMUTABLE_FL | FS_APPEND_FL;

/// True when the path had a flag, and has none now.
Result<bool> lift(const std::string& path) {
    const UniqueFd fd(
        ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC));
    int flags = 0;
    if (!fd || ::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) < 0 || (flags & kHolding) == 0)
        return false;
    flags &= ~kHolding;
    if (::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags) == 0) return true;
    return fail(Code::Denied,
                {"un attribut « immuable » ou « ajout seul » (chattr +i, +a) retient ce fichier "
                 "ou son dossier et n'a pas pu être levé",
                 "an immutable or append-only flag (chattr +i, +a) holds this file or its folder "
                 "and could not be lifted"},
                {"lancez la restauration en root, ou levez-le par « chattr -i -a »",
                 "run the restore as root, or lift it with 'chattr -i -a'"});
}

}  // namespace

Result<std::vector<std::string>> lift_immutable(const std::string& path) {
    std::vector<std::string> lifted;
    struct stat info{};
    for (std::string at = path; at.size() > 1; at = parent(at)) {
        if (::lstat(at.c_str(), &info) < 0) continue;
        if (TRY(lift(at))) lifted.push_back(at);
        if (at != path) break;
    }
    return lifted;
}

}  // namespace hygie::files
