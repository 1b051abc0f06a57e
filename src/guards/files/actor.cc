#include "guards/files/actor.h"

#include <fmt/format.h>

namespace hygie::files {

std::string Actor::key() const {
    if (smb) return fmt::format("smb:{}@{}", smb->user, smb->address);
    return fmt::format("family:{}.{}:uid:{}", family.pid, family.started, uid);
}

}  // namespace hygie::files
