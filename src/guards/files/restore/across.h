#pragma once

#include <string>

#include "guards/files/restore/settle.h"

namespace hygie::files {

/// Gives what bears one name another, which nothing bears, also where nothing can be renamed to:
/// between the subvolumes of one btrfs. There it is made again with all that it is, its bytes by
/// clone, and goes once that is done; a folder only when it is empty.
Status carry(const std::string& from, const std::string& to, Settling& settling);

/// What lies aside and what bears a name change places, or the first takes it where nothing bears
/// it. Where neither can be done in one stroke the way is over `beside`, a free name in the same
/// folder.
Status swap(const std::string& aside, const std::string& path, const std::string& beside,
            Settling& settling);

}  // namespace hygie::files
