#include "vault/place_cache.h"

namespace hygie::vault {

PlaceCache::Kept PlaceCache::find(Key place) {
    Shard& shard = shard_of(place);
    const std::lock_guard lock(shard.mutex);
    const Slot& slot = slot_of(shard, place);
    if (slot.number == kEmpty || slot.place != place.major)
        return {.is_here = false, .as_of = shard.commits};
    const auto number = slot.number == kNowhere ? std::nullopt : std::optional(slot.number);
    return {.is_here = true, .number = number, .as_of = shard.commits};
}

void PlaceCache::keep(Key place, std::uint64_t as_of, std::optional<CompartmentNumber> number) {
    Shard& shard = shard_of(place);
    const std::lock_guard lock(shard.mutex);
    if (as_of == shard.commits) slot_of(shard, place) = {place.major, number.value_or(kNowhere)};
}

void PlaceCache::forget(const std::vector<Key>& places) {
    for (const Key place : places) {
        Shard& shard = shard_of(place);
        const std::lock_guard lock(shard.mutex);
        ++shard.commits;
        Slot& slot = slot_of(shard, place);
        if (slot.place == place.major) slot = {};
    }
}

}  // namespace hygie::vault
