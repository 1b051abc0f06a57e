#include "vault/place_cache.h"

namespace hygie::vault {

PlaceCache::Kept PlaceCache::find(Key place) {
    Shard& shard = shard_of(place);
    const std::lock_guard lock(shard.mutex);
    const Slot& slot = slot_of(shard, place);
    if (slot.where.compartment == kEmpty || slot.place != place.major)
        return {.is_here = false, .as_of = shard.commits};
    const auto where =
        slot.where.compartment == kNowhere ? std::nullopt : std::optional(slot.where);
    return {.is_here = true, .place = where, .as_of = shard.commits};
}

void PlaceCache::keep(Key place, std::uint64_t as_of, std::optional<Place> where) {
    Shard& shard = shard_of(place);
    const std::lock_guard lock(shard.mutex);
    if (as_of != shard.commits) return;
    slot_of(shard, place) = {place.major, where.value_or(Place{.compartment = kNowhere})};
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
