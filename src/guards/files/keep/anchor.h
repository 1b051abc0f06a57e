#pragma once

#include <string>

#include "base/result.h"
#include "host/disk.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// A folder held fast: what is opened below path() is found wherever somebody moves the folder.
class Anchor {
  public:
    /// Makes the folder when it is absent.
    static Result<Anchor> at(Disk& disk, const std::string& dir);

    /// A name that leads to the folder itself, in this process and those it forks.
    const std::string& path() const { return path_; }
    /// Where it was when it was anchored, without symbolic links: for people and records.
    const std::string& name() const { return name_; }
    int fd() const { return fd_.get(); }
    /// Whether it was absent, and made.
    bool is_new() const { return is_new_; }
    /// Whether that name still leads to it.
    bool is_in_place() const;

  private:
    Anchor() = default;

    UniqueFd fd_;
    std::string path_;
    std::string name_;
    bool is_new_ = false;
};

}  // namespace hygie::files
