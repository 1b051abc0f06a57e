#include "guards/files/acts/actor.h"

#include <fmt/compile.h>

namespace hygie::files {

/// Spelled several times for each act that somebody waits for.
std::string Actor::key() const {
    if (smb) return fmt::format(FMT_COMPILE("smb:{}@{}"), smb->user, smb->address);
    if (nfs) return "nfs:" + *nfs;
    return fmt::format(FMT_COMPILE("family:{}.{}:uid:{}"), family.pid, family.started, uid);
}

std::string Actor::user() const {
    if (smb) return smb->user;
    return nfs.value_or(fmt::format(FMT_COMPILE("uid:{}"), uid));
}

}  // namespace hygie::files
