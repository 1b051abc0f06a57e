#pragma once

#include <deque>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "guards/files/acts/change.h"

namespace hygie::files {

/// Who read which files lately: reading, sealing and then deleting is one work, deleting alone is
/// not.
class Readers {
  public:
    static constexpr Micros kMemory = std::chrono::minutes(10);
    static constexpr std::size_t kActorsMax = 1024;
    static constexpr std::size_t kFilesMax = 8192;  ///< of one actor
    /// Who read so many files a short time ago has something to seal.
    static constexpr std::size_t kManyMin = 3;
    static constexpr std::size_t kCollectionMin = 12;

    void note(const FileKey& file, const std::string& actor, SteadyTime now);
    bool has_read(const FileKey& file, const std::string& actor, SteadyTime now) const;
    bool has_read_many(const std::string& actor, SteadyTime now) const;
    /// Enough to be a whole folder, and not the letters that somebody seals for somebody.
    bool has_read_collection(const std::string& actor, SteadyTime now) const;

  private:
    bool has_read_of_late(std::size_t files, const std::string& actor, SteadyTime now) const;
    struct Reader {
        std::unordered_map<FileKey, SteadyTime, FileKeyHash> files;
        std::deque<SteadyTime> last;  ///< when the latest kCollectionMin different files were read
    };
    std::unordered_map<std::string, Reader> readers_;
};

}  // namespace hygie::files
