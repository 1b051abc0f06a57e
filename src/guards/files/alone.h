#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// Folders that one guard alone guards on this machine, whatever its state folder: two would keep
/// everything twice and wait for each other. Held while it lives; a killed guard holds nothing.
class Alone {
  public:
    /// For root alone: whoever may take these locks may keep a guard from starting.
    static constexpr char kLocks[] = "/run/hygie-files";

    /// A folder by its path without symbolic links, and the top of what is guarded with it.
    struct Folder {
        std::string path;
        std::string top;
    };
    /// Code::Busy when another guard has one of these folders, one in it or one that holds it.
    static Result<Alone> hold(const std::vector<Folder>& folders,
                              const std::string& locks = kLocks);

  private:
    std::vector<UniqueFd> held_;
};

}  // namespace hygie::files
