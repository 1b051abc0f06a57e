#pragma once

#include "host/disk.h"

namespace hygie::crypto {

/// Overwrites every byte of a file with zeros, durably. The file keeps its size.
Status wipe(File& file);

/// Wipes a file and removes its name; nothing to do when it is absent.
Status wipe_and_remove(Disk& disk, const std::string& path);

}  // namespace hygie::crypto
