#include "guards/files/actor.h"

#include <fmt/format.h>

namespace hygie::files {

std::string Actor::key() const {
    if (smb) return fmt::format("smb:{}@{}", smb->user, smb->address);
    if (nfs) return "nfs:" + *nfs;
    return fmt::format("family:{}.{}:uid:{}", family.pid, family.started, uid);
}

std::string Actor::user() const {
    if (smb) return smb->user;
    return nfs.value_or(fmt::format("uid:{}", uid));
}

}  // namespace hygie::files
