#pragma once

#include <set>
#include <string>
#include <utility>

#include "guards/files/gate.h"

namespace hygie::files {

/// What a walk over the protected folders found.
struct ScanResult {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::uint64_t failures = 0;
    std::uint64_t other_mounts = 0;  ///< folders of other file systems below: not protected
};

/// Device and inode of files that a process has open for writing, or mapped so: what they write
/// raises no event when they were opened before the guard.
using Inodes = std::set<std::pair<std::uint64_t, std::uint64_t>>;
Inodes open_for_writing();

/// Walks the protected folders of a volume and keeps what is not kept; then writes down which names
/// of before are gone.
Result<ScanResult> scan(Gate& gate, Store& store, const Volume& volume, const Inodes& writers);

}  // namespace hygie::files
