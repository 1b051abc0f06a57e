#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "vault/body.h"

namespace hygie::vault {

/// Bodies unsealed lately, the least used ones let go when they occupy too much. A row never
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
        std::uint64_t row = 0;
        Kept kept;
        std::size_t bytes = 0;
    };
    struct Shard {
        std::mutex mutex;
        std::list<Slot> slots;  ///< most recently used first
        std::unordered_map<std::uint64_t, std::list<Slot>::iterator> places;
        std::size_t bytes = 0;
    };
    Shard& shard_of(std::uint64_t row) { return shards_[row % kShards]; }
    static void remove(Shard& shard, std::list<Slot>::iterator slot);

    const std::size_t shard_bytes_max_;
    std::array<Shard, kShards> shards_;
};

/// A document or an image would push out hundreds of others.
inline constexpr std::size_t kCachedBodyBytesMax = 64 << 10;

}  // namespace hygie::vault
