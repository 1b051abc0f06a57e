#include "guards/files/enforce/fence.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "guards/files/acts/volume.h"
#include "host/os_error.h"
#include "host/unique_fd.h"

namespace hygie::files {
namespace {

/// Moving between folders may be allowed from here on; before it is forbidden to whoever is fenced.
constexpr int kAbiMin = 2;
constexpr int kAbiTruncate = 3;
constexpr int kAbiDevices = 5;
constexpr int kAbiScopes = 6;

// Newer than the headers of Debian 12 (linux/landlock.h of 6.2, 6.10 and 6.12).
constexpr std::uint64_t kTruncate = 1ULL << 14;
constexpr std::uint64_t kDevices = 1ULL << 15;
constexpr std::uint64_t kScopeSignals = 1ULL << 1;

struct RulesetAttr {
    std::uint64_t files = 0;
    std::uint64_t network = 0;
    std::uint64_t scoped = 0;
};

/// All but listing folders: rights are handed down and cannot be taken back further below, so that
/// it would be all of them or none.
std::uint64_t all_rights(int abi) {
    std::uint64_t rights = (LANDLOCK_ACCESS_FS_REFER << 1) - 1;
    rights &= ~std::uint64_t{LANDLOCK_ACCESS_FS_READ_DIR};
    if (abi >= kAbiTruncate) rights |= kTruncate;
    if (abi >= kAbiDevices) rights |= kDevices;
    return rights;
}

/// Those that mean something on what is no folder.
constexpr std::uint64_t kFileRights = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                      LANDLOCK_ACCESS_FS_READ_FILE | kTruncate | kDevices;

class Fence {
  public:
    Fence(std::vector<std::string> forbidden, int abi)
        : forbidden_(std::move(forbidden)), rights_(all_rights(abi)) {
        const RulesetAttr attr{rights_, 0, abi >= kAbiScopes ? kScopeSignals : 0};
        const std::size_t size = abi >= kAbiScopes ? sizeof attr : sizeof attr.files;
        ruleset_ =
            UniqueFd(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attr, size, 0U)));
    }

    Status raise() {
        if (!ruleset_) return os_failure(errno, "landlock");
        TRY_STATUS(allow_below("/"));
        // Whoever may do everything need not promise this; the others must.
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return os_failure(errno, "no_new_privs");
        if (::syscall(SYS_landlock_restrict_self, ruleset_.get(), 0U) != 0)
            return os_failure(errno, "landlock");
        return {};
    }

  private:
    /// What a folder holds, but for what is forbidden; into those that lead there it goes down.
    Status allow_below(const std::string& folder) {
        std::error_code error;
        for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
             entry.increment(error)) {
            const std::string path = entry->path().string();
            std::error_code ignored;
            const auto type = entry->symlink_status(ignored).type();
            if (type == std::filesystem::file_type::symlink ||
                type == std::filesystem::file_type::block || is_forbidden(path))
                continue;
            if (leads_to_forbidden(path))
                TRY_STATUS(allow_below(path));
            else
                TRY_STATUS(allow(path, type == std::filesystem::file_type::directory));
        }
        if (error) return os_failure(error.value(), folder);
        return {};
    }

    Status allow(const std::string& path, bool is_folder) {
        const UniqueFd fd(::open(path.c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW));
        if (!fd) return {};  // gone since
        landlock_path_beneath_attr rule{};
        rule.allowed_access = is_folder ? rights_ : rights_ & kFileRights;
        rule.parent_fd = fd.get();
        if (::syscall(SYS_landlock_add_rule, ruleset_.get(), LANDLOCK_RULE_PATH_BENEATH, &rule,
                      0U) != 0)
            return os_failure(errno, path);
        return {};
    }

    bool is_forbidden(const std::string& path) const {
        return std::ranges::any_of(
            forbidden_, [&](const std::string& folder) { return is_inside(path, folder); });
    }

    /// Disks lie in /dev as files.
    bool leads_to_forbidden(const std::string& path) const {
        return path == "/dev" || std::ranges::any_of(forbidden_, [&](const std::string& folder) {
                   return is_inside(folder, path);
               });
    }

    std::vector<std::string> forbidden_;
    std::uint64_t rights_;
    UniqueFd ruleset_;
};

}  // namespace

int landlock_abi() {
    const long abi =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi < 0 ? 0 : static_cast<int>(abi);
}

Status fence_off(const std::vector<std::string>& forbidden) {
    std::vector<std::string> real;
    for (const std::string& folder : forbidden) {
        std::error_code error;
        real.push_back(std::filesystem::canonical(folder, error).string());
        if (error) return os_failure(error.value(), folder);
    }
    const int abi = landlock_abi();
    if (abi < kAbiMin)
        return fail(Code::Unavailable,
                    {"ce noyau n'a pas Landlock, ou trop ancien (il faut Linux 5.19)",
                     "this kernel has no Landlock, or too old a one (Linux 5.19 is needed)"},
                    {"ajoutez landlock au paramètre lsm= du noyau, ou cloisonnez le service par "
                     "InaccessiblePaths= de systemd",
                     "add landlock to the kernel's lsm= parameter, or keep the service out by "
                     "InaccessiblePaths= of systemd"});
    return Fence(std::move(real), abi).raise();
}

}  // namespace hygie::files
