#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "vault/body.h"

namespace hygie::vault {

/// Bodies unsealed lately, let go as by CompartmentCache when they occupy too much. A row never
/// changes, so what is kept of it never goes stale; what an erasure must forget is dropped by
/// record. Thread-safe.
class BodyCache {
  public:
    explicit BodyCache(std::size_t bytes_max) : shard_bytes_max_(bytes_max / kShards) {}

    struct Kept {
        CompartmentNumber compartment = 0;
        std::shared_ptr<const Body> body;  ///< null when it is not here
    };
    Kept find(std::uint64_t row);
    /// Larger bodies than kCachedBodyBytesMax are not kept.
    void put(std::uint64_t row, CompartmentNumber compartment, std::shared_ptr<const Body> body);
    /// Forgets all bodies of a record.
    void drop(CompartmentNumber compartment);

  private:
    static constexpr std::size_t kShards = 16;
    struct Slot {
        Kept kept;
        std::size_t bytes = 0;
        bool asked = false;  ///< since it was last looked at for room
        std::list<std::uint64_t>::iterator turn;
    };
    using Slots = std::unordered_map<std::uint64_t, Slot>;
    struct Shard {
        std::mutex mutex;
        Slots slots;                     ///< by row
        std::list<std::uint64_t> turns;  ///< the next one to look at for room first
        std::size_t bytes = 0;
    };
    Shard& shard_of(std::uint64_t row) { return shards_[row % kShards]; }
    static Slots::iterator remove(Shard& shard, Slots::iterator slot);
    void make_room(Shard& shard) const;

    const std::size_t shard_bytes_max_;
    std::array<Shard, kShards> shards_;
};

/// A document or an image would push out hundreds of others.
inline constexpr std::size_t kCachedBodyBytesMax = 64 << 10;

}  // namespace hygie::vault
