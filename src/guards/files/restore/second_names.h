#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "guards/files/keep/history.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// What had several names comes back as one file again, not as a file for each name. Thread-safe.
class SecondNames {
  public:
    /// A file that a restore made in place of a version of one that has several names.
    void made(const FileState& wanted, int file);

    struct Standing {
        UniqueFd file;
        std::string name;
    };
    /// What stands under another name that `item` had: the file that it was, or what this restore
    /// brought back of it, with the rights that are wanted and the bytes of `made`.
    std::optional<Standing> of(const PlanItem& item, int made);

  private:
    bool is_it(const FileState& wanted, int file);

    std::mutex mutex_;
    std::unordered_map<FileKey, std::pair<FileKey, VersionId>, FileKeyHash> made_;
};

/// A name leads to an open file instead of to what it led to. False where no second name can be.
bool replace_by_link(int file, const std::string& name);
/// Whether two names lead to one file; a symbolic link is meant itself.
bool is_one_file(const std::string& a, const std::string& b);

}  // namespace hygie::files
