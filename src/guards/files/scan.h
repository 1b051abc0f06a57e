#pragma once

#include <set>
#include <string>
#include <vector>

#include "guards/files/gate/gate.h"
#include "guards/files/gate/mappings.h"

namespace hygie::files {

/// What a walk over the protected folders found.
struct ScanResult {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::uint64_t failures = 0;
    std::uint64_t other_mounts = 0;  ///< folders of other file systems below: not protected
};

/// Files that a process has open for writing, or mapped so, and who has mapped some: what they
/// write raises no event when they were opened before the guard.
struct Writers {
    std::set<Inode> inodes;
    std::set<pid_t> mappers;
};
Writers open_for_writing();

/// Walks the protected folders of a volume and keeps what is not kept; then writes down which names
/// of before are gone.
Result<ScanResult> scan(Gate& gate, Store& store, const Volume& volume, const Writers& writers);

}  // namespace hygie::files
