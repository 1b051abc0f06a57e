#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "guards/files/acts/change.h"
#include "host/unique_fd.h"

namespace hygie::files {

/// Files that are opened again and again and whose bytes are not kept apart yet, for want of
/// clones: somebody copies them while nobody waits for it, so that they need not be met any more.
/// Thread-safe.
class Ahead {
  public:
    /// A file that waits, open by a descriptor of an event: reading it raises no other.
    struct File {
        FileKey key;
        UniqueFd fd;
    };
    using Keep = std::function<void(const File&)>;

    /// More are left for the next time they are read.
    static constexpr std::size_t kWaitingMax = 1024;
    /// Copying holds up whoever wants to write: a larger file is copied when that happens.
    static constexpr std::uint64_t kBytesMax = 16 << 20;
    /// What would leave less than this part of the file system free is not copied ahead.
    static constexpr std::uint64_t kFreePart = 4;

    explicit Ahead(Keep keep) : keep_(std::move(keep)) {}
    /// From here on what is added is kept, on a thread of its own.
    void start();
    void stop();
    void add(const FileKey& key, int fd);

  private:
    void run(const std::stop_token& stop);

    Keep keep_;
    std::mutex mutex_;
    std::condition_variable_any filled_;
    std::deque<File> waiting_;
    std::unordered_set<FileKey, FileKeyHash> queued_;
    std::jthread thread_;
};

}  // namespace hygie::files
