#pragma once

#include <chrono>
#include <mutex>
#include <unordered_map>

#include "guards/files/acts/change.h"

namespace hygie::files {

/// Whom a server did its last act on a file for, as the door saw it: an NFS server writes under the
/// rights of its user, and closes under its own. What nobody was seen doing stays the server's.
/// Thread-safe.
class Authors {
  public:
    using Time = std::chrono::steady_clock::time_point;

    static constexpr std::size_t kFilesMax = 65'536;
    /// Who wrote a file and closed it so long ago has nothing to do with its new name.
    static constexpr std::chrono::minutes kMemory{10};

    /// An act that is let happen.
    void note(const FileKey& file, const Actor& actor, Time now);
    /// The file was closed by this server: who had written to it since it was last closed.
    Actor closed(const FileKey& file, const Actor& server);
    /// Who wrote to it last, be it closed or not.
    Actor last(const FileKey& file, const Actor& server, Time now) const;

    /// Whether one of a server's users wrote to it, and nobody has closed it since.
    bool is_in_hand(const FileKey& file) const;

  private:
    struct Entry {
        Actor actor;
        Time at{};
        bool is_closed = false;
    };
    mutable std::mutex mutex_;
    std::unordered_map<FileKey, Entry, FileKeyHash> files_;
};

}  // namespace hygie::files
