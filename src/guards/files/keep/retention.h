#pragma once

#include <span>
#include <vector>

#include "base/time.h"
#include "guards/files/keep/record.h"

/// How long versions are kept, and how. Pure: the same records and the same time give the same
/// chores.
namespace hygie::files {

/// Ages count from when a version was superseded or its file went, not from when it was written:
/// what was encrypted yesterday is a day old, however old the file was.
struct RetentionRules {
    Micros clear = std::chrono::hours(24);    ///< then sealed into packs
    Micros every = std::chrono::days(7);      ///< every version is kept so long …
    Micros longest = std::chrono::days(365);  ///< … then the last of each day, so long
    /// Smaller ones are hashed as fast as they are opened: a mark would be one record more.
    std::uint64_t marked_bytes_min = 64 << 10;
};

struct Chore {
    enum class Duty : std::uint8_t { Seal, Drop, Mark };
    Duty duty = Duty::Seal;
    FileKey key;
    VersionId version = 0;
    std::uint64_t size = 0;
    bool operator==(const Chore&) const = default;
};

/// What is due at `now` (microseconds since 1970). The present version of a file is at most marked.
std::vector<Chore> chores(std::span<const Record> records, VersionId now,
                          const RetentionRules& rules);

}  // namespace hygie::files
