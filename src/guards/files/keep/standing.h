#pragma once

#include "guards/files/keep/store.h"

namespace hygie::files {

/// How a guard stands, seen from outside.
struct Standing {
    bool is_running = false;
    bool is_standing_in = false;  ///< the guard is dead and its deadman holds the door
    std::uint64_t files = 0;
    std::uint64_t versions = 0;
    std::uint64_t marked = 0;        ///< of these, whose bytes a restore proves by their mark
    std::uint64_t staged_bytes = 0;  ///< as files show them; clones share them with the live files
    std::uint64_t packed_bytes = 0;
    VersionId last = 0;  ///< the last record
};
Result<Standing> standing_of(StoreDoors doors, const std::string& state);

}  // namespace hygie::files
