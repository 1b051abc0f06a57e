#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "guards/files/acts/change.h"
#include "guards/files/gate/faults.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// Device and inode.
using Inode = std::pair<std::uint64_t, std::uint64_t>;

/// Where in its memory a process may change a file: shared, writable.
struct Mapping {
    pid_t pid = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    Inode inode;

    /// What leads to the file, whatever became of its names.
    std::string link() const;
};

/// What a process may change so now; nothing of who has ended.
std::vector<Mapping> mappings_of(pid_t pid);

/// What one process has mapped, until it changes.
class MappedFiles {
  public:
    void add(const Mapping& mapping, const FileKey& file);
    /// The file that lies at this address, unless it is forgotten.
    std::optional<FileKey> at(std::uint64_t address) const;
    void forget(const FileKey& file) { files_.erase(file); }
    std::size_t size() const { return files_.size(); }
    void add_all(const MappedFiles& others);
    bool has(const FileKey& file) const { return files_.contains(file); }

  private:
    struct Range {
        std::uint64_t end = 0;
        FileKey file;
    };
    std::map<std::uint64_t, Range> ranges_;
    std::set<FileKey> files_;
};

/// Waits in real time for the first change of each file that somebody has mapped: who maps has
/// asked already, and changes a hundred files before anybody else is awake. Thread-safe.
class MappingWatch {
  public:
    struct Doors {
        /// Whether the file is not any more what it was: it is not watched any more then. Whoever
        /// is asked has no time for more, the next may be changing.
        std::function<bool(pid_t, const FileKey&)> has_changed;
        /// Some had changed, and nothing happens now.
        std::function<void()> is_quiet;
    };
    /// Who has fewer files is slow enough for everybody.
    static constexpr std::size_t kFilesMin = 3;
    /// Each page that a process touches for the first time is told, also of its own memory: after
    /// so many that changed none of the files it is left in peace.
    static constexpr std::size_t kVainMax = 200'000;

    explicit MappingWatch(Doors doors);
    ~MappingWatch() { stop(); }
    /// From here on the process is watched over these, beside those of before.
    void watch(pid_t pid, MappedFiles files);
    bool is_watched(pid_t pid, const FileKey& file) const;
    /// Nobody is watched any more, nor from here on.
    void stop();
    /// How many processes may still change something.
    std::size_t watched() const { return watched_; }

  private:
    /// Touched: it may have been read, or it changes in a moment.
    struct Doubt {
        pid_t pid = 0;
        FileKey file;
        SteadyTime since{};
    };
    struct Process {
        pid_t pid = 0;
        MappedFiles files;
        Faults faults;
        std::vector<Doubt> doubts{};
        std::size_t vain = 0;
    };
    void run(const std::stop_token& stop);
    void take_in();
    void leave_alone();
    void wake() const;
    bool wait() const;
    void look(Process& process);
    void doubt(Process& process, const Fault& fault, SteadyTime now);

    Doors doors_;
    UniqueFd woken_;  ///< an eventfd: somebody came, or it is to end
    mutable std::mutex mutex_;
    std::map<pid_t, MappedFiles> watched_files_;  ///< under the mutex; also of who was in vain
    std::vector<Process> coming_;                 ///< under the mutex
    std::vector<Process> processes_;              ///< the thread's
    bool is_any_changed_ = false;                 ///< since it was quiet
    std::atomic<std::size_t> watched_ = 0;
    bool is_over_ = false;  ///< under the mutex
    std::jthread thread_;   ///< begun and ended under the mutex
};

}  // namespace hygie::files
