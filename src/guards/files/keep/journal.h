#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "base/result.h"
#include "crypto/secret.h"
#include "guards/files/keep/packer.h"
#include "guards/files/keep/record.h"
#include "host/disk.h"
#include "host/random.h"

namespace hygie::files {

/// The store's memory: records, appended, sealed, chained (FORMAT.md). What append() took survives
/// the death of the process; what sync() took survives a power cut. Thread-safe.
class Journal {
  public:
    using Take = std::function<Status(Record&&)>;

    /// Opens for writing, after handing every record to `take`, oldest first. Code::Corrupt when a
    /// record that is not at the torn end of a segment cannot be read.
    static Result<std::unique_ptr<Journal>> open(Disk& disk, Random& random, const std::string& dir,
                                                 const crypto::Secret32& key, const Take& take);
    /// Reads alone, also beside a writer: ends where the writer was.
    static Status read(Disk& disk, const std::string& dir, const crypto::Secret32& key,
                       const Take& take);

    /// A failure is final, as any failed write of ours.
    Status append(std::span<const Record> records);
    Status append(const Record& record) { return append(std::span(&record, 1)); }
    /// Makes everything appended so far durable. A failure is final.
    Status sync();
    bool is_dirty() const { return dirty_; }

    static constexpr std::uint64_t kSegmentBytes = 64 << 20;

  private:
    struct Segment;
    Journal(Disk& disk, Random& random, std::string dir, const crypto::Secret32& key)
        : disk_(disk), random_(random), dir_(std::move(dir)), key_(key) {}
    Status begin_segment();

    Disk& disk_;
    Random& random_;
    std::string dir_;
    crypto::Secret32 key_;
    std::mutex mutex_;
    std::atomic<bool> dirty_ = false;
    std::uint64_t number_ = 0;  ///< of the open segment
    std::shared_ptr<File> file_;
    Packer packer_;
    std::uint64_t at_ = 0;
    std::uint64_t frames_ = 0;
    crypto::Secret32 segment_key_;
    std::array<std::uint8_t, 16> chain_{};  ///< the tag of the last frame
};

}  // namespace hygie::files
