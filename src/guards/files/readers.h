#pragma once

#include <deque>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "guards/files/change.h"

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

    void note(const FileKey& file, const std::string& actor, SteadyTime now);
    bool has_read(const FileKey& file, const std::string& actor, SteadyTime now) const;
    bool has_read_many(const std::string& actor, SteadyTime now) const;

  private:
    struct Reader {
        std::unordered_map<FileKey, SteadyTime, FileKeyHash> files;
        std::deque<SteadyTime> last;  ///< when the latest kManyMin different files were read
    };
    std::unordered_map<std::string, Reader> readers_;
};

}  // namespace hygie::files
