#pragma once

#include <deque>
#include <string>
#include <unordered_map>

#include "guards/files/acts/change.h"

namespace hygie::files {

/// What somebody read a short time ago. A file that holds the same from then on, under the same
/// name in another folder, was brought up to date, whatever that looks like; nobody destroyed it.
/// What was made since the guard began proves nothing: a destroyer may have made it for that.
class Sources {
  public:
    static constexpr Micros kMemory = std::chrono::minutes(10);
    static constexpr std::size_t kActorsMax = 256;
    static constexpr std::size_t kFilesMax = 256;  ///< of one actor
    static constexpr std::uint64_t kBytesMax = 1ULL << 30;

    void note(const Change& read);
    /// Whether what `written` left is what its actor read; of one that is not closed, all that
    /// changed.
    bool gave(const Change& written) const;

  private:
    struct Source {
        SteadyTime at{};
        FileKey file;
        std::string name;
        ContentPtr content;
    };
    std::unordered_map<std::string, std::deque<Source>> read_;
};

}  // namespace hygie::files
