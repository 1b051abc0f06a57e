#include "guards/files/protection.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <sstream>

#include "guards/files/enforce/fence.h"

namespace hygie::files {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;
constexpr int kFenceAbiMin = 2;

std::string path_of(const std::string& state) {
    return join(state, "protection");
}

Text words_for_landlock(int abi) {
    if (abi >= kFenceAbiMin)
        return {
            fmt::format("Landlock {} : « hygie files fence » met ce qui est gardé hors "
                        "d'atteinte de root",
                        abi),
            fmt::format("Landlock {}: 'hygie files fence' keeps root away from what is kept", abi)};
    return {
        "pas de Landlock utilisable (il faut Linux 5.19) : ce qui est gardé reste à portée de "
        "root, sauf la copie hors de la machine",
        "no usable Landlock (it takes Linux 5.19): what is kept stays within root's reach, "
        "but for the copy off this machine"};
}

}  // namespace

Text words_for(const Protection& p) {
    if (p.pre_content && p.clones)
        return {"protection complète : chaque version gardée avant d'être changée, par clonage",
                "full protection: each version kept before it changes, by cloning"};
    if (p.pre_content)
        return {
            "protection complète, par copie : ce système de fichiers ne clone pas, les gros "
            "fichiers coûtent leur copie à la première écriture",
            "full protection, by copying: this file system has no clones, large files cost "
            "their copy at the first write"};
    if (p.clones)
        return {
            "sans événements avant contenu (ils demandent Linux 6.14, et ext4, xfs ou btrfs) : "
            "l'ouverture en écriture est "
            "retenue et tout est cloné d'avance ; une coupure par truncate(2) n'est pas "
            "retenue, mais se restaure",
            "no pre-content events (they take Linux 6.14, and ext4, xfs or btrfs): opening for "
            "writing is held and "
            "everything is cloned ahead; cutting by truncate(2) is not held, but is restored"};
    return {
        "sans événements avant contenu (ils demandent Linux 6.14, et ext4, xfs ou btrfs) ni "
        "clonage : "
        "l'ouverture en écriture est retenue, et tout est copié d'avance tant qu'il y a de la "
        "place ; au-delà, truncate(2) par nom ÉCHAPPE à la garde",
        "no pre-content events (they take Linux 6.14, and ext4, xfs or btrfs) and no clones: "
        "opening for writing is held, and everything is copied ahead while there is room; "
        "beyond it, truncate(2) by name ESCAPES the guard"};
}

Status write_protections(Disk& disk, const std::string& state, const std::vector<Protection>& all) {
    std::string text;
    for (const Protection& p : all)
        text += fmt::format("{} {:d} {:d} {}\n", p.type, p.pre_content, p.clones,
                            to_hex(as_bytes(p.dir)));
    return disk.replace_file(path_of(state), as_bytes(text));
}

Result<std::vector<Protection>> read_protections(Disk& disk, const std::string& state) {
    std::vector<Protection> all;
    if (!disk.exists(path_of(state))) return all;
    const Bytes bytes = TRY(disk.read_file(path_of(state), kFileBytesMax));
    std::istringstream lines{std::string(as_text(bytes))};
    Protection p;
    std::string dir;
    while (lines >> p.type >> p.pre_content >> p.clones >> dir) {
        p.dir = as_text(TRY(from_hex(dir)));
        p.says = words_for(p);
        all.push_back(p);
    }
    return all;
}

Ground ground() {
    Ground ground;
    utsname name{};
    if (::uname(&name) == 0) ground.kernel = name.release;
    ground.landlock_abi = landlock_abi();
    ground.says = words_for_landlock(ground.landlock_abi);
    return ground;
}

}  // namespace hygie::files
