#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/bytes.h"
#include "guards/files/content/content.h"
#include "guards/files/keep/stage.h"

namespace hygie::files {

/// Versions that were in memory a moment ago, for the judge, for whom somebody waits: it does not
/// unseal them, nor fetch a clone from the disk. The oldest ones go first. Thread-safe.
class Recent {
  public:
    static constexpr std::size_t kBytesMax = 64 << 20;
    /// Larger versions are read where they lie.
    static constexpr std::size_t kOneBytesMax = 1 << 20;

    void put(VersionId version, Bytes bytes);
    bool has(VersionId version) const;
    /// Null when it is not here, or not here any more.
    ContentPtr find(VersionId version) const;

  private:
    mutable std::mutex mutex_;
    std::unordered_map<VersionId, ContentPtr> contents_;
    std::deque<VersionId> order_;
    std::size_t bytes_ = 0;
};

/// The first `size` bytes of an open file if all of them are in memory; empty else. Never waits for
/// a disk.
Bytes bytes_at_hand(int fd, std::size_t size);

}  // namespace hygie::files
