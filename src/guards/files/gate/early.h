#pragma once

#include <sys/types.h>

#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "base/time.h"
#include "guards/files/acts/change.h"

namespace hygie::files {

/// Files that were open for writing, or mapped so, before the guard was there: who changes these
/// asks nobody, so that file after file may be gone before the first is looked at. Thread-safe.
class EarlyWriters {
  public:
    /// So many first changes by one process, this close together, are looked at before it goes on.
    static constexpr int kHastyMin = 3;
    static constexpr Micros kTogether = std::chrono::seconds(1);
    /// Who was found harmless so often is left alone.
    static constexpr int kFoundMax = 3;

    void add(const FileKey& file);
    /// A file changed under this process and nobody was asked. True when it should be looked at
    /// before the process goes on. Each file counts once.
    bool is_hasty(const FileKey& file, pid_t pid, SteadyTime now);

  private:
    struct Writer {
        int changes = 0;
        int found = 0;
        SteadyTime since{};
    };
    std::mutex mutex_;
    std::unordered_set<FileKey, FileKeyHash> files_;
    std::unordered_map<pid_t, Writer> writers_;
};

/// Whose mappings were looked at lately. Thread-safe.
class Mappers {
  public:
    static constexpr Micros kPause = std::chrono::milliseconds(100);
    static constexpr std::size_t kProcessesMax = 1024;

    /// Whether it is time to look at what this process has mapped; if so it was looked at now.
    bool is_due(pid_t pid, SteadyTime now);

  private:
    std::mutex mutex_;
    std::unordered_map<pid_t, SteadyTime> looked_;
};

}  // namespace hygie::files
