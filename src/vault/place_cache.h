#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "vault/record.h"
#include "vault/store.h"

namespace hygie::vault {

/// In which records resources were found lately, or that there are none: a write asks that of each
/// new resource two or three times. What is kept never lags behind a commit: that forgets the
/// places that it touches, and whoever was reading them meanwhile keeps nothing. Thread-safe.
class PlaceCache {
  public:
    struct Kept {
        bool is_here = false;
        std::optional<CompartmentNumber> number{};  ///< none: there is no such resource
        std::uint64_t as_of = 0;                    ///< for keep(): from before the row is read
    };
    Kept find(Key place);
    void keep(Key place, std::uint64_t as_of, std::optional<CompartmentNumber> number);
    /// After a commit that changed the rows of these places.
    void forget(const std::vector<Key>& places);

  private:
    static constexpr std::size_t kShards = 16;
    static constexpr std::size_t kSlots = 1 << 13;  ///< of a shard; 2 MB in all

    static constexpr CompartmentNumber kEmpty = 0;
    static constexpr CompartmentNumber kNowhere = UINT64_MAX;

    struct Slot {
        std::int64_t place = 0;
        CompartmentNumber number = kEmpty;
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
