#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>

#include "base/result.h"
#include "guards/files/content/content.h"
#include "guards/files/content/digest.h"

namespace hygie::files {

/// What was read again of a file that was brought back.
struct ReadBack {
    std::optional<crypto::Hash> hash;            ///< where the Digest was to tell it
    std::optional<crypto::OneTimeMac::Tag> tag;  ///< and this
    std::uint64_t size = 0;
    bool is_sparse = false;
};

/// What was read again is not what was kept.
std::unexpected<Error> unequal();

/// Reads an open file to its end: from the disk itself where the file system lets, not from what
/// the kernel remembers of it. Holes are not read. Code::Busy when it is stopped before.
Result<ReadBack> read_back(int fd, Digest digest, const std::stop_token& stop = {});

/// Writes `from` into a new file, onto the disk itself when it is large, and reads each block again
/// and compares it. Code::Corrupt when they differ, Code::NotFound when `from` ends early.
Result<ReadBack> copy_and_read_back(const Content& from, std::uint64_t size, int to, Digest digest);

/// Whether two open files have the same bytes.
Result<bool> has_same_bytes(int one, int other);

}  // namespace hygie::files
