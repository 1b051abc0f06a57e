#pragma once

#include <string>

#include "host/disk.h"

namespace hygie::files {

/// Beside a stage: what stood in the way of a restore, a folder for each.
inline std::string evidence_dir(const std::string& stage, const std::string& restore) {
    return parent(stage) + "/evidence/" + restore;
}

/// The one that a guard at work has ready for the next restore, which makes there what it brings
/// back: that is no news, and nobody is asked about it.
inline std::string next_evidence_dir(const std::string& stage) {
    return evidence_dir(stage, "next");
}

/// Where the restore tells of what it makes there (placed.h).
inline std::string placed_list(const std::string& evidence_dir) {
    return evidence_dir + "/placed";
}

}  // namespace hygie::files
