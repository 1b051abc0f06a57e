#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace hygie::files {

/// What the running kernel's Landlock can do: 0 when it has none, else its ABI.
int landlock_abi();

/// Takes `forbidden` (absolute folders) out of reach of this process and all it will start, root
/// or not, for good: nothing in them can be opened, changed, moved or deleted, by whatever name
/// (names can be listed); nor can disks be written as devices, file systems be mounted, or (ABI 6)
/// processes outside be sent signals. Everything else stays as it was, but for what is made later
/// right beside a forbidden folder or one that leads to it. Code::Unavailable without Landlock of
/// Linux 5.19 (ABI 2).
Status fence_off(const std::vector<std::string>& forbidden);

}  // namespace hygie::files
