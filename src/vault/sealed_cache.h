#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace hygie::vault {

/// Stored versions lately read, as sealed as they lie on the disk: of the same memory five times as
/// many as unsealed, and to open one here costs a third of reading it. What was read first goes
/// first: its place is written over. What is kept never lags behind a commit: that forgets the rows
/// that it erases, and whoever was reading them meanwhile keeps nothing. Thread-safe.
class SealedCache {
  public:
    explicit SealedCache(std::size_t bytes);

    struct Kept {
        Bytes stored{};           ///< empty: not here
        std::uint64_t as_of = 0;  ///< for keep(): from before the row is read
    };
    Kept find(std::uint64_t row);
    /// What is larger than kKeptBytesMax is not kept.
    void keep(std::uint64_t row, std::uint64_t as_of, ByteView stored);
    /// After a commit that erased what these rows held: a row changes in no other way.
    void forget(std::span<const std::uint64_t> rows);

    static constexpr std::size_t kKeptBytesMax = 4 << 10;

  private:
    static constexpr std::size_t kShards = 16;
    static constexpr std::size_t kWays = 4;             ///< places where a row may be noted
    static constexpr std::size_t kBytesExpected = 128;  ///< of a version at least, as a rule

    /// Where a version begins, counted on from the first ever written.
    struct Slot {
        std::uint64_t row = 0;
        std::uint64_t at = 0;
        std::uint32_t bytes = 0;  ///< 0: nothing is noted here
    };
    struct Shard {
        std::mutex mutex;
        std::unique_ptr<std::uint8_t[]> ring;
        std::uint64_t end = 0;  ///< where the next version begins, counted in the same way
        std::vector<std::array<Slot, kWays>> slots;
        std::uint64_t erasures = 0;  ///< that forgot rows of it
    };

    Shard& shard_of(std::uint64_t row) { return shards_[row % kShards]; }
    std::array<Slot, kWays>& slots_of(Shard& shard, std::uint64_t row);
    bool is_there(const Shard& shard, const Slot& slot) const;

    const std::size_t ring_bytes_;
    std::array<Shard, kShards> shards_;
};

}  // namespace hygie::vault
