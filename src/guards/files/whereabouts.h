#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "guards/files/keep/history.h"

namespace hygie::files {

/// Whether the shares of a state folder still lie where its records say: a disk may be mounted
/// elsewhere by now, and what bears the old path is another's, or nobody's.
class Whereabouts {
  public:
    static Result<Whereabouts> look(Disk& disk, const std::string& state);

    /// What was at this path, on this volume, is not to be looked for there. A share that was
    /// deleted, and whose file system is there, is not away.
    bool is_away(const std::string& path, std::uint8_t volume) const;
    /// The folder that is protected is there: one that was moved as a whole has lost nothing.
    bool has_share(const std::string& path) const;
    /// Code::Unavailable, and what to do, when a plan would be carried out on another file system
    /// than the one that lost something.
    Status check(const Plan& plan) const;
    /// The same plan for a share that lies in `dir` now, or is wanted there. Code::BadInput when it
    /// is one of several shares.
    Result<Plan> brought_to(const std::string& dir, Plan plan) const;

  private:
    /// Identifies a mounted file system; none when there is none.
    using System = std::optional<std::string>;
    struct Share {
        std::string dir;
        System system;
        bool is_there = false;
    };
    static System system_of(std::string path);
    const Share* share_of(const std::string& path) const;

    std::vector<Share> shares_;
    std::map<std::uint8_t, System> stages_;
};

}  // namespace hygie::files
