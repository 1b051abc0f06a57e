#pragma once

#include <deque>
#include <mutex>
#include <string>

#include "base/result.h"
#include "host/disk.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// Makes durable what a restore made, and waits for nothing else: whoever wrote a gigabyte a moment
/// ago has left it on its way to the disk, and nobody needs it there at once. Thread-safe.
class Settling {
  public:
    /// Bytes were copied into it: they begin their way to the disk. A clone has none of its own.
    void copied(const UniqueFd& file);
    /// Everything copied, and whatever was renamed, cloned or described before, on the file system
    /// that holds `dir`, outlives a power cut. A failure is final.
    Status end(Disk& disk, const std::string& dir);

  private:
    void keep(Status done);

    std::mutex mutex_;
    std::deque<UniqueFd> on_their_way_;
    Status copies_;
};

}  // namespace hygie::files
