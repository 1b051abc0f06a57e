#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "vault/record.h"
#include "vault/store.h"

namespace hygie::vault {

/// Where a resource is: its record, and where its newest version is stored.
struct Place {
    CompartmentNumber compartment = 0;
    std::uint64_t row = 0;  ///< 0: not known, since it was written before rows were kept
    bool operator==(const Place&) const = default;
};

/// Where resources were found lately, or that there are none: a write asks that of each
/// new resource two or three times. What is kept never lags behind a commit: that forgets the
/// places that it touches, and whoever was reading them meanwhile keeps nothing. Thread-safe.
class PlaceCache {
  public:
    struct Kept {
        bool is_here = false;
        std::optional<Place> place{};  ///< none: there is no such resource
        std::uint64_t as_of = 0;       ///< for keep(): from before the row is read
    };
    Kept find(Key place);
    void keep(Key place, std::uint64_t as_of, std::optional<Place> where);
    /// After a commit that changed the rows of these places.
    void forget(const std::vector<Key>& places);

  private:
    static constexpr std::size_t kShards = 16;
    static constexpr std::size_t kSlots = 1 << 13;  ///< of a shard; 3 MB in all

    static constexpr CompartmentNumber kEmpty = 0;
    static constexpr CompartmentNumber kNowhere = UINT64_MAX;

    struct Slot {
        std::int64_t place = 0;
        Place where{.compartment = kEmpty};
    };
    struct Shard {
        std::mutex mutex;
        std::vector<Slot> slots = std::vector<Slot>(kSlots);
        std::uint64_t commits = 0;  ///< that changed places of it
    };

    /// Places are blind names: any bits of them will do.
    Shard& shard_of(Key place) {
        return shards_[static_cast<std::uint64_t>(place.major) % kShards];
    }
    static Slot& slot_of(Shard& shard, Key place) {
        return shard.slots[static_cast<std::uint64_t>(place.major) / kShards % kSlots];
    }

    std::array<Shard, kShards> shards_;
};

}  // namespace hygie::vault
