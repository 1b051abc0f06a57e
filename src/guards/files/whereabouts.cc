#include "guards/files/whereabouts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <algorithm>

#include "guards/files/protection.h"

namespace hygie::files {
namespace {

std::uint8_t volume_of(const PlanItem& item) {
    return item.wanted ? item.wanted->key.volume() : item.now->key.volume();
}

Error away(const std::string& share) {
    return fail(Code::Unavailable,
                {fmt::format("le partage {} n'est pas là : son disque n'est pas monté, ou l'est "
                             "ailleurs ; rien n'y a été écrit",
                             share),
                 fmt::format("the share {} is not there: its disk is not mounted, or is mounted "
                             "elsewhere; nothing was written there",
                             share)},
                {fmt::format("remontez-le à sa place (« mount --bind LÀ {0} » suffit), puis "
                             "recommencez ; ou dites par --to le dossier qui doit recevoir ce "
                             "qui était dans {0}",
                             share),
                 fmt::format("mount it in its place again ('mount --bind THERE {0}' will do), then "
                             "say it again; or name with --to the folder that is to receive what "
                             "was in {0}",
                             share)})
        .error();
}

}  // namespace

/// Of the nearest folder that exists. A subvolume of btrfs tells of itself alone by statfs(2).
Whereabouts::System Whereabouts::system_of(std::string path) {
    struct stat info{};
    while (::lstat(path.c_str(), &info) < 0 && path.size() > 1) path = parent(path);
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    btrfs_ioctl_fs_info_args btrfs{};
    if (fd && ::ioctl(fd.get(), BTRFS_IOC_FS_INFO, &btrfs) == 0)
        return std::string(as_text(ByteView(btrfs.fsid)));
    struct statfs fs{};
    if (::statfs(path.c_str(), &fs) < 0) return std::nullopt;
    return fmt::format("{:x} {:x} {:x}", fs.f_type, fs.f_fsid.__val[0], fs.f_fsid.__val[1]);
}

Result<Whereabouts> Whereabouts::look(Disk& disk, const std::string& state) {
    Whereabouts all;
    for (const Protection& protection : TRY(read_protections(disk, state)))
        all.shares_.push_back(
            {protection.dir, system_of(protection.dir), disk.exists(protection.dir)});
    // What is kept lies on the file system of the share.
    for (const VolumeLine& volume : TRY(read_volumes(disk, state)))
        all.stages_[volume.number] =
            disk.exists(volume.stage) ? system_of(volume.stage) : std::nullopt;
    return all;
}

const Whereabouts::Share* Whereabouts::share_of(const std::string& path) const {
    const auto found = std::ranges::find_if(
        shares_, [&](const Share& share) { return is_inside(path, share.dir); });
    return found == shares_.end() ? nullptr : &*found;
}

bool Whereabouts::is_away(const std::string& path, std::uint8_t volume) const {
    const auto stage = stages_.find(volume);
    if (stage == stages_.end() || !stage->second) return true;
    const Share* share = share_of(path);
    return (share ? share->system : system_of(path)) != stage->second;
}

bool Whereabouts::has_share(const std::string& path) const {
    const Share* share = share_of(path);
    return !share || share->is_there;
}

Status Whereabouts::check(const Plan& plan) const {
    for (const PlanItem& item : plan.items) {
        if (!is_away(item.path, volume_of(item))) continue;
        const Share* share = share_of(item.path);
        return std::unexpected(away(share ? share->dir : parent(item.path)));
    }
    return {};
}

Result<Plan> Whereabouts::brought_to(const std::string& dir, Plan plan) const {
    const Share* only = plan.items.empty() ? nullptr : share_of(plan.items.front().path);
    for (PlanItem& item : plan.items) {
        const Share* share = share_of(item.path);
        if (!share || share != only)
            return fail(Code::BadInput,
                        {"ce qui revient est dans plusieurs partages : --to n'en déplace qu'un",
                         "what comes back is in several shares: --to moves one alone"},
                        {"donnez l'un d'eux par --path, puis l'autre",
                         "name one of them with --path, then the other"});
        const std::size_t above = share->dir == "/" ? 0 : share->dir.size();
        item.path = dir + item.path.substr(above);
        std::set<std::string> beside;
        for (const std::string& name : item.beside)
            if (share_of(name) == share) beside.insert(dir + name.substr(above));
        item.beside = std::move(beside);
    }
    return plan;
}

}  // namespace hygie::files
