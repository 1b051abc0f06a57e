#pragma once

#include "guards/files/content/content.h"

namespace hygie::files {

/// Whether a file open at `fd` holds other bytes than `kept`, though its size and times are those
/// of when it was kept: XFS_IOC_SWAPEXT exchanges what is in two files and leaves no other trace.
/// Where both stand on the same blocks of the disk (`kept_fd`, -1 for none) nothing is read.
bool is_swapped(int fd, int kept_fd, const Content& kept);

}  // namespace hygie::files
