#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "host/disk.h"

namespace hygie::files {

/// What the kernel and the file system of one protected folder allow.
struct Protection {
    std::string dir;
    std::string type;  ///< of file system
    bool pre_content = false;
    bool clones = false;
    Text says;  ///< one sentence: what is and is not protected
};

/// The sentence for the rest of it.
Text words_for(const Protection& protection);

/// What the last guard of a state folder found, kept there for who asks how it stands: a line per
/// folder, "type pre_content clones folder-in-hexadecimal". None when no guard ran yet.
Status write_protections(Disk& disk, const std::string& state, const std::vector<Protection>& all);
Result<std::vector<Protection>> read_protections(Disk& disk, const std::string& state);

/// The machine under the guard: its kernel, what Landlock can do on it, and what follows.
struct Ground {
    std::string kernel;
    int landlock_abi = 0;  ///< 0: none
    Text says;
};
Ground ground();

}  // namespace hygie::files
